package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/client"
	"latchkey/service/racetest"
)

func TestRegisteredAppIsFound(t *testing.T) {
	h := newHouse()
	c, text := h.register(t, website())
	if len(c.ID) != 32 || !strings.HasPrefix(text, "lkc_") || c.RefreshTTL != 7776000 || !c.PKCERequired || c.Disabled || !c.CreatedAt.Equal(start) {
		t.Errorf("registered %+v with %q", c, text)
	}
	for name, find := range map[string]func() (model.OAuthClient, error){
		"Get":          func() (model.OAuthClient, error) { return h.Get(t.Context(), c.ID) },
		"Find":         func() (model.OAuthClient, error) { return h.Find(t.Context(), c.ID) },
		"Authenticate": func() (model.OAuthClient, error) { return h.Authenticate(t.Context(), c.ID, text) },
	} {
		got, err := find()
		if diff := cmp.Diff(c, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if strings.Contains(fmt.Sprintf("%+v", c), text) {
		t.Error("the row holds the secret")
	}
	public, none := h.register(t, program())
	if none != "" || public.SecretHash != "" {
		t.Error("a public app has a secret")
	}
	list, total, err := h.List(t.Context(), 1, 0)
	if err != nil || total != 2 || len(list) != 2 {
		t.Errorf("List = %v of %d, %v", list, total, err)
	}
	for _, page := range []int{-1, 2, 1 << 60} {
		if _, total, err := h.List(t.Context(), page, 1); err != nil || total != 2 {
			t.Errorf("page %d = %d in all, %v", page, total, err)
		}
	}
}

func TestWishedIDsAreTaken(t *testing.T) {
	h := newHouse()
	for _, id := range []string{"393a1839-f52e-498e-9972-e77cc2241eee", strings.Repeat("0a", 16)} {
		r := program()
		r.ID = id
		if c, _ := h.register(t, r); c.ID != id {
			t.Errorf("the app %s has the id %s", id, c.ID)
		}
		_, _, err := h.Register(t.Context(), r)
		wants(t, "the same id again", err, client.ErrTaken)
	}
	for _, id := range []string{"x", strings.Repeat("0A", 16), strings.Repeat("0a", 17), "393a1839-f52e-498e-9972-e77cc2241ee", "393a1839-f52e-498e-9972_e77cc2241eee", strings.Repeat("-", 36), strings.Repeat("g", 32)} {
		r := program()
		r.ID = id
		_, _, err := h.Register(t.Context(), r)
		wants(t, id, err, client.ErrID)
		_, err = h.Get(t.Context(), id)
		wants(t, "Get "+id, err, client.ErrUnknown)
	}
}

func TestAppsThatCannotBeRegistered(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(r *client.Registration)
		want  error
	}{
		"no name":                    {func(r *client.Registration) { r.Name = "" }, client.ErrName},
		"a blank name":               {func(r *client.Registration) { r.Name = " " }, client.ErrName},
		"a name of two lines":        {func(r *client.Registration) { r.Name = "a\nb" }, client.ErrName},
		"a name that turns round":    {func(r *client.Registration) { r.Name = "a\u202eb" }, client.ErrName},
		"an invisible name":          {func(r *client.Registration) { r.Name = "\u200b" }, client.ErrName},
		"broken text":                {func(r *client.Registration) { r.Name = "a\xff" }, client.ErrName},
		"65 characters":              {func(r *client.Registration) { r.Name = strings.Repeat("ä", 65) }, client.ErrName},
		"an icon by http":            {func(r *client.Registration) { r.Icon = "http://x.example/i.png" }, client.ErrIcon},
		"an icon that is data":       {func(r *client.Registration) { r.Icon = "data:image/png;base64,xx" }, client.ErrIcon},
		"an icon that is script":     {func(r *client.Registration) { r.Icon = "javascript:alert(1)" }, client.ErrIcon},
		"an icon of half a name":     {func(r *client.Registration) { r.Icon = "mdi:" }, client.ErrIcon},
		"an icon with a user":        {func(r *client.Registration) { r.Icon = "https://a@x.example/i" }, client.ErrIcon},
		"a homepage that is script":  {func(r *client.Registration) { r.Homepage = "javascript:alert(1)//https://x" }, client.ErrHomepage},
		"a homepage without a host":  {func(r *client.Registration) { r.Homepage = "https://" }, client.ErrHomepage},
		"a homepage of two lines":    {func(r *client.Registration) { r.Homepage = "https://x\n" }, client.ErrHomepage},
		"public without PKCE":        {func(r *client.Registration) { r.Confidential, r.WithoutPKCE = false, true }, client.ErrPKCE},
		"public with a secret":       {func(r *client.Registration) { r.Confidential, r.Secret = false, suppliedSecret }, client.ErrNoSecret},
		"tokens that live too short": {func(r *client.Registration) { r.RefreshTTL = 3599 }, client.ErrRefreshTTL},
		"tokens that live too long":  {func(r *client.Registration) { r.RefreshTTL = 31536001 }, client.ErrRefreshTTL},
		"tokens that never live":     {func(r *client.Registration) { r.RefreshTTL = -1 << 63 }, client.ErrRefreshTTL},
		"everything":                 {func(r *client.Registration) { r.Scopes = []string{"openid", "all"} }, client.ErrScopes},
		"an unknown scope":           {func(r *client.Registration) { r.Scopes = []string{"Files.Read"} }, client.ErrScopes},
		"what takes the owner":       {func(r *client.Registration) { r.Scopes = []string{"(first party)"} }, client.ErrScopes},
		"two scopes in one":          {func(r *client.Registration) { r.Scopes = []string{"openid profile"} }, client.ErrScopes},
		"an empty scope":             {func(r *client.Registration) { r.Scopes = []string{""} }, client.ErrScopes},
		"a short secret":             {func(r *client.Registration) { r.Secret = suppliedSecret[:31] }, client.ErrSecret},
		"a long secret":              {func(r *client.Registration) { r.Secret = strings.Repeat(suppliedSecret, 7) }, client.ErrSecret},
		"a monotonous secret":        {func(r *client.Registration) { r.Secret = strings.Repeat("123456789", 4) }, client.ErrSecret},
		"a secret with a blank":      {func(r *client.Registration) { r.Secret = suppliedSecret + " x" }, client.ErrSecret},
		"a secret beyond ASCII":      {func(r *client.Registration) { r.Secret = suppliedSecret + "é" }, client.ErrSecret},
	} {
		t.Run(name, func(t *testing.T) {
			h, r := newHouse(), website()
			tt.spoil(&r)
			_, text, err := h.Register(t.Context(), r)
			wants(t, "Register", err, tt.want)
			if text != "" || len(h.kinds) > 0 {
				t.Errorf("a refusal gave the secret %q and the events %v", text, h.kinds)
			}
			if _, total, _ := h.List(t.Context(), 1, 0); total != 0 {
				t.Error("it is registered all the same")
			}
		})
	}
}

func TestUpdateChangesWhatItNames(t *testing.T) {
	h := newHouse()
	c, text := h.register(t, website())
	h.now = h.now.Add(1e9)
	want := c
	want.Name, want.Revision, want.UpdatedAt = "Pictures", 1, model.At(h.now)
	got, err := h.Update(t.Context(), c.ID, client.Edit{Name: new("Pictures"), Confidential: new(true)})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Update: %v (-want +got):\n%s", err, diff)
	}
	all := client.Edit{
		Icon: new(""), Homepage: new("http://nas/"), RedirectURIs: new([]string{}), Scopes: new([]string{"profile", "openid", "openid"}),
		PKCERequired: new(false), RefreshTTL: new(int64(3600)),
	}
	want.Icon, want.Homepage, want.RedirectURIs, want.Scopes = "", "http://nas/", model.TextList{}, model.TextList{"openid", "profile"}
	want.PKCERequired, want.RefreshTTL, want.Revision = false, 3600, 2
	got, err = h.Update(t.Context(), c.ID, all)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Update: %v (-want +got):\n%s", err, diff)
	}
	if _, err := h.Authenticate(t.Context(), c.ID, text); err != nil {
		t.Errorf("the secret after an update: %v", err)
	}
	for want, e := range map[error]client.Edit{
		client.ErrKind: {Confidential: new(false)}, client.ErrName: {Name: new("")}, client.ErrScopes: {Scopes: new([]string{"all"})},
		client.ErrRedirect: {RedirectURIs: new([]string{"http://app.example"})}, client.ErrRefreshTTL: {RefreshTTL: new(int64(0))},
	} {
		_, err := h.Update(t.Context(), c.ID, e)
		wants(t, "Update", err, want)
	}
	_, err = h.Update(t.Context(), strings.Repeat("0", 32), all)
	wants(t, "Update of nobody", err, client.ErrUnknown)
	if len(h.ended) > 0 {
		t.Error("an update that switches nothing off ended something")
	}
}

