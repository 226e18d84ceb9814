package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"latchkey/model"
	"latchkey/server/servertest"
	"latchkey/service/client"
)

// TestPagesInABrowser has somebody sign in with a code, let an app in, turn it
// down, connect a device and sign out, in Chromium, without script: in light and
// dark, on a phone and on a desk. It skips where Chromium is missing. Where
// LATCHKEY_TEST_SCREENSHOTS names a folder, it leaves a picture of each page.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	for name, dark := range map[string]int{"light": 1, "dark": 0} { // Blink's numbers
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand{browser: chromium(t, chromedp.Flag("blink-settings", fmt.Sprintf("scriptEnabled=false,preferredColorScheme=%d", dark)))}
			for size, width := range map[string]int64{"narrow": 390, "wide": 1200} {
				t.Run(size, func(t *testing.T) { appsInBrowser(t, s, width, name+"-"+size) })
			}
		})
	}
}

// visitor is somebody before the pages.
type visitor struct {
	*tab

	picture string
	count   int
	heard   chan *http.Request // what came to the app
	apps    *asksForAccess
	app     model.OAuthClient
	back    string
}

// visitors opens the pages for somebody. The app is a site of its own, which
// sends people on to yet another one, as apps do.
func visitors(t *testing.T, s stand, picture string) *visitor {
	t.Helper()
	b, clock := browse(t)
	v := &visitor{picture: picture, apps: &asksForAccess{surfer: b, clock: clock}, heard: make(chan *http.Request, 10)}
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<!doctype html><title>App</title><h1>Home</h1>")
	}))
	t.Cleanup(home.Close)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			v.heard <- r
			http.Redirect(w, r, strings.Replace(home.URL, "127.0.0.1", "localhost", 1), http.StatusSeeOther)
		}
	}))
	t.Cleanup(app.Close)
	v.back = app.URL + "/callback"
	v.app = v.apps.register(client.Registration{
		Name: "Tide Notes", Homepage: "https://tide.example.org", RedirectURIs: []string{"http://127.0.0.1/callback"},
		Scopes: []string{"openid", "offline_access", "me.read", "session.evict", "sshkey.create", "admin.user.read", "admin.user.delete"},
	})
	v.apps.native = v.app
	doors := httptest.NewServer(b.App.Handler())
	t.Cleanup(doors.Close)
	v.tab = (&site{browser: s.browser, url: doors.URL}).open(t, "/ping")
	return v
}

// wanted is the path at which the app asks.
func (v *visitor) wanted(pairs ...string) string {
	return authorizeAt + "?" + wish(v.app, v.back, append([]string{"scope", "openid offline_access me.read session.evict sshkey.create"}, pairs...)...)
}

// shown waits for the page and looks at what every page must be.
func (v *visitor) shown(title string) {
	v.Helper()
	v.do(chromedp.WaitReady(chromedp.CSS("main h1")))
	got := v.ask(chromedp.Evaluate[string](pageFacts))
	if want := title + " – Latchkey | fits | en | 1 h1 | 1 main | labelled | named | no style | readable"; got != want {
		v.Errorf("the page is %q, want %q", got, want)
	}
	if folder := os.Getenv("LATCHKEY_TEST_SCREENSHOTS"); folder != "" {
		v.count++
		v.shoot(filepath.Join(folder, fmt.Sprintf("%s-%02d-%s.png", v.picture, v.count, strings.ReplaceAll(strings.ToLower(strings.Trim(title, "?")), " ", "-"))))
	}
}

// pageFacts is what a page is to the eye, the keyboard and a screen reader.
// Texts must stand out from what lies behind them by 4.5:1 (WCAG 2.2, 1.4.3).
const pageFacts = `(() => {
	const all = (s) => [...document.querySelectorAll(s)];
	const light = (c) => {
		const [r, g, b] = c.match(/[\d.]+/g).map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\)$/.test(c)) return c; } };
	const faint = all("main *").filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
		return [e, (a + .05) / (b + .05)];
	}).filter(([, ratio]) => ratio < 4.5).map(([e, ratio]) => e.textContent.trim() + " " + ratio.toFixed(2));
	const unlabelled = all("input:not([type=hidden]):not([hidden])").filter((e) => !e.labels.length || !e.autocomplete);
	const nameless = all("button, a").filter((e) => !e.textContent.trim());
	return [document.title, document.documentElement.scrollWidth <= innerWidth ? "fits" : "wide", document.documentElement.lang,
		all("h1").length + " h1", all("main").length + " main", unlabelled.length ? "unlabelled" : "labelled", nameless.length ? "nameless" : "named",
		all("[style], script, img, iframe").length ? "style" : "no style", faint.length ? faint.join(", ") : "readable"].join(" | ");
})()`

// landed is what the app was told.
func (v *visitor) landed() url.Values {
	v.Helper()
	v.do(chromedp.WaitReady(chromedp.Search(`//h1[text()="Home"]`)))
	r := <-v.heard
	if got := r.Header.Get("Referer"); got != "" {
		v.Errorf("the app is told that people came from %q", got)
	}
	return r.URL.Query()
}

