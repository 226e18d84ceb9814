package clienttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/client"
	"latchkey/service/racetest"
)

const limit = 5 // of apps, and of declared scopes

// Conformance checks that a store keeps the promises of client.Store. open
// makes a fresh one for each part.
func Conformance(t *testing.T, open func(t *testing.T) client.Store) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, client.Store){
		"an app comes back as it was added":             keepsEveryField,
		"an unknown app is not found":                   knowsNobodyElse,
		"a list is in order, in pages and counted":      listsInPages,
		"an id is taken once, and before the limit":     refusesSameID,
		"the limit holds":                               holdsLimit,
		"an app needs its declared scopes":              needsScopes,
		"an edit writes all but who and when":           edits,
		"an edit of what changed meanwhile is stale":    editsTheLatest,
		"a deleted app is gone, once":                   deletes,
		"a scope is declared, described anew and gone":  declares,
		"a scope that an app may ask for stays":         keepsHeldScopes,
		"declared scopes do not go beyond the limit":    limitsScopes,
		"of parallel edits of one revision one counts":  parallelEdits,
		"of parallel adds of an id one wins":            parallelAdds,
		"a scope is given or withdrawn, but never both": parallelWithdrawal,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

// at is an instant of the suite.
func at(minutes int) model.Time {
	return model.At(time.Date(2026, 11, 20, 10, minutes, 1, 585e6, time.UTC))
}

// sample is an app whose id carries n.
func sample(n int) model.OAuthClient {
	return model.OAuthClient{
		ID: fmt.Sprintf("%032x", n), Name: "Фото", Icon: "mdi:home", Homepage: "https://photos.example/",
		RedirectURIs: model.TextList{"https://photos.example/cb?a=1,2", "http://127.0.0.1"}, Scopes: model.TextList{"email", "openid"},
		Confidential: true, SecretHash: "aa", PreviousHash: "bb", PreviousUntil: at(59), PKCERequired: true, RefreshTTL: 7776000,
		Disabled: true, CreatedAt: at(n), UpdatedAt: at(n + 1),
	}
}

func add(t *testing.T, s client.Store, c model.OAuthClient) {
	t.Helper()
	if err := s.AddOAuthClient(t.Context(), c, nil, limit); err != nil {
		t.Fatalf("AddOAuthClient(%s) = %v", c.ID, err)
	}
}

func declare(t *testing.T, s client.Store, name string) {
	t.Helper()
	scope := model.OAuthScope{Name: name, Description: "about " + name, CreatedAt: at(1)}
	if err := s.DeclareOAuthScope(t.Context(), scope, limit); err != nil {
		t.Fatalf("DeclareOAuthScope(%s) = %v", name, err)
	}
}

func holds(t *testing.T, s client.Store, want model.OAuthClient) {
	t.Helper()
	got, err := s.OAuthClient(t.Context(), want.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("OAuthClient: %v (-want +got):\n%s", err, diff)
	}
}

func keepsEveryField(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	holds(t, s, sample(1))
	bare := model.OAuthClient{
		ID: sample(2).ID, Name: "x", RedirectURIs: model.TextList{}, Scopes: model.TextList{}, RefreshTTL: 1,
		CreatedAt: at(1), UpdatedAt: at(1),
	}
	add(t, s, bare)
	holds(t, s, bare)
}

func knowsNobodyElse(t *testing.T, s client.Store) {
	t.Helper()
	c := sample(10)
	add(t, s, c)
	for _, id := range []string{"", "%", strings.ToUpper(c.ID), c.ID[1:], c.ID + " ", "' OR 1=1 --", "\x00"} {
		if _, err := s.OAuthClient(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("OAuthClient(%q) = %v, want %v", id, err, model.ErrNotFound)
		}
	}
	if err := s.EditOAuthClient(t.Context(), sample(11), nil); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("EditOAuthClient of nobody = %v", err)
	}
	if err := s.DeleteOAuthClient(t.Context(), sample(11).ID); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("DeleteOAuthClient of nobody = %v", err)
	}
	holds(t, s, c)
}

