package alist_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The tables of clients_*_test.go hold published clients of AList. Each row
// sends the bytes that its client sends, over a real connection, and takes for
// success what that client takes for it.

// client is a row.
type client struct {
	library library
	json    string  // Content-Type of its JSON, application/json unless it is given
	ok      []check // what it takes for success
	run     func(p *program)
}

// library is how an HTTP library writes a request.
type library struct {
	headers []string // before the program's own
	last    []string // after them
	small   bool     // names in small letters
	length  bool     // Content-Length: 0 on a POST without a body
}

// program is a running client with one connection.
type program struct {
	*testing.T
	client

	site *site
	host string
	conn net.Conn
	in   *bufio.Reader
}

// answer is what came back.
type answer struct {
	status  int
	text    string
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// check is a client's test of success: it says what is missing.
type check func(a answer) string

func runClients(t *testing.T, clients map[string]client) {
	t.Helper()
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			server := httptest.NewServer(s.App.Handler())
			t.Cleanup(server.Close)
			if c.json == "" {
				c.json = "application/json"
			}
			p := &program{T: t, client: c, site: s, host: strings.TrimPrefix(server.URL, "http://")}
			p.dial()
			c.run(p)
		})
	}
}

func (p *program) dial() {
	p.Helper()
	conn, err := new(net.Dialer).DialContext(p.Context(), "tcp", p.host)
	if err != nil {
		p.Fatalf("connect: %v", err)
	}
	p.Cleanup(func() { _ = conn.Close() })
	p.conn, p.in = conn, bufio.NewReader(conn)
}

// send writes a request, byte by byte as the library does, and reads the
// answer. A body is announced as the client's JSON unless a Content-Type is
// among the header lines.
func (p *program) send(method, target, body string, lines ...string) answer {
	p.Helper()
	head := append([]string{"Host: " + p.host}, p.library.headers...)
	if body != "" && !strings.Contains(strings.Join(lines, "\n"), "Content-Type:") {
		head = append(head, "Content-Type: "+p.json)
	}
	head = append(head, lines...)
	if body != "" || method == http.MethodPost && p.library.length {
		head = append(head, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	head = append(head, p.library.last...)
	var text strings.Builder
	text.WriteString(method + " " + target + " HTTP/1.1\r\n")
	for _, line := range head {
		if name, value, _ := strings.Cut(line, ":"); p.library.small {
			line = strings.ToLower(name) + ":" + value
		}
		text.WriteString(line + "\r\n")
	}
	text.WriteString("\r\n" + body)
	return p.exchange(method, text.String())
}

func (p *program) exchange(method, request string) answer {
	p.Helper()
	if _, err := io.WriteString(p.conn, request); err != nil {
		p.Fatalf("send: %v", err)
	}
	reply, err := http.ReadResponse(p.in, &http.Request{Method: method})
	if err != nil {
		p.Fatalf("read the answer to %q: %v", request, err)
	}
	defer func() { _ = reply.Body.Close() }()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		p.Fatalf("read the answer to %q: %v", request, err)
	}
	a := answer{status: reply.StatusCode, text: string(data)}
	if err := json.Unmarshal(data, &a); err != nil {
		p.Fatalf("the answer to %q is %d %q: %v", request, a.status, a.text, err)
	}
	return a
}

// accept applies the client's own test of success.
func (p *program) accept(a answer) {
	p.Helper()
	for _, ok := range p.ok {
		if missing := ok(a); missing != "" {
			p.Fatalf("the client wants %s, and gets %d %s", missing, a.status, a.text)
		}
	}
}

// signIn sends a body to a sign-in route and returns the token it yields.
func (p *program) signIn(target, body string, lines ...string) string {
	p.Helper()
	a := p.send(http.MethodPost, target, body, lines...)
	p.accept(a)
	var in struct{ Token string }
	p.read(a, &in)
	if in.Token == "" || strings.ContainsAny(in.Token, " :,;\"'") {
		p.Fatalf("token %q is nothing that clients can store in their own formats", in.Token)
	}
	return in.Token
}

// admin expects that /api/me under these header lines is the admin's.
func (p *program) admin(lines ...string) answer {
	p.Helper()
	a := p.send(http.MethodGet, "/api/me", "", lines...)
	p.accept(a)
	var me struct {
		ID       int
		Username string
		BasePath string `json:"base_path"`
		Role     []int
	}
	if p.read(a, &me); me.Username != "admin" || me.ID != 2 || me.BasePath != "/" || len(me.Role) != 1 {
		p.Fatalf("/api/me is %s, want the admin's", a.text)
	}
	return a
}

// refused expects AList's refusal: HTTP 200, the code and words inside.
func (p *program) refused(a answer, code int, message string) {
	p.Helper()
	if a.status != http.StatusOK || a.text != refusal(code, message) {
		p.Fatalf("%d %s, want %s", a.status, a.text, refusal(code, message))
	}
}

func (p *program) read(a answer, data any) {
	p.Helper()
	if err := json.Unmarshal(a.Data, data); err != nil {
		p.Fatalf("the client cannot read %s: %v", a.text, err)
	}
}

// evicted throws the admin's device without a Client-Id out.
func (p *program) evicted() {
	p.Helper()
	for _, id := range p.site.devices(p, p.site.App.AdminToken()) {
		wantDone(p, "evict", p.site.post(p, p.site.App.AdminToken(), evictRoute, object{"session_id": id}))
	}
}

// brokenByRoles is for clients that read role as one number. AList itself
// broke them in 3.46, where it became an array; no server can serve them and
// alist-web alike. What they get is AList's answer.
func (p *program) brokenByRoles(a answer) {
	p.Helper()
	var me struct{ Role int }
	if json.Unmarshal(a.Data, &me) == nil || !strings.Contains(a.text, `"role":[2],`) {
		p.Errorf("%s, want role as the array that AList sends since 3.46", a.text)
	}
}

// The tests of success.

func status200(a answer) string {
	if a.status != http.StatusOK {
		return "HTTP status 200"
	}
	return ""
}

func noHTTPError(a answer) string {
	if a.status >= http.StatusBadRequest {
		return "an HTTP status below 400"
	}
	return ""
}

func code200(a answer) string {
	if a.Code != http.StatusOK {
		return "code 200"
	}
	return ""
}

func code2xx(a answer) string {
	if a.Code < 200 || a.Code >= 300 {
		return "200 <= code < 300"
	}
	return ""
}

func codeBelow400(a answer) string {
	if a.Code >= http.StatusBadRequest {
		return "code below 400"
	}
	return ""
}

func messageSuccess(a answer) string {
	if a.Message != "success" {
		return `the message "success"`
	}
	return ""
}

// compact is what a shell script greps for; the token is optional.
func compact(a answer) string {
	if !regexp.MustCompile(`"code":200`).MatchString(a.text) {
		return `the text "code":200`
	}
	if strings.Contains(a.text, "token") && !regexp.MustCompile(`"token":"([^"]+)"`).MatchString(a.text) {
		return `the text "token":"…"`
	}
	return ""
}

// threeKeys is the envelope itself, with nothing left out.
func threeKeys(a answer) string {
	var keys map[string]json.RawMessage
	if json.Unmarshal([]byte(a.text), &keys) != nil || len(keys) != 3 || keys["data"] == nil {
		return "code, message and data"
	}
	return ""
}
