package apikey_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/fault"
	"latchkey/service/secret"
)

func TestResolve(t *testing.T) { // P-01, P-03
	f := newFixture(t)
	plain, key := f.make()
	inURL, _ := f.make(func(w *apikey.Wanted) { w.AllowQuery = true })
	bound, _ := f.make(func(w *apikey.Wanted) { w.AllowedIPs = []string{"192.0.2.0/24", "2001:db8::/32"} })
	short, _ := f.make(func(w *apikey.Wanted) { w.ExpiresAt = f.now().Add(time.Minute) })
	f.advance(time.Minute)
	other := []byte(plain)
	other[10] ^= 1
	for name, tt := range map[string]struct {
		p    apikey.Presented
		want error
	}{
		"a key":                             {apikey.Presented{Text: plain, Address: here}, nil},
		"a key from nowhere":                {apikey.Presented{Text: plain}, nil},
		"nothing":                           {apikey.Presented{}, apikey.ErrInvalid},
		"garbage":                           {apikey.Presented{Text: strings.Repeat("x", 1000)}, apikey.ErrInvalid},
		"a mistyped key":                    {apikey.Presented{Text: string(other)}, apikey.ErrInvalid},
		"a key with a blank behind it":      {apikey.Presented{Text: plain + " "}, apikey.ErrInvalid},
		"the beginning of a key":            {apikey.Presented{Text: plain[:8]}, apikey.ErrInvalid},
		"a key in another case":             {apikey.Presented{Text: strings.ToUpper(plain)}, apikey.ErrInvalid},
		"a key that was never made":         {apikey.Presented{Text: secret.NewBearer(secret.APIKey)}, apikey.ErrInvalid},
		"a token of another kind":           {apikey.Presented{Text: secret.NewBearer(secret.OAuthToken)}, apikey.ErrInvalid},
		"a key in the URL":                  {apikey.Presented{Text: plain, InURL: true}, apikey.ErrInURL},
		"a key made for it in the URL":      {apikey.Presented{Text: inURL, InURL: true}, nil},
		"a key made for it elsewhere":       {apikey.Presented{Text: inURL}, nil},
		"from an allowed address":           {apikey.Presented{Text: bound, Address: "192.0.2.255"}, nil},
		"from an allowed address in IPv6":   {apikey.Presented{Text: bound, Address: "::ffff:192.0.2.255"}, nil},
		"from an allowed network":           {apikey.Presented{Text: bound, Address: "2001:db8:ff::1"}, nil},
		"from elsewhere":                    {apikey.Presented{Text: bound, Address: "192.0.3.1"}, apikey.ErrAddress},
		"from nowhere":                      {apikey.Presented{Text: bound}, apikey.ErrAddress},
		"exactly at its expiry":             {apikey.Presented{Text: short, Address: here}, apikey.ErrExpired},
		"expired, and wrongly in the URL":   {apikey.Presented{Text: short, InURL: true}, apikey.ErrInURL},
		"bound elsewhere, and in the URL":   {apikey.Presented{Text: bound, InURL: true}, apikey.ErrInURL},
		"a key with a byte that is no text": {apikey.Presented{Text: plain[:52] + "\xff"}, apikey.ErrInvalid},
	} {
		for _, warmth := range []string{"cold", "warm"} {
			got, err := f.Resolve(t.Context(), tt.p)
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, %s: Resolve = %v, want %v", name, warmth, err, tt.want)
			}
			if known := got.AccountKey == alice && got.ID != 0; known == errors.Is(tt.want, apikey.ErrInvalid) {
				t.Errorf("%s, %s: Known = %+v with %v", name, warmth, got, err)
			}
		}
	}
	got, err := f.resolve(plain)
	if err != nil || got.ID != key.ID || got.AccountKey != alice || got.Scopes.String() != "me.read" {
		t.Errorf("Resolve = %+v, %v", got, err)
	}
}

func TestRefusalsSayWhatTheContractSays(t *testing.T) {
	for err, text := range map[*fault.Error]string{
		apikey.ErrInvalid: "Invalid API key", apikey.ErrExpired: "API key expired",
		apikey.ErrAddress: "API key not allowed from this address", apikey.ErrInURL: "This API key may not be sent in the URL",
	} {
		kind := fault.Unauthenticated
		if errors.Is(err, apikey.ErrAddress) {
			kind = fault.Forbidden
		}
		if err.Text != text || err.Kind != kind {
			t.Errorf("%s: %q, kind %d", err.Code, err.Text, err.Kind)
		}
	}
}

// The hot path asks the database for nothing and writes nothing.
func TestResolveRemembers(t *testing.T) {
	f := newFixture(t)
	text, _ := f.make(func(w *apikey.Wanted) { w.AllowedIPs = []string{"192.0.2.0/24"} })
	f.wantIn(text, nil)
	f.flush()
	reads, writes := f.store.reads.Load(), f.store.writes.Load()
	mistyped := text[:52] + "0"
	if mistyped == text {
		mistyped = text[:52] + "1"
	}
	for range 1000 {
		f.wantIn(text, nil)
		f.wantIn(mistyped, apikey.ErrInvalid)
		if _, err := f.Resolve(t.Context(), apikey.Presented{Text: text, Address: "::1"}); !errors.Is(err, apikey.ErrAddress) {
			t.Errorf("from elsewhere: %v", err)
		}
		f.flush()
	}
	if r, w := f.store.reads.Load()-reads, f.store.writes.Load()-writes; r != 0 || w != 0 {
		t.Errorf("%d reads and %d writes, want none", r, w)
	}
}