func listsInPages(t *testing.T, s client.Store) {
	t.Helper()
	var all []model.OAuthClient
	for n := range limit {
		c := sample(9 - n)
		c.CreatedAt = at(n / 2) // two at the same time: the id counts
		add(t, s, c)
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b model.OAuthClient) int {
		if d := a.CreatedAt.Compare(b.CreatedAt.Time); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, tt := range []struct {
		offset, limit int
		want          []model.OAuthClient
	}{{0, 2, all[:2]}, {2, 2, all[2:4]}, {4, 2, all[4:]}, {5, 2, nil}, {100, 2, nil}, {0, 1000, all}} {
		got, total, err := s.OAuthClients(t.Context(), tt.offset, tt.limit)
		if err != nil || total != limit || len(got) != len(tt.want) {
			t.Fatalf("OAuthClients(%d, %d) = %d of %d, %v", tt.offset, tt.limit, len(got), total, err)
		}
		for i := range got {
			if diff := cmp.Diff(tt.want[i], got[i]); diff != "" {
				t.Errorf("OAuthClients(%d, %d) at %d (-want +got):\n%s", tt.offset, tt.limit, i, diff)
			}
		}
	}
}

func refusesSameID(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	other := sample(1)
	other.Name = "another"
	if err := s.AddOAuthClient(t.Context(), other, nil, 1); !errors.Is(err, model.ErrConflict) {
		t.Errorf("the same id again = %v, want %v", err, model.ErrConflict)
	}
	holds(t, s, sample(1))
}

func holdsLimit(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	if err := s.AddOAuthClient(t.Context(), sample(2), nil, 1); !errors.Is(err, model.ErrLimit) {
		t.Errorf("the second of one = %v, want %v", err, model.ErrLimit)
	}
	if err := s.DeleteOAuthClient(t.Context(), sample(1).ID); err != nil {
		t.Fatal(err)
	}
	if err := s.AddOAuthClient(t.Context(), sample(2), nil, 1); err != nil {
		t.Errorf("after a deletion = %v", err)
	}
}

func needsScopes(t *testing.T, s client.Store) {
	t.Helper()
	declare(t, s, "Files.Read")
	if err := s.AddOAuthClient(t.Context(), sample(1), []string{"Files.Read", "Files.Write"}, limit); !errors.Is(err, model.ErrStale) {
		t.Errorf("an app with an undeclared scope = %v, want %v", err, model.ErrStale)
	}
	if err := s.AddOAuthClient(t.Context(), sample(1), []string{"Files.Read"}, limit); err != nil {
		t.Errorf("an app with a declared scope = %v", err)
	}
	if err := s.EditOAuthClient(t.Context(), sample(1), []string{"files.read"}); !errors.Is(err, model.ErrStale) {
		t.Errorf("an edit to another spelling = %v, want %v", err, model.ErrStale)
	}
	holds(t, s, sample(1))
}

func edits(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	add(t, s, sample(2))
	c := model.OAuthClient{ID: sample(1).ID, Name: "new", CreatedAt: at(40), UpdatedAt: at(41), RedirectURIs: model.TextList{}, Scopes: model.TextList{}}
	if err := s.EditOAuthClient(t.Context(), c, nil); err != nil {
		t.Fatalf("EditOAuthClient = %v", err)
	}
	c.CreatedAt, c.Revision = sample(1).CreatedAt, 1
	holds(t, s, c)
	holds(t, s, sample(2))
}

func editsTheLatest(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	c := sample(1)
	c.Name = "first"
	if err := s.EditOAuthClient(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	late := sample(1)
	late.Name = "late"
	if err := s.EditOAuthClient(t.Context(), late, nil); !errors.Is(err, model.ErrStale) {
		t.Errorf("a late edit = %v, want %v", err, model.ErrStale)
	}
	c.Revision = 1
	holds(t, s, c)
}

func deletes(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	add(t, s, sample(2))
	if err := s.DeleteOAuthClient(t.Context(), sample(1).ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteOAuthClient(t.Context(), sample(1).ID); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("a second deletion = %v, want %v", err, model.ErrNotFound)
	}
	holds(t, s, sample(2))
}

func declares(t *testing.T, s client.Store) {
	t.Helper()
	declare(t, s, "b")
	declare(t, s, "a")
	again := model.OAuthScope{Name: "b", Description: "in other words", CreatedAt: at(30)}
	if err := s.DeclareOAuthScope(t.Context(), again, 2); err != nil {
		t.Fatalf("DeclareOAuthScope again = %v", err)
	}
	again.CreatedAt = at(1)
	got, err := s.OAuthScopes(t.Context())
	want := []model.OAuthScope{{Name: "a", Description: "about a", CreatedAt: at(1)}, again}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("OAuthScopes = %+v, %v, want %+v", got, err, want)
	}
	for _, want := range []error{nil, model.ErrNotFound} {
		if err := s.WithdrawOAuthScope(t.Context(), "b"); !errors.Is(err, want) {
			t.Errorf("WithdrawOAuthScope = %v, want %v", err, want)
		}
	}
	if err := s.WithdrawOAuthScope(t.Context(), "A"); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("WithdrawOAuthScope of another spelling = %v", err)
	}
}