func appsInBrowser(t *testing.T, s stand, width int64, picture string) {
	v := visitors(t, s, picture)
	secret := v.apps.enrol("alice", v.apps.clock)
	v.do(chromedp.EmulateViewport(width, 800))

	v.visit(v.wanted())
	v.shown("Sign in")
	v.do(chromedp.KeyEvent("alice"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("wrong horse"), chromedp.KeyEvent("\r"))
	v.appears("#alert")
	v.shown("Sign in")
	v.fill("#username", "alice")
	v.fill("#password", servertest.AdminPassword)
	v.click("button")
	v.appears("#code")
	v.shown("Enter your code")
	v.do(chromedp.KeyEvent(codeOf(secret, v.apps.clock)), chromedp.KeyEvent("\r"))
	v.appears(".choice")
	v.shown("Tide Notes asks for access")
	v.click("button[value=allow]")
	if q := v.landed(); q.Get("code") == "" || q.Get("state") != "a state&more" || q.Get("iss") != v.site.url {
		t.Errorf("the app is told %v", q)
	}

	v.visit(v.wanted("scope", "admin.user.read admin.user.delete", "prompt", "login"))
	v.appears("#password")
	v.shown("Confirm that it is you")
	v.apps.clock.Advance(codeEvery)
	v.fill("#password", servertest.AdminPassword)
	v.fill("#code", codeOf(secret, v.apps.clock))
	v.click("button:not(.link)")
	v.appears(".choice")
	v.do(chromedp.Focus(chromedp.CSS("button[value=deny]")), chromedp.KeyEvent("\r"))
	if q := v.landed(); q.Get("error") != "access_denied" || q.Has("code") {
		t.Errorf("the app is told %v", q)
	}
	v.deviceInBrowser()
	v.visit(authorizeAt + "?client_id=nobody")
	v.shown("This did not work")
	v.visit(signInAt)
	v.shown("You are signed in")
	v.click("button")
	v.do(chromedp.WaitReady(chromedp.Search(`//h1[text()="You are signed out"]`)))
	v.shown("You are signed out")
}

// codeEvery is how long a code lasts.
const codeEvery = 30 * time.Second

// startDevice has a device ask for access and returns the code that it shows.
func (v *visitor) startDevice() string {
	v.Helper()
	r, err := http.PostForm(v.site.url+"/api/v4/session/oauth/device_authorization", url.Values{"client_id": {v.app.ID}, "scope": {"openid me.read"}})
	if err != nil {
		v.Fatal(err)
	}
	defer r.Body.Close()
	var made struct {
		User string `json:"user_code"`
	}
	if err := json.NewDecoder(r.Body).Decode(&made); err != nil || made.User == "" {
		v.Fatalf("%s, %v", r.Status, err)
	}
	return made.User
}

func (v *visitor) deviceInBrowser() {
	v.Helper()
	code := v.startDevice()
	v.visit(deviceAt + "?user_code=" + code)
	v.appears("#user_code")
	v.shown("Connect a device")
	v.click("button:not(.link)")
	v.appears(".choice")
	v.shown("Let Tide Notes into your account?")
	v.click("button[value=allow]")
	v.do(chromedp.WaitReady(chromedp.Search(`//h1[text()="The device is connected"]`)))
	v.shown("The device is connected")
	v.visit(deviceAt)
	v.appears("#user_code")
	v.fill("#user_code", "no such code")
	v.click("button:not(.link)")
	v.appears("#alert")
	v.shown("Connect a device")
}

// Over plain HTTP to another machine browsers say less of where a form comes
// from, and over HTTPS they keep the protected cookies.
func TestSignInPageInABrowserFromAfar(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand{browser: chromium(t,
				chromedp.Flag("host-resolver-rules", "MAP login.example.test 127.0.0.1"), chromedp.Flag("ignore-certificate-errors", true))}
			b, _ := browse(t)
			doors := serve(b.App.Handler())
			t.Cleanup(doors.Close)
			at := strings.Replace(doors.URL, "127.0.0.1", "login.example.test", 1)
			p := (&site{browser: s.browser, url: at}).open(t, signInAt)
			p.appears("#password")
			if warned := strings.Contains(p.text("main"), "not protected"); warned != (name == "http") {
				t.Errorf("warned is %t", warned)
			}
			p.fill("#username", "alice")
			p.fill("#password", servertest.AdminPassword)
			p.click("button")
			p.do(chromedp.WaitReady(chromedp.Search(`//h1[text()="You are signed in"]`)))
			if seen := p.ask(chromedp.Evaluate[string]("document.cookie")); seen != "" {
				t.Errorf("scripts see %q", seen)
			}
			p.click("button")
			p.do(chromedp.WaitReady(chromedp.Search(`//h1[text()="You are signed out"]`)))
		})
	}
}