func TestUsesAreNotedOncePerMinute(t *testing.T) {
	f := newFixture(t)
	text, key := f.make()
	f.wantIn(text, nil)
	if v, err := f.Get(t.Context(), alice, key.ID); err != nil || v.LastUsedIP != "192.*.*.7" || v.LastUsedUA != curl || v.LastUsedAt.IsZero() {
		t.Errorf("shown before it is written: %+v, %v", v, err)
	}
	f.flush()
	first := f.row(key)
	if !first.LastUsedAt.Equal(f.now().Truncate(time.Millisecond)) || first.LastUsedIP != "192.*.*.7" || first.LastUsedUA != curl {
		t.Errorf("written: %+v", first)
	}
	for range 59 {
		f.advance(time.Second)
		f.wantIn(text, nil)
		f.flush()
	}
	if got := f.row(key); got != first {
		t.Errorf("written within the minute: %+v", got)
	}
	f.advance(time.Second)
	if _, err := f.Resolve(t.Context(), apikey.Presented{Text: text, Address: here, UserAgent: strings.Repeat("é", 300) + "\xff"}); err != nil {
		t.Fatal(err)
	}
	f.flush()
	if got := f.row(key); got.LastUsedAt.Sub(first.LastUsedAt.Time) != time.Minute || len(got.LastUsedUA) > 512 || !strings.HasSuffix(got.LastUsedUA, "é") {
		t.Errorf("written after it: %+v", got)
	}
	f.advance(time.Hour)
	if _, err := f.Resolve(t.Context(), apikey.Presented{Text: text, InURL: true}); !errors.Is(err, apikey.ErrInURL) {
		t.Fatal(err)
	}
	before := f.row(key)
	f.flush()
	if got := f.row(key); got != before {
		t.Errorf("a refused request left %+v", got)
	}
}

func TestUsesWaitForTheDatabase(t *testing.T) {
	f := newFixture(t)
	text, key := f.make()
	f.wantIn(text, nil)
	broken := errors.New("broken disk")
	f.store.set(broken, nil)
	if err := f.Flush(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Flush = %v", err)
	}
	f.advance(time.Hour)
	f.wantIn(text, nil)
	f.store.set(nil, nil)
	f.flush()
	if got := f.row(key).LastUsedAt; !got.Equal(f.now().Truncate(time.Millisecond)) {
		t.Errorf("last used at %v, want the newest", got)
	}
}

// What waits to be written brings nothing back.
func TestAUseRevivesNothing(t *testing.T) {
	f := newFixture(t)
	gone, key := f.make()
	f.wantIn(gone, nil)
	if err := f.Delete(t.Context(), f.as(alice), key.ID); err != nil {
		t.Fatal(err)
	}
	leaked, revoked := f.make()
	f.wantIn(leaked, nil)
	if err := f.Leaked(t.Context(), leaked); err != nil {
		t.Fatal(err)
	}
	f.flush()
	f.wantIn(gone, apikey.ErrInvalid)
	f.wantIn(leaked, apikey.ErrInvalid)
	if _, err := f.store.APIKey(t.Context(), "", key.ID); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("the deleted key: %v", err)
	}
	if f.row(revoked).RevokedAt.IsZero() {
		t.Error("the revoked key is back")
	}
}

func TestABrokenStorageIsNotAWrongKey(t *testing.T) {
	f := newFixture(t)
	text, _ := f.make()
	f.store.set(model.ErrUnavailable, nil)
	if _, err := f.resolve(text); !errors.Is(err, model.ErrUnavailable) || errors.Is(err, apikey.ErrInvalid) {
		t.Errorf("Resolve = %v, want ErrUnavailable", err)
	}
	f.store.set(nil, nil)
	f.wantIn(text, nil)
}

func TestKeysSurviveARestart(t *testing.T) {
	f := newFixture(t)
	text, _ := f.make()
	gone, key := f.make()
	if err := f.Delete(t.Context(), f.as(alice), key.ID); err != nil {
		t.Fatal(err)
	}
	f.restart()
	f.wantIn(text, nil)
	f.wantIn(gone, apikey.ErrInvalid)
}

func TestRunWritesOnTheWayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		text, key := f.make()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		f.wantIn(text, nil)
		time.Sleep(time.Second) // of the bubble's clock
		synctest.Wait()
		if f.row(key).LastUsedAt.IsZero() {
			t.Error("not written within a second")
		}
		f.advance(time.Hour)
		f.wantIn(text, nil)
		stop()
		if err := <-done; err != nil || !f.row(key).LastUsedAt.Equal(f.now().Truncate(time.Millisecond)) {
			t.Errorf("Run = %v, and the last use is not written", err)
		}
		f.advance(time.Hour)
		f.wantIn(text, nil)
		f.Close(t.Context())
		if !f.row(key).LastUsedAt.Equal(f.now().Truncate(time.Millisecond)) {
			t.Error("Close did not write")
		}
	})
}

func TestScopesOfARow(t *testing.T) {
	if got := apikey.ScopesOf(model.APIKey{Scopes: "me.read session.read"}); !got.Allow(access.MeRead) || got.Allow(access.SSHKeyRead) {
		t.Errorf("ScopesOf = %v", got)
	}
	if got := apikey.ScopesOf(model.APIKey{}); got.Allow(access.MeRead) {
		t.Errorf("no scopes allow something: %v", got)
	}
}