func keepsHeldScopes(t *testing.T, s client.Store) {
	t.Helper()
	declare(t, s, "Files.Read")
	c := sample(1)
	c.Scopes = model.TextList{"Files.Read"}
	add(t, s, c)
	if err := s.WithdrawOAuthScope(t.Context(), "Files.Read"); !errors.Is(err, model.ErrConflict) {
		t.Errorf("WithdrawOAuthScope = %v, want %v", err, model.ErrConflict)
	}
	if got, err := s.OAuthScopes(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("OAuthScopes = %+v, %v, want it there still", got, err)
	}
	c.Scopes = model.TextList{"Files.Read.All"}
	if err := s.EditOAuthClient(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.WithdrawOAuthScope(t.Context(), "Files.Read"); err != nil {
		t.Errorf("WithdrawOAuthScope of what nobody has = %v", err)
	}
}

func limitsScopes(t *testing.T, s client.Store) {
	t.Helper()
	for n := range limit {
		declare(t, s, fmt.Sprint("scope", n))
	}
	err := s.DeclareOAuthScope(t.Context(), model.OAuthScope{Name: "more", Description: "x", CreatedAt: at(1)}, limit)
	if !errors.Is(err, model.ErrLimit) {
		t.Errorf("one too many = %v, want %v", err, model.ErrLimit)
	}
	declare(t, s, "scope0") // which is there
}

func parallelEdits(t *testing.T, s client.Store) {
	t.Helper()
	add(t, s, sample(1))
	var done, stale atomic.Int64
	racetest.AtOnce(8, func(i int) {
		c := sample(1)
		c.Name = fmt.Sprint("edit ", i)
		switch err := s.EditOAuthClient(t.Context(), c, nil); {
		case err == nil:
			done.Add(1)
		case errors.Is(err, model.ErrStale):
			stale.Add(1)
		}
	})
	if done.Load() != 1 || stale.Load() != 7 {
		t.Errorf("%d edits counted and %d were stale, want 1 and 7", done.Load(), stale.Load())
	}
}

func parallelAdds(t *testing.T, s client.Store) {
	t.Helper()
	var done, taken atomic.Int64
	racetest.AtOnce(8, func(int) {
		switch err := s.AddOAuthClient(t.Context(), sample(1), nil, limit); {
		case err == nil:
			done.Add(1)
		case errors.Is(err, model.ErrConflict):
			taken.Add(1)
		}
	})
	if done.Load() != 1 || taken.Load() != 7 {
		t.Errorf("%d adds counted and %d met the first, want 1 and 7", done.Load(), taken.Load())
	}
}

func parallelWithdrawal(t *testing.T, s client.Store) {
	t.Helper()
	for n := range limit {
		declare(t, s, "x")
		c := sample(n)
		c.Scopes = model.TextList{"x"}
		var gave, took error
		racetest.AtOnce(2, func(i int) {
			if i == 0 {
				gave = s.AddOAuthClient(t.Context(), c, []string{"x"}, limit)
			} else {
				took = s.WithdrawOAuthScope(t.Context(), "x")
			}
		})
		if (gave == nil) == (took == nil) {
			t.Errorf("giving = %v, withdrawing = %v, want one of them refused", gave, took)
		}
		if gave == nil {
			if err := s.DeleteOAuthClient(t.Context(), c.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}
