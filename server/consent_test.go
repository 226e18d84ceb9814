package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/client"
)

const (
	authorizeAt = "/session/authorize"
	deviceAt    = "/session/device"
	callback    = "http://127.0.0.1:8400/callback"
	siteBack    = "https://app.example.org/callback?from=latchkey"
	verifier    = "a-verifier-that-is-long-enough-for-rfc-7636-0123"
)

// asksForAccess is a server with apps, and a browser before it.
type asksForAccess struct {
	*surfer

	clock  *servertest.Clock
	native model.OAuthClient // public, on this machine
	site   model.OAuthClient // confidential
}

func newApps(t *testing.T) *asksForAccess {
	t.Helper()
	b, clock := browse(t, func(c *config.Config, _ *server.Options) { c.SiteURL = "http://example.com" })
	a := &asksForAccess{surfer: b, clock: clock}
	scopes := []string{"openid", "profile", "offline_access", "me.read", "session.evict", "admin.user.delete"}
	a.native = a.register(client.Registration{Name: "Tide Notes", RedirectURIs: []string{"http://127.0.0.1/callback", "org.example.tide:/back"}, Scopes: scopes})
	a.site = a.register(client.Registration{Name: "Harbour", Homepage: "https://app.example.org/about", RedirectURIs: []string{siteBack}, Scopes: scopes, Confidential: true})
	return a
}

