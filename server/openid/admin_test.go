package openid_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

const (
	apps   = "/api/v4/admin/oauthClient"
	scopes = "/api/v4/admin/oauthScope"
)

type object = map[string]any

// open is a server with a clock, and a fresh admin.
func open(t *testing.T) (*servertest.Server, *servertest.Clock, string) {
	t.Helper()
	clock := servertest.NewClock()
	s := servertest.Open(t, func(_ *config.Config, o *server.Options) { o.Now = clock.Now })
	return s, clock, s.Admin(t, "desk").Token
}

// wants sends a request that must be answered with the code, in HTTP status 200.
func wants(t *testing.T, s *servertest.Server, r servertest.Request, code int) servertest.Reply {
	t.Helper()
	reply := s.Do(t, r)
	if reply.Status != http.StatusOK || reply.Code != code || (code == 0) != (reply.Message == "") {
		t.Errorf("%s %s: %d %s, want code %d", r.Method, r.Path, reply.Status, reply.Text, code)
	}
	return reply
}

func register(t *testing.T, s *servertest.Server, token string, body object) (id, text string) {
	t.Helper()
	var made struct {
		App          struct{ ID string }
		ClientSecret string `json:"client_secret"`
	}
	reply := wants(t, s, servertest.Request{Path: apps, Token: token, Body: body}, 0)
	reply.Into(t, &made)
	if reply.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an answer with a secret may be stored: %q", reply.Header.Get("Cache-Control"))
	}
	return made.App.ID, made.ClientSecret
}

// changes are the requests that change what is registered.
func changes(id string) []servertest.Request {
	return []servertest.Request{
		{Path: apps, Body: object{"name": "mole"}},
		{Method: http.MethodPut, Path: apps + "/" + id, Body: object{"name": "mole", "redirect_uris": []string{"https://evil.example"}}},
		{Method: http.MethodPost, Path: apps + "/" + id + "/secret"},
		{Path: scopes, Body: object{"name": "Files.Write", "description": "x"}},
		{Method: http.MethodDelete, Path: scopes + "?name=Files.Read"},
		{Method: http.MethodDelete, Path: apps + "/" + id},
	}
}

// Only an admin who signed in just now registers, changes and deletes; admins
// read.
func TestWhoMayLookAfterApps(t *testing.T) {
	s, clock, admin := open(t)
	s.AddUser(t, "ann")
	ann := s.SignIn(t, "ann", servertest.AdminPassword, "").Token
	wants(t, s, servertest.Request{Path: scopes, Token: admin, Body: object{"name": "Files.Read", "description": "Read your files"}}, 0)
	id, _ := register(t, s, admin, object{"name": "Photos", "confidential": true})
	clock.Advance(10 * time.Minute)
	reads := []servertest.Request{{Path: apps}, {Path: apps + "/" + id}, {Path: scopes}}
	for who, tt := range map[string]struct {
		token        string
		read, change int
	}{
		"nobody":             {"", 401, 401},
		"a dead token":       {"nonsense", 401, 401},
		"somebody":           {ann, 403, 403},
		"the static token":   {s.App.AdminToken(), 0, 403},
		"an admin of before": {admin, 0, 403},
	} {
		t.Run(who, func(t *testing.T) {
			for _, r := range reads {
				r.Token = tt.token
				wants(t, s, r, tt.read)
			}
			for _, r := range changes(id) {
				r.Token = tt.token
				reply := wants(t, s, r, tt.change)
				if tt.read == 0 && reply.Message != "Recent sign-in required" {
					t.Errorf("%s %s: %s", r.Method, r.Path, reply.Message)
				}
			}
		})
	}
	fresh := s.Admin(t, "desk").Token
	for _, r := range changes(id) {
		r.Token = fresh
		wants(t, s, r, 0)
	}
}

// With the guest let in, a route for those who are signed in is none for it.
func TestGuestsAreToldToSignIn(t *testing.T) {
	s, _, _ := open(t)
	guest, err := s.App.Accounts.ForSignIn(t.Context(), "guest")
	if err != nil {
		t.Fatal(err)
	}
	for _, disabled := range []bool{true, false} {
		if err := s.App.Accounts.SetDisabled(t.Context(), guest.Key, disabled); err != nil {
			t.Fatal(err)
		}
		if reply := wants(t, s, servertest.Request{Path: apps}, 401); reply.Message != "Login required" {
			t.Errorf("guests disabled is %t: %q", disabled, reply.Message)
		}
	}
}

