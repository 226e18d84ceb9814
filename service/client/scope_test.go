package client_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/client"
)

// down is a storage that is gone.
type down struct{ client.Store }

func (down) OAuthClient(context.Context, string) (model.OAuthClient, error) {
	return model.OAuthClient{}, model.ErrUnavailable
}

func (down) OAuthScopes(context.Context) ([]model.OAuthScope, error) {
	return nil, model.ErrUnavailable
}

// O-08: an unknown scope, and one that the app may not ask for, are refused and
// never dropped.
func TestCheckScopes(t *testing.T) {
	h := newHouse()
	if err := h.Declare(t.Context(), "Files.Read", "Read your files"); err != nil {
		t.Fatal(err)
	}
	r := website()
	r.Scopes = []string{"openid", "profile", "me.read", "Files.Read"}
	c, _ := h.register(t, r)
	for name, tt := range map[string]struct {
		asked, want []string
	}{
		"one":          {[]string{"openid"}, []string{"openid"}},
		"in order":     {[]string{"profile", "me.read", "openid"}, []string{"profile", "me.read", "openid"}},
		"twice":        {[]string{"openid", "profile", "openid"}, []string{"openid", "profile"}},
		"declared":     {[]string{"Files.Read"}, []string{"Files.Read"}},
		"none":         {nil, []string{"Files.Read", "me.read", "openid", "profile"}},
		"not allowed":  {[]string{"openid", "email"}, nil},
		"unknown":      {[]string{"openid", "nothing.ever"}, nil},
		"other case":   {[]string{"OpenID"}, nil},
		"declared, no": {[]string{"files.read"}, nil},
		"everything":   {[]string{"all"}, nil},
		"empty":        {[]string{""}, nil},
		"a list":       {[]string{"openid profile"}, nil},
		"first party":  {[]string{string(access.FirstParty)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := h.CheckScopes(c, tt.asked)
			if tt.want == nil {
				wants(t, "CheckScopes", err, client.ErrScope)
			} else if err != nil {
				t.Errorf("CheckScopes = %v", err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("CheckScopes = %q, want %q", got, tt.want)
			}
		})
	}
	c.Scopes = append(c.Scopes, "all") // even where a row says so
	_, err := h.CheckScopes(c, []string{"all"})
	wants(t, "all", err, client.ErrScope)
	_, err = h.CheckScopes(c, []string{strings.Repeat("x\n", 1000)})
	if err == nil || strings.Contains(err.Error(), "\n") || len(err.Error()) > 200 {
		t.Errorf("a refusal repeats too much: %v", err)
	}
}

func TestEveryScopeHasWords(t *testing.T) {
	h := newHouse()
	if err := h.Declare(t.Context(), "Files.Read", "Read your files"); err != nil {
		t.Fatal(err)
	}
	all, err := h.Scopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		if names = append(names, s.Name); s.Text == "" || s.Name == "all" {
			t.Errorf("the scope %+v", s)
		}
	}
	if len(all) != 4+len(access.Vocabulary())-1+1 {
		t.Errorf("%d scopes", len(all))
	}
	got, err := h.Describe(t.Context(), []string{"Files.Read", "openid", "me.read", "who.knows"})
	want := []client.ScopeText{
		{Name: "Files.Read", Text: "Read your files"},
		{Name: "openid", Text: "Know that you are you"},
		{Name: "me.read", Text: "See your account: name, roles, folders and rights"},
		{Name: "who.knows", Text: "who.knows"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Describe = %v, %v", got, err)
	}
	r := website()
	r.Scopes = names
	h.register(t, r) // each of them can be allowed
	gone := client.New(client.Deps{Store: down{}})
	_, err = gone.Describe(t.Context(), names)
	wants(t, "Describe", err, model.ErrUnavailable)
}

func TestDeclare(t *testing.T) {
	h := newHouse()
	for _, name := range []string{"Files.Read", "x", "urn:example/read-all_1", strings.Repeat("x", 64), "All-files", "email.send.x/y", "mailbox"} {
		if name == "email.send.x/y" { // begins like one of OpenID Connect's
			wants(t, name, h.Declare(t.Context(), name, "x"), client.ErrScopeReserved)
			continue
		}
		if err := h.Declare(t.Context(), name, "Something"); err != nil {
			t.Errorf("Declare(%q) = %v", name, err)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 65), "a b", "a\"b", `a\b`, "a\n", "ä", "a,b", "a+b", "a?"} {
		wants(t, name, h.Declare(t.Context(), name, "x"), client.ErrScopeName)
	}
	for _, name := range []string{
		"openid", "OpenID", "offline_access", "all", "ALL", "all.files", "me.read", "Me.Read", "me.everything", "me",
		"admin.oauth.read", "admin.new", "Admin.User.Read", "session.create", "apikey.create", "address", "phone",
	} {
		wants(t, name, h.Declare(t.Context(), name, "x"), client.ErrScopeReserved)
	}
	for _, text := range []string{"", " ", "a\nb", "a\u202eb", strings.Repeat("x", 201)} {
		wants(t, text, h.Declare(t.Context(), "Files.Write", text), client.ErrScopeText)
	}
	if err := h.Declare(t.Context(), "Files.Read", "In other words"); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Describe(t.Context(), []string{"Files.Read"}); err != nil || got[0].Text != "In other words" {
		t.Errorf("Describe = %v, %v", got, err)
	}
}

// A scope of the same name that is declared later does not inherit what was
// given to another.
func TestWithdrawnScopesAreHeldByNobody(t *testing.T) {
	h := newHouse()
	if err := h.Declare(t.Context(), "Files.Read", "Read your files"); err != nil {
		t.Fatal(err)
	}
	r := website()
	r.Scopes = []string{"Files.Read", "openid"}
	c, _ := h.register(t, r)
	wants(t, "Withdraw", h.Withdraw(t.Context(), "Files.Read"), client.ErrScopeHeld)
	if _, err := h.Update(t.Context(), c.ID, client.Edit{Scopes: new([]string{"openid"})}); err != nil {
		t.Fatal(err)
	}
	if err := h.Withdraw(t.Context(), "Files.Read"); err != nil {
		t.Fatal(err)
	}
	wants(t, "Withdraw again", h.Withdraw(t.Context(), "Files.Read"), client.ErrScopeUnknown)
	wants(t, "Withdraw one of ours", h.Withdraw(t.Context(), "me.read"), client.ErrScopeUnknown)
	_, err := h.Update(t.Context(), c.ID, client.Edit{Scopes: new([]string{"Files.Read"})})
	wants(t, "an app with it", err, client.ErrScopes)
}
