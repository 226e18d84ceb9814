package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
)

func title() string { return "A & B" }

// shown is what a browser gets of a page.
func shown(t *testing.T, body string, show func(p *page.Page, c *gin.Context) error) *httptest.ResponseRecorder {
	t.Helper()
	p, err := page.New(title, body)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	if err := show(p, c); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPageEscapesAndProtects(t *testing.T) {
	const evil = `<script>"&`
	w := shown(t, `<b>{{.Data}}</b>`, func(p *page.Page, c *gin.Context) error {
		return p.Show(c, http.StatusTeapot, page.View{
			Heading: evil, Alert: evil, Lines: []string{evil}, Facts: []page.Fact{{Name: evil, Value: evil}}, Warning: evil, Data: evil,
		})
	})
	text := w.Body.String()
	if w.Code != http.StatusTeapot || strings.Contains(text, "<script") || strings.Count(text, "&lt;script&gt;") != 8 || !strings.Contains(text, "A &amp; B</title>") {
		t.Errorf("%d %s", w.Code, text)
	}
	for _, want := range []string{`<html lang="en">`, `<p role="alert" id="alert">`, "<b>&lt;script", `<p class="warning">`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || w.Header().Get("Referrer-Policy") != "no-referrer" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
}

func TestPageWithOrigin(t *testing.T) {
	w := shown(t, "", func(p *page.Page, c *gin.Context) error { return p.WithOrigin().Show(c, http.StatusOK, page.View{}) })
	if got := w.Header().Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy %q", got)
	}
}

func TestForward(t *testing.T) {
	for _, to := range []string{"https://app.example/cb?code=a&state=b", "com.example.app:/back?code=a", "http://[::1]:8080/?code=a", "/session/device"} {
		w := shown(t, "", func(p *page.Page, c *gin.Context) error { return p.Forward(c, page.View{}, to) })
		if got := w.Header().Get("Refresh"); got != "0; url="+to {
			t.Errorf("Refresh %q", got)
		}
		if link := `<a href="` + strings.ReplaceAll(to, "&", "&amp;") + `">`; !strings.Contains(w.Body.String(), link) {
			t.Errorf("no %s on %s", link, w.Body.String())
		}
	}
	for _, to := range []string{"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "https://x/\r\nSet-Cookie: a", "https://x/ y", "https://é.example", "http://%zz"} {
		p, err := page.New(title, "")
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		if err := p.Forward(c, page.View{}, to); err == nil || w.Header().Get("Refresh") != "" {
			t.Errorf("%q is followed", to)
		}
	}
}

func TestNewRefusesABrokenBody(t *testing.T) {
	if _, err := page.New(title, "{{if}}"); err == nil {
		t.Error("no error")
	}
}