func (a *asksForAccess) register(r client.Registration) model.OAuthClient {
	a.t.Helper()
	c, _, err := a.App.Apps.Register(a.t.Context(), r)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// wish is a request for access.
func wish(c model.OAuthClient, back string, pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	values := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {back}, "scope": {"openid me.read"}, "state": {"a state&more"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// decide answers the page.
func (a *asksForAccess) decide(page, answer string) servertest.Reply {
	a.t.Helper()
	return a.post(authorizeAt, "request", fieldOf(page, "request"), "ticket", fieldOf(page, "ticket"), "answer", answer)
}

// answered is where a page, or a redirect, leads.
func answered(t *testing.T, r servertest.Reply) *url.URL {
	t.Helper()
	to := r.Header.Get("Location")
	if r.Status == http.StatusOK {
		to = strings.TrimPrefix(r.Header.Get("Refresh"), "0; url=")
		if page := html.UnescapeString(r.Text); !strings.Contains(page, `<a href="`+to+`">`) {
			t.Errorf("no link to %q on %s", to, r.Text)
		}
	}
	u, err := url.Parse(to)
	if err != nil || to == "" {
		t.Fatalf("leads nowhere: %d %v %s", r.Status, r.Header, r.Text)
	}
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", r.Header.Get("Cache-Control"))
	}
	return u
}

func TestConsentGivesTheAppItsCode(t *testing.T) {
	a := newApps(t)
	query := wish(a.site, siteBack, "scope", "openid offline_access session.evict", "login_hint", "alice")
	r := a.get(authorizeAt + "?" + query)
	to := answered(t, r)
	if to.Path != signInAt || to.Query().Get("name") != "alice" || !strings.HasPrefix(to.Query().Get("next"), authorizeAt+"?") {
		t.Fatalf("nobody goes to %s", to)
	}
	if r = a.post(signInAt, "username", "alice", "password", servertest.AdminPassword, "next", to.Query().Get("next")); answered(t, r).Path != authorizeAt {
		t.Fatalf("signing in leads to %d %v", r.Status, r.Header)
	}
	page := a.get(answered(t, r).String()).Text
	for _, want := range []string{
		"Harbour asks for access", ">H</span>", "app.example.org</p>", "<strong>alice</strong>", "Sign out your devices", `<span class="mark">changes things</span>`,
		"90 days", "<strong>app.example.org</strong>", "stand among your devices", `value="allow"`, `value="deny"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<img") || strings.Contains(page, "Any program on this device") {
		t.Errorf("the page is %s", page)
	}
	back := answered(t, a.decide(page, "allow"))
	if q := back.Query(); back.Host != "app.example.org" || q.Get("code") == "" || q.Get("state") != "a state&more" || q.Get("iss") != "http://example.com" || q.Get("from") != "latchkey" {
		t.Fatalf("the app is answered at %s", back)
	}
	if r := a.get(authorizeAt + "?" + query); r.Status != http.StatusSeeOther || answered(t, r).Query().Get("code") == "" {
		t.Errorf("asked a second time: %d", r.Status)
	}
	if r := a.get(authorizeAt + "?" + wish(a.site, siteBack, "scope", "openid me.read")); r.Status != http.StatusOK {
		t.Errorf("more is not asked about: %d", r.Status)
	}
	if r := a.get(authorizeAt + "?" + query + "&prompt=consent"); r.Status != http.StatusOK {
		t.Errorf("prompt=consent: %d", r.Status)
	}
}

func TestConsentThatIsDenied(t *testing.T) {
	a := newApps(t)
	a.signIn("alice")
	for _, back := range []string{callback, "org.example.tide:/back"} {
		page := a.get(authorizeAt + "?" + wish(a.native, back)).Text
		if !strings.Contains(page, "Any program on this device can say that it is Tide Notes") || !strings.Contains(page, ">TN</span>") {
			t.Errorf("the page is %s", page)
		}
		to := answered(t, a.decide(page, "deny"))
		if q := to.Query(); !strings.HasPrefix(to.String(), back+"?") || q.Get("error") != "access_denied" || q.Get("state") != "a state&more" || q.Get("iss") == "" || q.Has("code") {
			t.Errorf("denied: %s", to)
		}
		if to := answered(t, a.decide(page, "allow")); to.Query().Get("code") == "" { // a change of mind, of the same login
			t.Errorf("allowed: %s", to)
		}
	}
}

// O-01: what is wrong with the app is a page. All else the app is told.
func TestConsentErrors(t *testing.T) {
	a := newApps(t)
	for what, query := range map[string]string{
		"no app": "", "unknown app": wish(model.OAuthClient{ID: strings.Repeat("0", 32)}, callback), "unknown address": wish(a.native, "https://evil.example/cb"),
		"another port of a site": wish(a.site, "https://app.example.org:8443/callback?from=latchkey"), "two addresses": wish(a.native, callback) + "&redirect_uri=https://evil.example",
		"broken": "client_id=%zz", "a script": wish(a.native, "javascript:alert(1)"), "no address": wish(a.native, ""),
	} {
		for method, r := range map[string]servertest.Reply{"GET": a.get(authorizeAt + "?" + query), "POST": a.post(authorizeAt, "request", query, "answer", "allow", "ticket", "x")} {
			if r.Status != http.StatusBadRequest || r.Header.Get("Location") != "" || r.Header.Get("Refresh") != "" || headingOf(r.Text) == "" || strings.Contains(r.Text, "evil.example") {
				t.Errorf("%s, %s: %d %s", what, method, r.Status, r.Text)
			}
		}
	}
	for code, query := range map[string]string{
		"invalid_scope": wish(a.native, callback, "scope", "nonsense"), "unsupported_response_type": wish(a.native, callback, "response_type", "token"),
		"invalid_request": wish(a.native, callback, "code_challenge_method", "plain"), "login_required": wish(a.native, callback, "prompt", "none"),
	} {
		to := answered(t, a.get(authorizeAt+"?"+query))
		if q := to.Query(); to.Host != "127.0.0.1:8400" || q.Get("error") != code || q.Get("iss") == "" || q.Get("state") == "" {
			t.Errorf("%s: %s", code, to)
		}
	}
	a.signIn("alice")
	for code, query := range map[string]string{
		"consent_required": wish(a.native, callback, "prompt", "none"), "access_denied": wish(a.native, callback, "scope", "admin.user.delete"),
	} {
		r := a.get(authorizeAt + "?" + query)
		if r.Status == http.StatusOK {
			if !strings.Contains(r.Text, "changes things for everybody") {
				t.Errorf("no mark on %s", r.Text)
			}
			r = a.decide(r.Text, "allow")
		}
		if to := answered(t, r); to.Query().Get("error") != code {
			t.Errorf("%s: %s", code, to)
		}
	}
}

// prompt=login and max_age have whoever is there prove it, and then ask.
func TestConsentWantsAFreshSignIn(t *testing.T) {
	for _, pairs := range [][]string{{"prompt", "login"}, {"prompt", "login consent"}, {"max_age", "0"}, {"max_age", "60"}} {
		a := newApps(t)
		a.signIn("alice")
		a.clock.Advance(2 * time.Minute)
		to := answered(t, a.get(authorizeAt+"?"+wish(a.native, callback, pairs...)))
		if to.Path != confirmAs {
			t.Fatalf("%v leads to %s", pairs, to)
		}
		r := a.post(confirmAs, "password", servertest.AdminPassword, "next", to.Query().Get("next"))
		page := a.get(answered(t, r).String())
		if page.Status != http.StatusOK || headingOf(page.Text) != "Tide Notes asks for access" {
			t.Fatalf("%v, confirmed: %d %s", pairs, page.Status, page.Text)
		}
		if to := answered(t, a.decide(page.Text, "allow")); to.Query().Get("code") == "" {
			t.Errorf("%v, allowed: %s", pairs, to)
		}
		a.clock.Advance(time.Minute)
		if r := a.get(authorizeAt + "?" + wish(a.native, callback, "prompt", "none", "max_age", "0")); answered(t, r).Query().Get("error") != "login_required" {
			t.Errorf("prompt=none: %s", answered(t, r))
		}
	}
}

// O-10: a yes counts only from the page, for what the page showed, by who was
// shown it, and for half an hour.
func TestConsentCannotBeForged(t *testing.T) {
	a := newApps(t)
	a.AddUser(t, "carol")
	a.signIn("alice")
	query := wish(a.native, callback)
	page := a.get(authorizeAt + "?" + query).Text
	request, ticket := fieldOf(page, "request"), fieldOf(page, "ticket")
	if request != query || ticket == "" {
		t.Fatalf("the form is %s", page)
	}
	asked := func(what string, r servertest.Reply) {
		t.Helper()
		if r.Status != http.StatusBadRequest || r.Header.Get("Refresh") != "" || !strings.Contains(alertOf(r.Text), "decide again") {
			t.Errorf("%s: %d %s", what, r.Status, r.Text)
		}
	}
	asked("no ticket", a.post(authorizeAt, "request", request, "answer", "allow"))
	asked("no ticket, no", a.post(authorizeAt, "request", request, "answer", "deny"))
	asked("a changed ticket", a.post(authorizeAt, "request", request, "ticket", ticket[:len(ticket)-2]+"AA", "answer", "allow"))
	asked("more scopes", a.post(authorizeAt, "request", wish(a.native, callback, "scope", "openid me.read session.evict"), "ticket", ticket, "answer", "allow"))
	asked("another app", a.post(authorizeAt, "request", wish(a.site, siteBack), "ticket", ticket, "answer", "allow"))
	asked("another word", a.post(authorizeAt, "request", request, "ticket", ticket, "answer", "perhaps"))
	asked("no word", a.post(authorizeAt, "request", request, "ticket", ticket))
	if r := a.send(servertest.Request{
		Path: authorizeAt, Header: map[string]string{"Content-Type": formMedia, "Origin": "https://evil.example"},
		Body: url.Values{"request": {request}, "ticket": {ticket}, "answer": {"allow"}}.Encode(),
	}); r.Status != http.StatusForbidden {
		t.Errorf("another site's form: %d", r.Status)
	}
	other := &asksForAccess{surfer: surf(t, a.Server)}
	other.signIn("carol")
	asked("somebody else", other.post(authorizeAt, "request", request, "ticket", ticket, "answer", "allow"))
	if to := answered(t, surf(t, a.Server).post(authorizeAt, "request", request, "ticket", ticket, "answer", "allow")); to.Path != signInAt {
		t.Errorf("nobody: %s", to)
	}
	a.clock.Advance(30 * time.Minute)
	asked("too late", a.post(authorizeAt, "request", request, "ticket", ticket, "answer", "allow"))
	a.post(signOutAt)
	a.signIn("alice")
	asked("another login", a.post(authorizeAt, "request", request, "ticket", ticket, "answer", "allow"))
}

func TestConsentOfWhoMustEnrol(t *testing.T) {
	a := newApps(t)
	require(t, a.Server, model.RoleAdmin)
	a.signIn("admin")
	if r := a.get(authorizeAt + "?" + wish(a.native, callback)); r.Status != http.StatusForbidden || headingOf(r.Text) != "A second factor comes first" {
		t.Errorf("%d %s", r.Status, r.Text)
	}
	if to := answered(t, a.get(authorizeAt+"?"+wish(a.native, callback, "prompt", "none"))); to.Query().Get("error") != "interaction_required" {
		t.Errorf("prompt=none: %s", to)
	}
	if r := a.get(deviceAt); r.Status != http.StatusForbidden {
		t.Errorf("device: %d", r.Status)
	}
}

// A password change between the page and the answer ends it.
func TestConsentAfterThePasswordChanged(t *testing.T) {
	a := newApps(t)
	a.signIn("alice")
	page := a.get(authorizeAt + "?" + wish(a.native, callback)).Text
	if err := a.App.Profile.SetPassword(t.Context(), a.Key(t, "alice"), newPassword); err != nil {
		t.Fatal(err)
	}
	if to := answered(t, a.decide(page, "allow")); to.Path != signInAt {
		t.Errorf("it leads to %s", to)
	}
}
