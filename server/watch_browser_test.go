package server_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"latchkey/server/servertest"
)

// TestLinksInABrowser has somebody disown a sign-in and choose a new password in
// Chromium: in light and dark, on a phone and on a desk, by the keyboard alone.
// It skips where Chromium is missing. Where LATCHKEY_TEST_SCREENSHOTS names a
// folder, it leaves a picture of each page.
func TestLinksInABrowser(t *testing.T) {
	t.Parallel()
	for name, dark := range map[string]int{"light": 1, "dark": 0} { // Blink's numbers
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand{browser: chromium(t, chromedp.Flag("blink-settings", fmt.Sprintf("preferredColorScheme=%d", dark)))}
			for size, width := range map[string]int64{"narrow": 360, "wide": 1280} {
				t.Run(size, func(t *testing.T) { disownInBrowser(t, s, width, name+"-"+size) })
			}
		})
	}
}

func disownInBrowser(t *testing.T, s stand, width int64, picture string) {
	w := watch(t)
	doors := httptest.NewServer(w.App.Handler())
	t.Cleanup(doors.Close)
	letters := w.mailed(t, func() {
		w.Do(t, servertest.Request{
			Path: "/api/auth/login", ClientID: "phone", Header: map[string]string{"User-Agent": "<script>document.title = 'mine'</script> " + strings.Repeat("long", 40)},
			Body: map[string]string{"username": "ann", "password": servertest.AdminPassword},
		})
	})
	p := (&site{browser: s.browser, url: doors.URL}).open(t, "/ping")
	p.do(chromedp.EmulateViewport(width, 800))
	shown := func(title string) {
		t.Helper()
		p.do(chromedp.WaitReady(chromedp.CSS("main h1")))
		got := p.ask(chromedp.Evaluate[string](`[document.title, document.documentElement.scrollWidth <= innerWidth, document.querySelectorAll("h1").length,
			getComputedStyle(document.querySelector("main")).borderRadius, document.documentElement.lang].join(" | ")`))
		if want := title + " – Latchkey | true | 1 | 12px | en"; got != want {
			t.Errorf("the page is %q, want %q", got, want)
		}
		if folder := os.Getenv("LATCHKEY_TEST_SCREENSHOTS"); folder != "" {
			p.shoot(filepath.Join(folder, picture+"-"+strings.ReplaceAll(strings.ToLower(strings.Trim(title, "?")), " ", "-")+".png"))
		}
	}
	p.visit(notMeAt + "?token=" + only(t, letters).Token(t, notMeAt))
	shown("Was this not you?")
	p.do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r")) // the first thing the keyboard comes to is the button
	p.appears("#password")
	shown("That device is signed out")
	p.do(chromedp.Focus(chromedp.CSS("#password")), chromedp.KeyEvent(servertest.AdminPassword), chromedp.KeyEvent("\r"))
	p.appears("[role=alert]")
	shown("Choose a new password")
	p.fill("#password", newPassword)
	p.click("button")
	p.do(chromedp.WaitNotPresent(chromedp.CSS("form")))
	shown("Your password is changed")
	p.visit(passwordAt + "?token=x")
	shown("This link does not work any more")
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code != 200 {
		t.Errorf("sign in: %s", reply.Text)
	}
}
