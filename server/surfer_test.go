package server_test

import (
	"html"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

const (
	signInAt  = "/account/sign-in"
	signOutAt = "/account/sign-out"
	confirmAs = "/account/confirm"
	formMedia = "application/x-www-form-urlencoded"
)

// surfer is a browser without a screen: it keeps cookies and sends what browsers
// send with a form.
type surfer struct {
	*servertest.Server

	t      *testing.T
	jar    map[string]string
	header map[string]string // sent with everything
	from   string
}

// browse is a server whose clock the test moves, and a browser before it.
func browse(t *testing.T, changes ...func(*config.Config, *server.Options)) (*surfer, *servertest.Clock) {
	t.Helper()
	clock := servertest.NewClock()
	s := servertest.Open(t, append(changes, func(_ *config.Config, o *server.Options) { o.Now = clock.Now })...)
	s.AddUser(t, "alice")
	return surf(t, s), clock
}

func surf(t *testing.T, s *servertest.Server) *surfer {
	t.Helper()
	return &surfer{Server: s, t: t, jar: map[string]string{}, header: map[string]string{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}}
}

func (b *surfer) send(r servertest.Request) servertest.Reply {
	b.t.Helper()
	headers := map[string]string{}
	maps.Copy(headers, b.header)
	maps.Copy(headers, r.Header)
	var cookies []string
	for name, value := range b.jar {
		cookies = append(cookies, name+"="+value)
	}
	if len(cookies) > 0 {
		headers["Cookie"] = strings.Join(cookies, "; ")
	}
	r.Header, r.From = headers, b.from
	reply := b.Do(b.t, r)
	for _, line := range reply.Header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			b.t.Fatalf("Set-Cookie %q: %v", line, err)
		}
		if b.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	return reply
}

func (b *surfer) get(path string) servertest.Reply {
	b.t.Helper()
	return b.send(servertest.Request{Path: path})
}

// post sends a form from a page of the same site.
func (b *surfer) post(path string, pairs ...string) servertest.Reply {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return b.send(servertest.Request{
		Path: path, Body: values.Encode(), Header: map[string]string{"Content-Type": formMedia, "Sec-Fetch-Site": "same-origin"},
	})
}

// signIn signs in by the page and ends the test if that fails.
func (b *surfer) signIn(name string) {
	b.t.Helper()
	if r := b.post(signInAt, "username", name, "password", servertest.AdminPassword); r.Status != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d %s", r.Status, r.Text)
	}
}

// isIn reports whether somebody is signed in with the browser.
func (b *surfer) isIn() bool {
	b.t.Helper()
	return strings.Contains(b.get(signInAt).Text, "You are signed in")
}

// enrol gives an account a second factor and moves the clock past its code.
func (b *surfer) enrol(name string, clock *servertest.Clock) string {
	b.t.Helper()
	token := b.SignIn(b.t, name, servertest.AdminPassword, "enrols").Token
	var made struct{ Secret string }
	b.Do(b.t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(b.t, &made)
	if r := enrol(b.t, b.Server, token, made.Secret, clock.Now()); r.Code != http.StatusOK {
		b.t.Fatalf("enrol: %s", r.Text)
	}
	clock.Advance(30 * time.Second)
	return made.Secret
}

func codeOf(secret string, clock *servertest.Clock) string { return totptest.Code(secret, clock.Now()) }

// field is the value of a form's hidden or shown field; "" if there is none.
func fieldOf(page, name string) string {
	found := regexp.MustCompile(`<input[^>]* name="` + name + `"[^>]* value="([^"]*)"`).FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// alertOf is what a page says was wrong.
func alertOf(page string) string {
	found := regexp.MustCompile(`<p role="alert"[^>]*>([^<]*)</p>`).FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// headingOf is the page's heading.
func headingOf(page string) string {
	found := regexp.MustCompile(`<h1>([^<]*)</h1>`).FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

func escaped(text string) string { return url.QueryEscape(text) }

func loopbackPrefix() netip.Prefix { return netip.MustParsePrefix("127.0.0.1/32") }
