package leak_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/leak"
	"latchkey/service/secret"
)

// desk takes reports and notes what they ended.
type desk struct {
	*leak.Service

	keys, tokens []string
	from         []string // addresses
	failing      error
	slow         time.Duration // how long an ending takes
}

func newDesk() *desk {
	d := &desk{}
	end := func(list *[]string) leak.End {
		return func(_ context.Context, text string) error {
			time.Sleep(d.slow) // in a bubble: it takes no time
			*list = append(*list, text)
			return d.failing
		}
	}
	d.Service = leak.New(leak.Deps{
		Ends: map[secret.Prefix]leak.End{secret.APIKey: end(&d.keys), secret.OAuthToken: end(&d.tokens)},
		Count: func(address string) error {
			d.from = append(d.from, address)
			if address == "full" {
				return errFull
			}
			return nil
		},
		Least: 100 * time.Millisecond, Each: 10 * time.Millisecond,
	})
	return d
}

var errFull = fault.New(fault.TooMany, "full", "full")

func from(t *testing.T, address string) context.Context {
	t.Helper()
	return access.With(t.Context(), access.Caller{Kind: access.Guest, Address: address})
}

func TestEachKindIsEndedByItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		key, token := secret.NewBearer(secret.APIKey), secret.NewBearer(secret.OAuthToken)
		texts := []string{key, "hello", token, key, key[:len(key)-1], strings.ToLower(key), " " + key, secret.NewBearer(secret.RefreshToken), ""}
		if err := d.Report(from(t, "192.0.2.1"), texts); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(d.keys, []string{key}) || !slices.Equal(d.tokens, []string{token}) {
			t.Errorf("ended %q and %q, want the key and the token, each once", d.keys, d.tokens)
		}
		if !slices.Equal(d.from, []string{"192.0.2.1"}) {
			t.Errorf("counted against %q, want the address once", d.from)
		}
	})
}

func TestReportsAreBounded(t *testing.T) {
	key := secret.NewBearer(secret.APIKey)
	for name, texts := range map[string][]string{"none": {}, "101": slices.Repeat([]string{key}, 101)} {
		d := newDesk()
		if err := d.Report(from(t, "192.0.2.1"), texts); !errors.Is(err, leak.ErrTooMany) || d.keys != nil || d.from != nil {
			t.Errorf("%s: Report = %v, ended %d, counted %d, want it refused unseen", name, err, len(d.keys), len(d.from))
		}
	}
	d := newDesk()
	if err := d.Report(from(t, "full"), []string{key}); !errors.Is(err, errFull) || d.keys != nil {
		t.Errorf("Report = %v, ended %d, want it refused unseen", err, len(d.keys))
	}
}

// How long an answer takes says nothing about what was found.
func TestAnswersTakeTheSameTime(t *testing.T) {
	key := secret.NewBearer(secret.APIKey)
	for name, slow := range map[string]time.Duration{"nothing is found": 0, "a key is ended": 30 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			d.slow = slow
			start := time.Now()
			if err := d.Report(from(t, "192.0.2.1"), []string{key, "x"}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took != 110*time.Millisecond {
				t.Errorf("%s: %v, want 110 ms", name, took)
			}
		})
	}
}

// One failure neither keeps the others from ending nor is swallowed.
func TestAFailureIsToldAndStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.failing = errors.New("broken")
		texts := []string{secret.NewBearer(secret.APIKey), secret.NewBearer(secret.APIKey)}
		if err := d.Report(from(t, "192.0.2.1"), texts); !errors.Is(err, d.failing) || len(d.keys) != 2 {
			t.Errorf("Report = %v, ended %d, want the failure and 2", err, len(d.keys))
		}
	})
}