// O-12: switching off and deleting end what was issued.
func TestSwitchingOffEndsWhatWasIssued(t *testing.T) {
	h := newHouse()
	c, text := h.register(t, website())
	off := client.Edit{Disabled: new(true)}
	if _, err := h.Update(t.Context(), c.ID, off); err != nil {
		t.Fatal(err)
	}
	_, err := h.Get(t.Context(), c.ID)
	wants(t, "Get", err, client.ErrDisabled)
	_, err = h.Authenticate(t.Context(), c.ID, text)
	wants(t, "Authenticate", err, client.ErrClient)
	if _, err := h.Find(t.Context(), c.ID); err != nil {
		t.Errorf("Find = %v", err)
	}
	if _, err := h.Update(t.Context(), c.ID, off); err != nil || len(h.ended) != 2 {
		t.Errorf("switched off again: %v, ended %d times, want 2: the first ending may have failed", err, len(h.ended))
	}
	if _, err := h.Update(t.Context(), c.ID, client.Edit{Disabled: new(false)}); err != nil || len(h.ended) != 2 {
		t.Errorf("switched on: %v", err)
	}
	if _, err := h.Authenticate(t.Context(), c.ID, text); err != nil {
		t.Errorf("switched on: %v", err)
	}
}

func TestDeletionIsTriedUntilAllHasEnded(t *testing.T) {
	h := newHouse()
	c, text := h.register(t, website())
	h.fails = errors.New("storage gone")
	wants(t, "Delete", h.Delete(t.Context(), c.ID), h.fails)
	if _, err := h.Authenticate(t.Context(), c.ID, text); err == nil {
		t.Error("the app works on after half a deletion")
	}
	h.fails = nil
	if err := h.Delete(t.Context(), c.ID); err != nil || !slices.Equal(h.ended, []string{c.ID}) {
		t.Errorf("Delete = %v, ended %v", err, h.ended)
	}
	_, err := h.Find(t.Context(), c.ID)
	wants(t, "Find", err, client.ErrUnknown)
	wants(t, "Delete again", h.Delete(t.Context(), c.ID), client.ErrUnknown)
	want := []audit.Kind{audit.AppRegistered, audit.AppDeleted}
	if !slices.Equal(h.kinds, want) {
		t.Errorf("events %v, want %v", h.kinds, want)
	}
}

