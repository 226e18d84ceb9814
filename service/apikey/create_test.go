package apikey_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/racetest"
	"latchkey/service/secret"
)

func TestCreateTellsTheTextOnce(t *testing.T) { // P-02
	f := newFixture(t)
	text, key := f.make(func(w *apikey.Wanted) {
		w.Name, w.Scopes, w.AllowedIPs = "backup", []string{"session.read", "me.read", "me.read"}, []string{"192.0.2.7", "2001:db8::1/32"}
		w.ExpiresAt, w.AllowQuery, w.LearnFor = f.now().Add(30*day), true, time.Hour
	})
	if !secret.IsBearer(secret.APIKey, text) {
		t.Errorf("the text is %q", text)
	}
	sum := secret.HashOf(text)
	want := model.APIKey{
		ID: key.ID, AccountKey: alice, Name: "backup", Hash: fmt.Sprintf("%x", sum), Prefix: text[:8], Scopes: "me.read session.read",
		CreatedAt: model.At(f.now()), ExpiresAt: model.At(f.now().Add(30 * day)), AllowQuery: true,
		AllowedIPs: "192.0.2.7/32,2001:db8::/32", CreatedOnDevice: desk, LearnUntil: model.At(f.now().Add(time.Hour)),
	}
	if key != want || f.row(key) != want {
		t.Errorf("Create = %+v, want %+v", key, want)
	}
	told := f.heard()
	if len(told) != 2 || told[0] != "notice a11c" || told[1] != fmt.Sprintf("api_key_created a11c [api_key_id=%d prefix=%s]", key.ID, text[:8]) {
		t.Errorf("told %q", told)
	}
	list, _, err := f.List(t.Context(), alice, 1, 0)
	for what, shown := range map[string]any{"the row": key, "the list": list, "what was told": told} {
		if holds(shown, text[8:]) || err != nil {
			t.Errorf("%s shows the text, %v", what, err)
		}
	}
	f.wantIn(text, nil)
}

