package server_test

import (
	"cmp"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/server/servertest"
)

// attack is one request, and what may come back.
type attack struct {
	name     string
	method   string
	target   string // path and query as they are sent
	header   http.Header
	body     string
	chunked  bool // the length is not announced
	from     string
	harmless bool // the route does not look at what is wrong: it may answer
	status   int  // the HTTP status if it matters
}

// with is a copy that a change has been made to.
func (a attack) with(name string, change func(*attack)) attack {
	a.name, a.header = name, a.header.Clone()
	change(&a)
	return a
}

// unchecked is Do for requests that docs/openapi.yaml does not describe.
func (f *fortress) unchecked(t testing.TB, r servertest.Request) servertest.Reply {
	t.Helper()
	a := attack{name: r.Path, method: r.Method, target: r.Path, from: r.From, header: http.Header{}}
	switch body := r.Body.(type) {
	case nil:
	case string:
		a.body = body
	default:
		a.body = encoded(t, body)
		a.header.Set("Content-Type", "application/json")
	}
	if a.method == "" && r.Body == nil {
		a.method = http.MethodGet
	} else if a.method == "" {
		a.method = http.MethodPost
	}
	if a.from == "" {
		a.from = "192.0.2.1"
	}
	for name, value := range map[string]string{"Authorization": r.Token, "Client-Id": r.ClientID} {
		if value != "" {
			a.header.Set(name, value)
		}
	}
	for name, value := range r.Header {
		a.header.Set(name, value)
	}
	return f.send(a.request(t))
}

func (a attack) request(t testing.TB) *http.Request {
	t.Helper()
	where, err := url.ParseRequestURI(a.target)
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	r := &http.Request{
		Method: a.method, URL: where, RequestURI: a.target, Header: a.header, Host: "latchkey.example",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: net.JoinHostPort(a.from, "4711"), Body: http.NoBody,
	}
	if a.body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(a.body)), int64(len(a.body))
	}
	if where.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	if a.chunked {
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	}
	return r.WithContext(t.Context())
}

// honest is the request that the target's malformed ones are made of.
func (c *camp) honest(t testing.TB, r target) attack {
	t.Helper()
	a := attack{method: r.method, target: r.path, header: http.Header{}, from: c.peer()}
	if a.method == "*" {
		a.method = http.MethodGet
	}
	if r.query != "" {
		a.target += "?" + r.query
	}
	if !r.public {
		a.header.Set("Authorization", cmp.Or(r.token, c.token))
	}
	if r.body != nil {
		a.header.Set("Content-Type", "application/json")
		a.body = r.wrap(encoded(t, r.body))
	}
	return a
}
