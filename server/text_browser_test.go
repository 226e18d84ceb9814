package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// textBrowser is a person with a browser without script, who signs in where they are
// asked to and agrees to everything.
type textBrowser struct {
	username string
	password string
	client   *http.Client
}

func newTextBrowser(username, password string) *textBrowser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it never fails (net/http/cookiejar)
	}
	return &textBrowser{username: username, password: password, client: &http.Client{Jar: jar, Timeout: patience}}
}

// visit opens an address and does what the pages ask for, until one asks for
// nothing more. It returns that page's text.
func (v *textBrowser) visit(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	for range 8 { // pages
		if err != nil {
			return "", err
		}
		var text string
		if text, req, err = v.turn(ctx, req); req == nil {
			return text, err
		}
	}
	return "", fmt.Errorf("%s: the pages have no end", address)
}

// turn opens a page and returns where to go on, if anywhere.
func (v *textBrowser) turn(ctx context.Context, req *http.Request) (string, *http.Request, error) {
	resp, err := v.client.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("%s: %s: %s", resp.Request.URL, resp.Status, text)
	}
	if _, to, found := strings.Cut(resp.Header.Get("Refresh"), "url="); found {
		onward, err := resp.Request.URL.Parse(to)
		if err != nil {
			return "", nil, err
		}
		next, err := http.NewRequestWithContext(ctx, http.MethodGet, onward.String(), http.NoBody)
		return string(text), next, err
	}
	form := v.fill(string(text))
	if form == nil {
		return string(text), nil, nil
	}
	to, err := resp.Request.URL.Parse(form.action)
	if err != nil {
		return "", nil, err
	}
	next, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(form.values.Encode()))
	if err != nil {
		return "", nil, err
	}
	next.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	next.Header.Set("Origin", to.Scheme+"://"+to.Host)
	return string(text), next, nil
}

// filled is a form as it is sent.
type filled struct {
	action string
	values url.Values
}

// fill fills the page's form in: the one that asks for a password, a code of a
// device, or consent. It is nil if there is none.
func (v *textBrowser) fill(text string) *filled {
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return nil
	}
	for n := range doc.Descendants() {
		if n.Data != "form" || n.Type != html.ElementNode {
			continue
		}
		form := &filled{action: attribute(n, "action"), values: url.Values{}}
		asks := false
		for field := range n.Descendants() {
			name, value := attribute(field, "name"), attribute(field, "value")
			switch {
			case name == "" || field.Type != html.ElementNode:
			case name == "username":
				form.values.Set(name, v.username)
			case name == "password":
				form.values.Set(name, v.password)
				asks = true
			case field.Data == "button" && value == "allow":
				form.values.Set(name, value)
				asks = true
			case field.Data == "input":
				form.values.Set(name, value)
				asks = asks || name == "user_code" && attribute(field, "type") == "text"
			}
		}
		if asks {
			return form
		}
	}
	return nil
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