func TestOnlyTheOwnerMakesOrWidensKeys(t *testing.T) { // P-03
	f := newFixture(t)
	_, key := f.make()
	with := func(change func(*access.Caller)) access.Caller {
		by := f.as(alice)
		change(&by)
		return by
	}
	for name, tt := range map[string]struct {
		by   access.Caller
		want error
	}{
		"a key with all":         {with(func(c *access.Caller) { c.Kind, c.Scopes = access.APIKey, access.Scopes{access.All} }), access.ErrFirstParty},
		"an app's token":         {with(func(c *access.Caller) { c.Kind, c.Scopes = access.OAuthToken, access.Scopes{access.All} }), access.ErrFirstParty},
		"the static token":       {with(func(c *access.Caller) { c.Kind = access.StaticToken }), apikey.ErrStaticToken},
		"nobody":                 {with(func(c *access.Caller) { c.Kind = access.Guest }), apikey.ErrGuest},
		"a guest who signed in":  {with(func(c *access.Caller) { c.Account.RoleIDs = []int64{model.RoleGuest} }), apikey.ErrGuest},
		"who proved nothing yet": {with(func(c *access.Caller) { c.FreshAt = time.Time{} }), access.ErrNotFresh},
		"who proved it long ago": {f.stale(alice), access.ErrNotFresh},
	} {
		t.Run(name, func(t *testing.T) {
			text, made, createErr := f.Create(t.Context(), tt.by, wanted("x"))
			turned, rotateErr := f.Rotate(t.Context(), tt.by, key.ID, 0)
			updateErr := f.Update(t.Context(), tt.by, key.ID, apikey.Edit{Scopes: &[]string{"all"}})
			for act, err := range map[string]error{"Create": createErr, "Rotate": rotateErr, "Update": updateErr} {
				if !errors.Is(err, tt.want) {
					t.Errorf("%s = %v, want %v", act, err, tt.want)
				}
			}
			if text != "" || turned != "" || made != (model.APIKey{}) || f.row(key) != key {
				t.Errorf("something was made: %+v, or changed: %+v", made, f.row(key))
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	f := newFixture(t)
	f.make(func(w *apikey.Wanted) { w.Name = "taken" })
	for name, tt := range map[string]struct {
		change func(*apikey.Wanted)
		want   error
	}{
		"no name":                      {func(w *apikey.Wanted) { w.Name = "" }, apikey.ErrName},
		"a name of 65 characters":      {func(w *apikey.Wanted) { w.Name = strings.Repeat("ü", 65) }, apikey.ErrName},
		"a name of two lines":          {func(w *apikey.Wanted) { w.Name = "a\nb" }, apikey.ErrName},
		"a name that is taken":         {func(w *apikey.Wanted) { w.Name = "taken" }, apikey.ErrNameTaken},
		"no scope":                     {func(w *apikey.Wanted) { w.Scopes = nil }, apikey.ErrNoScopes},
		"an unknown scope":             {func(w *apikey.Wanted) { w.Scopes = []string{"me.read", "me.fly"} }, access.ErrUnknownScope},
		"what only the owner may do":   {func(w *apikey.Wanted) { w.Scopes = []string{string(access.FirstParty)} }, access.ErrUnknownScope},
		"a scope of admins":            {func(w *apikey.Wanted) { w.Scopes = []string{"admin.user.read"} }, apikey.ErrAdminScope},
		"an expiry now":                {func(w *apikey.Wanted) { w.ExpiresAt = f.now() }, apikey.ErrExpiry},
		"an expiry after 11 years":     {func(w *apikey.Wanted) { w.ExpiresAt = f.now().AddDate(11, 0, 0) }, apikey.ErrExpiry},
		"an address that is none":      {func(w *apikey.Wanted) { w.AllowedIPs = []string{"home"} }, apikey.ErrAddresses},
		"learning for a second":        {func(w *apikey.Wanted) { w.LearnFor = time.Second }, apikey.ErrLearnFor},
		"learning backwards":           {func(w *apikey.Wanted) { w.LearnFor = -time.Hour }, apikey.ErrLearnFor},
		"learning for more than 30 d":  {func(w *apikey.Wanted) { w.LearnFor = 30*day + 1 }, apikey.ErrLearnFor},
		"a bad name before a bad rest": {func(w *apikey.Wanted) { w.Name, w.Scopes, w.ExpiresAt = "", nil, f.now() }, apikey.ErrName},
	} {
		t.Run(name, func(t *testing.T) {
			w := wanted("new")
			tt.change(&w)
			if text, key, err := f.Create(t.Context(), f.as(alice), w); !errors.Is(err, tt.want) || text != "" {
				t.Errorf("Create = %+v, %v, want %v", key, err, tt.want)
			}
		})
	}
	_, _, err := f.Create(t.Context(), f.as(alice), apikey.Wanted{Name: "x", Scopes: []string{"me.read", "admin.role.read"}})
	if err == nil || !strings.Contains(err.Error(), "admin.role.read") {
		t.Errorf("the refusal %v does not name the scope", err)
	}
	if _, _, err := f.Create(t.Context(), f.as(root), apikey.Wanted{Name: "x", Scopes: []string{"admin.role.read"}}); err != nil {
		t.Errorf("an admin's = %v", err)
	}
	f.make(func(w *apikey.Wanted) { w.Scopes, w.LearnFor = nil, time.Minute }) // to find out what it takes
	f.store.DropAccount(bob)
	if _, _, err := f.Create(t.Context(), f.as(bob), wanted("x")); !errors.Is(err, apikey.ErrEnded) {
		t.Errorf("for an account that is gone = %v", err)
	}
}

func TestCreateStopsAt100(t *testing.T) {
	f := newFixture(t)
	racetest.AtOnce(4, func(i int) {
		for n := range 25 {
			if _, _, err := f.Create(t.Context(), f.as(alice), wanted(fmt.Sprint(i, " ", n))); err != nil {
				t.Errorf("Create = %v", err)
			}
		}
	})
	if _, _, err := f.Create(t.Context(), f.as(alice), wanted("one more")); !errors.Is(err, apikey.ErrTooMany) {
		t.Errorf("key 101 = %v, want ErrTooMany", err)
	}
}

func TestListPagesAndCounts(t *testing.T) {
	f := newFixture(t)
	var ids []int64
	for range 5 {
		_, key := f.make(func(w *apikey.Wanted) { w.ExpiresAt = f.now().Add(time.Duration(len(ids)+1) * day) })
		ids = append(ids, key.ID)
	}
	const huge = int(^uint(0) >> 1)
	for _, tt := range []struct {
		page, perPage int
		want          []int64
	}{{1, 0, ids}, {1, -1, ids}, {0, 2, ids[:2]}, {-huge, 2, ids[:2]}, {3, 2, ids[4:]}, {4, 2, nil}, {1, huge, ids}, {huge, huge, nil}} {
		views, total, err := f.List(t.Context(), alice, tt.page, tt.perPage)
		var got []int64
		for _, v := range views {
			got = append(got, v.ID)
		}
		if err != nil || total != 5 || !slices.Equal(got, tt.want) {
			t.Errorf("List(%d, %d) = %v, %d, %v, want %v", tt.page, tt.perPage, got, total, err, tt.want)
		}
	}
	f.advance(2 * day) // two have expired
	if n, err := f.Count(t.Context(), alice); n != 3 || err != nil {
		t.Errorf("Count = %d, %v, want 3", n, err)
	}
	if _, err := f.Get(t.Context(), bob, ids[0]); !errors.Is(err, apikey.ErrNoKey) {
		t.Errorf("Get of somebody else's = %v", err)
	}
	if _, err := f.Get(t.Context(), "", ids[0]); !errors.Is(err, apikey.ErrNoKey) {
		t.Errorf("Get of anybody's = %v", err)
	}
	if v, err := f.Get(t.Context(), alice, ids[0]); err != nil || v.ID != ids[0] {
		t.Errorf("Get = %+v, %v", v, err)
	}
}
