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
	"latchkey/service/totp/totptest"
)

// TestAKeyFromALinkInABrowser has somebody make an API key in Chromium, as
// TestLinksInABrowser has them disown a sign-in: without script, in light and
// dark, on a phone and on a desk, with a mistake and a code.
func TestAKeyFromALinkInABrowser(t *testing.T) {
	t.Parallel()
	for name, dark := range map[string]int{"light": 1, "dark": 0} { // Blink's numbers
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stand{browser: chromium(t, chromedp.Flag("blink-settings", fmt.Sprintf("preferredColorScheme=%d", dark)))}
			for size, width := range map[string]int64{"narrow": 390, "wide": 1200} {
				t.Run(size, func(t *testing.T) { makeKeyInBrowser(t, s, width, "key-"+name+"-"+size) })
			}
		})
	}
}

func makeKeyInBrowser(t *testing.T, s stand, width int64, picture string) {
	w := watch(t)
	secret := w.enrol(t, w.ann.Token)
	doors := httptest.NewServer(w.App.Handler())
	t.Cleanup(doors.Close)
	p := (&site{browser: s.browser, url: doors.URL}).open(t, "/ping")
	p.do(chromedp.EmulateViewport(width, 800))
	shown := func(title, step string) {
		t.Helper()
		p.do(chromedp.WaitReady(chromedp.CSS("main h1")))
		got := p.ask(chromedp.Evaluate[string](`[document.title, document.documentElement.scrollWidth <= innerWidth, document.querySelectorAll("h1").length,
			getComputedStyle(document.querySelector("main")).borderRadius, [...document.querySelectorAll("input:not([type=hidden]):not([type=checkbox]), textarea")].every(i => i.labels.length == 1)].join(" | ")`))
		if want := title + " – Latchkey | true | 1 | 12px | true"; got != want {
			t.Errorf("the page is %q, want %q", got, want)
		}
		if folder := os.Getenv("LATCHKEY_TEST_SCREENSHOTS"); folder != "" {
			p.shoot(filepath.Join(folder, picture+"-"+step+".png"))
		}
	}
	p.visit(newKeyAt + "?name=photo+backup&scope=me.read&scope=session.read&scope=admin.user.read&scope=all&expires_in_days=90")
	shown("Make an API key", "1-link")
	p.click("input[value='session.read'][type=checkbox]") // no, it may not
	p.fill("#username", "ann")
	p.do(chromedp.Focus(chromedp.CSS("#password")), chromedp.KeyEvent("wrong password"), chromedp.KeyEvent("\r"))
	p.appears("[role=alert]")
	shown("Make an API key", "2-wrong")
	if got := p.ask(chromedp.Evaluate[string](`[name.value, username.value, password.value, days.value, [...document.querySelectorAll(":checked")].map(i => i.value)].join("|")
		.replace(/^.*?\|/, document.querySelector("#name").value + "|")`)); got != "photo backup|ann||90|me.read" {
		t.Errorf("kept is %q", got)
	}
	p.fill("#password", servertest.AdminPassword)
	p.click("button")
	p.appears("#code")
	shown("Make an API key", "3-code")
	p.fill("#password", servertest.AdminPassword)
	p.fill("#code", totptest.Code(secret, w.clock.Now()))
	p.click("button")
	p.appears("#key")
	shown("Your API key", "4-made")
	key := p.ask(chromedp.Evaluate[string](`document.querySelector("#key").value`))
	if !w.opens(t, key) || !strings.Contains(p.text("pre"), key) {
		t.Errorf("the key %q does not open", key)
	}
	if cut := p.ask(chromedp.Evaluate[string](`key.scrollWidth > key.clientWidth || key.scrollHeight > key.clientHeight ? "cut" : ""`)); cut != "" {
		t.Error("the key is cut") // people who copy by hand must see all of it
	}
	p.visit(newKeyAt + "?scope=me.fly")
	shown("This did not work", "5-unknown")
}