func TestSecretsAreShownOnce(t *testing.T) {
	s, clock, admin := open(t)
	id, first := register(t, s, admin, object{"name": "Photos", "confidential": true})
	one := apps + "/" + id
	rotated := func(body any) string {
		t.Helper()
		var made struct {
			ClientSecret string `json:"client_secret"`
		}
		reply := wants(t, s, servertest.Request{Method: http.MethodPost, Path: one + "/secret", Token: admin, Body: body}, 0)
		reply.Into(t, &made)
		if reply.Header.Get("Cache-Control") != "no-store" {
			t.Error("an answer with a secret may be stored")
		}
		return made.ClientSecret
	}
	second := rotated(object{"overlap_seconds": 3600})
	for text, name := range map[string]string{first: "the first", second: "the second"} {
		if _, err := s.App.Apps.Authenticate(t.Context(), id, text); err != nil || !strings.HasPrefix(text, "lkc_") {
			t.Errorf("%s secret %q: %v", name, text, err)
		}
	}
	clock.Advance(time.Minute)
	for _, r := range []servertest.Request{
		{Path: apps},
		{Path: one},
		{Method: http.MethodPut, Path: one, Body: object{"name": "New"}},
	} {
		r.Token = admin
		if text := wants(t, s, r, 0).Text; strings.Contains(text, "lkc_") || strings.Contains(text, "hash") {
			t.Errorf("%s %s shows a secret: %s", r.Method, r.Path, text)
		}
	}
	third := rotated(nil)
	if _, err := s.App.Apps.Authenticate(t.Context(), id, second); err == nil {
		t.Error("the secret before counts without an overlap")
	}
	if _, err := s.App.Apps.Authenticate(t.Context(), id, third); err != nil {
		t.Error(err)
	}
	if got := rotated(object{"client_secret": "correct-horse-battery-staple-0123456789"}); got != "correct-horse-battery-staple-0123456789" {
		t.Errorf("a supplied secret became %q", got)
	}
	for _, body := range []any{object{"overlap_seconds": 86401}, object{"overlap_seconds": -1}, object{"overlap_seconds": "1"}, object{"client_secret": "weak"}, "[]", `{"overlap_seconds":1}{}`} {
		wants(t, s, servertest.Request{Method: http.MethodPost, Path: one + "/secret", Token: admin, Body: body}, 40001)
	}
	public, none := register(t, s, admin, object{"name": "CLI"})
	if none != "" {
		t.Errorf("a public app has the secret %q", none)
	}
	wants(t, s, servertest.Request{Method: http.MethodPost, Path: apps + "/" + public + "/secret", Token: admin}, 40001)
}

func TestRefusalsHaveTheirCodes(t *testing.T) {
	s, _, admin := open(t)
	id, _ := register(t, s, admin, object{"name": "Photos", "client_id": "393a1839-f52e-498e-9972-e77cc2241eee", "scopes": []string{"openid"}})
	wants(t, s, servertest.Request{Path: scopes, Token: admin, Body: object{"name": "Files.Read", "description": "Read your files"}}, 0)
	wants(t, s, servertest.Request{Method: http.MethodPut, Path: apps + "/" + id, Token: admin, Body: object{"scopes": []string{"Files.Read"}}}, 0)
	for name, tt := range map[string]struct {
		r    servertest.Request
		code int
		msg  string
	}{
		"a taken id":      {servertest.Request{Path: apps, Body: object{"name": "x", "client_id": id}}, 409, "registered already"},
		"no name":         {servertest.Request{Path: apps, Body: object{}}, 40001, "name"},
		"a bad redirect":  {servertest.Request{Path: apps, Body: object{"name": "x", "redirect_uris": []string{"http://x.example"}}}, 40001, "redirect URI 1: http is for 127.0.0.1"},
		"everything":      {servertest.Request{Path: apps, Body: object{"name": "x", "scopes": []string{"all"}}}, 40001, "may not ask for all"},
		"no PKCE":         {servertest.Request{Path: apps, Body: object{"name": "x", "pkce_required": false}}, 40001, "PKCE"},
		"no change":       {servertest.Request{Method: http.MethodPut, Path: apps + "/" + id, Body: object{}}, 40001, "at least one field"},
		"another kind":    {servertest.Request{Method: http.MethodPut, Path: apps + "/" + id, Body: object{"confidential": true}}, 40001, "cannot be changed"},
		"nobody":          {servertest.Request{Path: apps + "/x"}, 404, "No such app"},
		"nobody, changed": {servertest.Request{Method: http.MethodPut, Path: apps + "/x", Body: object{"name": "x"}}, 404, "No such app"},
		"a held scope":    {servertest.Request{Method: http.MethodDelete, Path: scopes + "?name=Files.Read"}, 409, "may still ask"},
		"an unknown one":  {servertest.Request{Method: http.MethodDelete, Path: scopes + "?name=x"}, 404, "No such scope"},
		"none":            {servertest.Request{Method: http.MethodDelete, Path: scopes}, 404, "No such scope"},
		"one of ours":     {servertest.Request{Path: scopes, Body: object{"name": "Me.Read", "description": "x"}}, 40001, "for the server itself"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.r.Token = admin
			if reply := wants(t, s, tt.r, tt.code); !strings.Contains(reply.Message, tt.msg) || string(reply.Data) != "null" {
				t.Errorf("%s, want %q", reply.Text, tt.msg)
			}
		})
	}
}

func TestAppsAreListedInPages(t *testing.T) {
	s, clock, admin := open(t)
	var want []string
	for range 3 {
		id, _ := register(t, s, admin, object{"name": "x"})
		want = append(want, id)
		clock.Advance(time.Second)
	}
	for query, ids := range map[string][]string{"": want, "?page=2&per_page=2": want[2:], "?page=9": nil} {
		var page struct {
			Content []struct{ ID string }
			Total   int
		}
		wants(t, s, servertest.Request{Path: apps + query, Token: admin}, 0).Into(t, &page)
		if page.Total != 3 || len(page.Content) != len(ids) {
			t.Fatalf("%q: %d of %d", query, len(page.Content), page.Total)
		}
		for i, id := range ids {
			if page.Content[i].ID != id {
				t.Errorf("%q: %s at %d, want %s", query, page.Content[i].ID, i, id)
			}
		}
	}
}
