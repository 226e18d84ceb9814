package server_test

import (
	"net/http"
	"testing"
	"time"

	"latchkey/server/servertest"
)

// What only admins may do is given away by an admin who proved who they are
// within ten minutes: a login that somebody stole must not become an app's for
// months. What was given before is given again without a word.
func TestAdminScopesTakeAFreshProof(t *testing.T) {
	a := newApps(t)
	a.signIn("admin")
	query := wish(a.site, siteBack, "scope", "openid admin.user.delete")
	open := a.get(authorizeAt + "?" + query)
	if open.Status != http.StatusOK || headingOf(open.Text) != "Harbour asks for access" {
		t.Fatalf("fresh: %d %s", open.Status, open.Text)
	}
	a.clock.Advance(10 * time.Minute)
	for name, r := range map[string]servertest.Reply{
		"opening the page":            a.get(authorizeAt + "?" + query),
		"allowing on one opened then": a.decide(open.Text, "allow"),
	} {
		if to := answered(t, r); to.Path != confirmAs {
			t.Errorf("%s leads to %s", name, to)
		}
	}
	if r := a.get(authorizeAt + "?" + wish(a.site, siteBack)); headingOf(r.Text) != "Harbour asks for access" {
		t.Errorf("without such a scope: %d %s", r.Status, r.Text)
	}
	to := answered(t, a.get(authorizeAt+"?"+query))
	page := a.get(answered(t, a.post(confirmAs, "password", servertest.AdminPassword, "next", to.Query().Get("next"))).String())
	if to := answered(t, a.decide(page.Text, "allow")); to.Query().Get("code") == "" {
		t.Fatalf("proven, allowed: %s", to)
	}
	a.clock.Advance(time.Hour)
	if to := answered(t, a.get(authorizeAt+"?"+query)); to.Query().Get("code") == "" {
		t.Errorf("given before, an hour later: %s", to)
	}
}

// A device's grant is asked for anew each time.
func TestAdminScopesOfADeviceTakeAFreshProof(t *testing.T) {
	a := newApps(t)
	a.signIn("admin")
	a.clock.Advance(10*time.Minute - time.Second)
	device, code := a.startDeviceFor("admin.user.delete")
	page := a.post(deviceAt, "user_code", code)
	ticket := fieldOf(page.Text, "ticket")
	if ticket == "" {
		t.Fatalf("almost ten minutes after the proof: %d %s", page.Status, page.Text)
	}
	a.clock.Advance(time.Second)
	if to := answered(t, a.post(deviceAt, "user_code", code)); to.Path != confirmAs {
		t.Errorf("ten minutes after it the page leads to %s", to)
	}
	if r := a.post(deviceAt, "user_code", code, "ticket", ticket, "answer", "allow"); alertOf(r.Text) != "Recent sign-in required." {
		t.Errorf("allowed then: %d %s", r.Status, r.Text)
	}
	if r := a.poll(device); r.Status == http.StatusOK {
		t.Errorf("the device is let in: %s", r.Text)
	}
}