// An app from before a rule, or with a scope that is no more, can be switched
// off and deleted all the same.
func TestAnAppThatCouldNotBeRegisteredCanBeSwitchedOff(t *testing.T) {
	h := newHouse()
	c, _ := h.register(t, website())
	c.Scopes, c.RedirectURIs, c.Name = model.TextList{"gone.scope"}, model.TextList{"http://old.example"}, ""
	if err := h.store.EditOAuthClient(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Update(t.Context(), c.ID, client.Edit{Disabled: new(true)}); err != nil {
		t.Errorf("Update = %v", err)
	}
	if _, err := h.Rotate(t.Context(), c.ID, "", 0); err != nil {
		t.Errorf("Rotate = %v", err)
	}
	if err := h.Delete(t.Context(), c.ID); err != nil {
		t.Errorf("Delete = %v", err)
	}
}

// Changes of different values at once: none brings another's old value back.
func TestChangesAtOnceAllHold(t *testing.T) {
	for range 50 {
		h := newHouse()
		c, _ := h.register(t, website())
		var text string
		changes := []func() error{
			func() error { _, err := h.Update(t.Context(), c.ID, client.Edit{Name: new("New")}); return err },
			func() error { _, err := h.Update(t.Context(), c.ID, client.Edit{Icon: new("mdi:new")}); return err },
			func() error {
				_, err := h.Update(t.Context(), c.ID, client.Edit{Scopes: new([]string{"email"})})
				return err
			},
			func() (err error) { text, err = h.Rotate(t.Context(), c.ID, "", 0); return err },
		}
		racetest.AtOnce(len(changes), func(i int) {
			if err := changes[i](); err != nil {
				t.Errorf("change %d = %v", i, err)
			}
		})
		got, err := h.Authenticate(t.Context(), c.ID, text)
		if err != nil || got.Name != "New" || got.Icon != "mdi:new" || !slices.Equal(got.Scopes, []string{"email"}) {
			t.Fatalf("the app became %+v, %v: a change was lost", got, err)
		}
	}
}

// overtaken is a store in which somebody else is quicker, once.
type overtaken struct {
	client.Store

	quicker func()
}

func (o *overtaken) EditOAuthClient(ctx context.Context, c model.OAuthClient, declared []string) error {
	if quicker := o.quicker; quicker != nil {
		o.quicker = nil
		quicker()
	}
	return o.Store.EditOAuthClient(ctx, c, declared)
}

func (o *overtaken) AddOAuthClient(ctx context.Context, c model.OAuthClient, declared []string, limit int) error {
	if quicker := o.quicker; quicker != nil {
		o.quicker = nil
		quicker()
	}
	return o.Store.AddOAuthClient(ctx, c, declared, limit)
}

func TestAChangeThatIsOvertakenStartsAnew(t *testing.T) {
	h := newHouse()
	c, _ := h.register(t, website())
	change := func(e client.Edit) {
		t.Helper()
		if _, err := h.Update(t.Context(), c.ID, e); err != nil {
			t.Errorf("Update = %v", err)
		}
	}
	store := &overtaken{Store: h.store}
	h.Store = store
	store.quicker = func() { change(client.Edit{Disabled: new(true)}) }
	change(client.Edit{Name: new("New")})
	if got, err := h.Find(t.Context(), c.ID); err != nil || got.Name != "New" || !got.Disabled {
		t.Errorf("the app became %+v, %v: it is on again", got, err)
	}

	if err := h.Declare(t.Context(), "Files.Read", "Read your files"); err != nil {
		t.Fatal(err)
	}
	r := website()
	r.Scopes = []string{"Files.Read"}
	withdraw := func() {
		if err := h.Withdraw(t.Context(), "Files.Read"); err != nil {
			t.Errorf("Withdraw = %v", err)
		}
	}
	store.quicker = withdraw
	_, _, err := h.Register(t.Context(), r)
	wants(t, "Register with a scope that goes", err, client.ErrScopes)
	if err := h.Declare(t.Context(), "Files.Read", "Read your files"); err != nil {
		t.Fatal(err)
	}
	store.quicker = withdraw
	_, err = h.Update(t.Context(), c.ID, client.Edit{Scopes: &r.Scopes})
	wants(t, "Update to a scope that goes", err, client.ErrScopes)
}
