package linktest

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/link"
	"latchkey/service/racetest"
)

// Harness is a store to try, and what it is tried with.
type Harness struct {
	Store      link.Store
	NewAccount func(t *testing.T, email string) string                 // its key
	NewLogin   func(t *testing.T, accountKey, deviceKey string) string // a live login's id
	EndReason  func(t *testing.T, loginID string) model.EndReason      // empty while it is live
	FreshAt    func(t *testing.T, loginID string) model.Time           // NewLogin's is start
	NewAPIKey  func(t *testing.T, accountKey, deviceKey string) int64  // a live key's id
	RevokedWhy func(t *testing.T, apiKey int64) model.RevokeReason     // empty while it is live
	Account    func(t *testing.T, accountKey string) model.Account     // as it is now
}

// later is so long after the beginning.
func later(d time.Duration) model.Time {
	return model.At(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(d))
}

// start is the beginning.
func start() model.Time { return later(0) }

// Conformance is what every link.Store must do.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, try := range map[string]func(*testing.T, Harness){
		"a link is found as it was stored":               found,
		"an account is sent so many links and no more":   limited,
		"a link acts only for what it is, and in time":   actsInTime,
		"an address is confirmed while it is the one":    confirms,
		"disowning ends one device and the password":     disowns,
		"disowning ends what an intruder made of it":     disarms,
		"disowning leaves the links of before":           leavesEarlier,
		"a password ends all logins and the other links": setsPassword,
		"of parallel tries one acts":                     actsOnce,
	} {
		t.Run(name, func(t *testing.T) { try(t, open(t)) })
	}
}

func (h Harness) add(t *testing.T, l model.Link) model.Link {
	t.Helper()
	if l.CreatedAt.IsZero() {
		l.CreatedAt, l.ExpiresAt = start(), later(time.Hour)
	}
	if err := h.Store.AddLink(t.Context(), l, model.LinkLimit{AtMost: 100}); err != nil {
		t.Fatalf("AddLink = %v", err)
	}
	return l
}

func found(t *testing.T, h Harness) {
	want := h.add(t, model.Link{
		Hash: "h1", Purpose: model.LinkDisown, AccountKey: h.NewAccount(t, ""), DeviceKey: "d", UserAgent: "agent", IP: "192.*.*.1", Email: "e",
	})
	if got, err := h.Store.Link(t.Context(), "h1"); err != nil || got != want {
		t.Errorf("Link = %+v, %v, want %+v", got, err, want)
	}
	if _, err := h.Store.Link(t.Context(), "h2"); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("an unknown link: %v", err)
	}
}

func limited(t *testing.T, h Harness) {
	one, other := h.NewAccount(t, ""), h.NewAccount(t, "")
	made := 0
	add := func(key string, p model.LinkPurpose, at model.Time) error {
		made++
		return h.Store.AddLink(t.Context(), model.Link{
			Hash: strconv.Itoa(made), Purpose: p, AccountKey: key, CreatedAt: at, ExpiresAt: model.At(at.Add(time.Hour)),
		}, model.LinkLimit{AtMost: 2, Since: model.At(at.Add(-time.Minute))})
	}
	for i, tt := range []struct {
		key  string
		p    model.LinkPurpose
		at   model.Time
		want error
	}{
		{one, model.LinkDisown, start(), nil},
		{one, model.LinkDisown, later(time.Second), nil},
		{one, model.LinkDisown, later(2 * time.Second), model.ErrLimit},
		{one, model.LinkConfirmEmail, later(2 * time.Second), nil},
		{other, model.LinkDisown, later(2 * time.Second), nil},
		{one, model.LinkDisown, later(time.Minute), nil}, // the first is a minute ago
		{one, model.LinkDisown, later(time.Minute), model.ErrLimit},
	} {
		if err := add(tt.key, tt.p, tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%d: %v, want %v", i, err, tt.want)
		}
	}
}

func actsInTime(t *testing.T, h Harness) {
	keys := map[model.LinkPurpose]string{}
	for _, p := range []model.LinkPurpose{model.LinkConfirmEmail, model.LinkDisown, model.LinkSetPassword} {
		keys[p] = h.NewAccount(t, "e")
		h.add(t, model.Link{Hash: string(p), Purpose: p, AccountKey: keys[p], Email: "e"})
	}
	acts := h.acts(t)
	for p := range acts {
		for other, act := range acts {
			at := later(time.Hour) // when it expires
			if other != p {
				at = start()
			}
			if err := act(string(p), at); !errors.Is(err, model.ErrNotFound) {
				t.Errorf("%s as %s: %v, want ErrNotFound", p, other, err)
			}
		}
		if a := h.Account(t, keys[p]); a.EmailVerified || a.MustChangePassword || a.Epoch != 0 {
			t.Errorf("the account changed: %+v", a)
		}
	}
	for p, act := range acts {
		if err := act(string(p), later(time.Hour-time.Millisecond)); err != nil {
			t.Errorf("%s just in time: %v", p, err)
		}
		if err := act(string(p), start()); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("%s again: %v", p, err)
		}
	}
}

// acts are what links do, by what they are for.
func (h Harness) acts(t *testing.T) map[model.LinkPurpose]func(hash string, at model.Time) error {
	t.Helper()
	var made atomic.Int64
	return map[model.LinkPurpose]func(string, model.Time) error{
		model.LinkConfirmEmail: func(hash string, at model.Time) error {
			_, err := h.Store.ConfirmEmail(t.Context(), hash, at)
			return err
		},
		model.LinkDisown: func(hash string, at model.Time) error {
			next := model.Link{Hash: fmt.Sprint("next", made.Add(1)), Purpose: model.LinkConfirmEmail, CreatedAt: at, ExpiresAt: at}
			_, _, err := h.Store.Disown(t.Context(), hash, next, at)
			return err
		},
		model.LinkSetPassword: func(hash string, at model.Time) error {
			_, err := h.Store.SetPassword(t.Context(), hash, "new", at)
			return err
		},
	}
}

func confirms(t *testing.T, h Harness) {
	key := h.NewAccount(t, "new@example.org")
	h.add(t, model.Link{Hash: "old", Purpose: model.LinkConfirmEmail, AccountKey: key, Email: "old@example.org"})
	h.add(t, model.Link{Hash: "new", Purpose: model.LinkConfirmEmail, AccountKey: key, Email: "new@example.org"})
	if _, err := h.Store.ConfirmEmail(t.Context(), "old", start()); !errors.Is(err, model.ErrStale) || h.Account(t, key).EmailVerified {
		t.Errorf("an older address: %v", err)
	}
	if l, err := h.Store.Link(t.Context(), "old"); err != nil || !l.UsedAt.IsZero() {
		t.Errorf("it was used up: %+v, %v", l, err)
	}
	l, err := h.Store.ConfirmEmail(t.Context(), "new", start())
	if err != nil || l.AccountKey != key || !h.Account(t, key).EmailVerified {
		t.Errorf("the address: %+v, %v", l, err)
	}
}

func disowns(t *testing.T, h Harness) {
	key, other := h.NewAccount(t, ""), h.NewAccount(t, "")
	phone, laptop, others := h.NewLogin(t, key, "phone"), h.NewLogin(t, key, "laptop"), h.NewLogin(t, other, "others")
	h.add(t, model.Link{Hash: "h", Purpose: model.LinkDisown, AccountKey: key, DeviceKey: "phone", Email: "ann@example.org"})
	before := h.Account(t, key)
	next := model.Link{Hash: "next", Purpose: model.LinkSetPassword, CreatedAt: start(), ExpiresAt: later(time.Minute)}
	made, elsewhere, foreign := h.NewAPIKey(t, key, "phone"), h.NewAPIKey(t, key, "laptop"), h.NewAPIKey(t, other, "phone")
	l, keys, err := h.Store.Disown(t.Context(), "h", next, start())
	if err != nil || l.AccountKey != key || l.DeviceKey != "phone" || keys != 1 {
		t.Fatalf("Disown = %+v, %d keys, %v", l, keys, err)
	}
	if got := h.RevokedWhy(t, made); got != model.RevokedDevice {
		t.Errorf("the key that was made on the phone: %q", got)
	}
	if h.RevokedWhy(t, elsewhere) != "" || h.RevokedWhy(t, foreign) != "" {
		t.Error("another key is revoked")
	}
	if got := h.EndReason(t, phone); got != model.EndEvicted {
		t.Errorf("the phone's login: %q", got)
	}
	if h.EndReason(t, laptop) != "" || h.EndReason(t, others) != "" {
		t.Error("another login ended")
	}
	if a := h.Account(t, key); !a.MustChangePassword || a.Epoch != before.Epoch+1 {
		t.Errorf("the account: %+v", a)
	}
	if h.Account(t, other).MustChangePassword {
		t.Error("another account must change its password")
	}
	next.AccountKey, next.Email = key, "ann@example.org"
	if got, err := h.Store.Link(t.Context(), "next"); err != nil || got != next {
		t.Errorf("the next link: %+v, %v", got, err)
	}
}

// disarms: an intruder may have signed in elsewhere, too, and have confirmed an
// address of their own.
func disarms(t *testing.T, h Harness) {
	key, kept, other := h.NewAccount(t, "thief@example.com"), h.NewAccount(t, "ann@example.org"), h.NewAccount(t, "bob@example.org")
	laptop, others := h.NewLogin(t, key, "laptop"), h.NewLogin(t, other, "others")
	for i, k := range []string{key, kept, other} {
		h.add(t, model.Link{Hash: fmt.Sprint("confirm", i), Purpose: model.LinkConfirmEmail, AccountKey: k, Email: h.Account(t, k).Email})
		h.add(t, model.Link{Hash: fmt.Sprint("spare", i), Purpose: model.LinkConfirmEmail, AccountKey: k, Email: h.Account(t, k).Email})
		h.add(t, model.Link{Hash: fmt.Sprint("disown", i), Purpose: model.LinkDisown, AccountKey: k, Email: "ann@example.org"})
		if _, err := h.Store.ConfirmEmail(t.Context(), fmt.Sprint("confirm", i), start()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		next := model.Link{Hash: fmt.Sprint("next", i), Purpose: model.LinkSetPassword, CreatedAt: start(), ExpiresAt: later(time.Minute)}
		if _, _, err := h.Store.Disown(t.Context(), fmt.Sprint("disown", i), next, start()); err != nil {
			t.Fatal(err)
		}
	}
	if !h.FreshAt(t, laptop).IsZero() || h.FreshAt(t, others).IsZero() {
		t.Errorf("proven at %v, and another account's at %v; want never, and once", h.FreshAt(t, laptop), h.FreshAt(t, others))
	}
	if h.Account(t, key).EmailVerified || !h.Account(t, kept).EmailVerified || !h.Account(t, other).EmailVerified {
		t.Error("want the other address unconfirmed, and no other")
	}
	for i, want := range []error{model.ErrNotFound, model.ErrNotFound, nil} {
		if _, err := h.Store.ConfirmEmail(t.Context(), fmt.Sprint("spare", i), start()); !errors.Is(err, want) {
			t.Errorf("a link that confirms account %d's address: %v, want %v", i, err, want)
		}
	}
}

// leavesEarlier: a link that an intruder was sent must not disarm the owner's,
// which is older; the owner's disarms theirs.
func leavesEarlier(t *testing.T, h Harness) {
	disown := func(t *testing.T, hash string, want error) {
		t.Helper()
		next := model.Link{Hash: "next of " + hash, Purpose: model.LinkSetPassword, CreatedAt: start(), ExpiresAt: later(time.Minute)}
		if _, _, err := h.Store.Disown(t.Context(), hash, next, start()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", hash, err, want)
		}
	}
	key := h.NewAccount(t, "thief@example.com")
	for i, l := range []model.Link{
		{Hash: "owner's", Email: "ann@example.org"},
		{Hash: "owner's next", Email: "ann@example.org"},
		{Hash: "thief's", Email: "thief@example.com"},
		{Hash: "thief's next", Email: "thief@example.com"},
	} {
		l.Purpose, l.AccountKey, l.CreatedAt, l.ExpiresAt = model.LinkDisown, key, later(time.Duration(i)*time.Second), later(time.Hour)
		h.add(t, l)
	}
	disown(t, "thief's", nil)
	disown(t, "owner's", nil)
	disown(t, "thief's next", model.ErrNotFound)
	if _, err := h.Store.SetPassword(t.Context(), "next of thief's", "x", start()); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("the thief's link to a new password: %v", err)
	}
	disown(t, "owner's next", nil)
}

func setsPassword(t *testing.T, h Harness) {
	key, other := h.NewAccount(t, ""), h.NewAccount(t, "")
	phone, others := h.NewLogin(t, key, "phone"), h.NewLogin(t, other, "others")
	h.add(t, model.Link{Hash: "disown", Purpose: model.LinkDisown, AccountKey: key})
	h.add(t, model.Link{Hash: "spare", Purpose: model.LinkSetPassword, AccountKey: key})
	h.add(t, model.Link{Hash: "theirs", Purpose: model.LinkSetPassword, AccountKey: other})
	next := model.Link{Hash: "set", Purpose: model.LinkSetPassword, CreatedAt: start(), ExpiresAt: later(time.Hour)}
	if _, _, err := h.Store.Disown(t.Context(), "disown", next, start()); err != nil {
		t.Fatal(err)
	}
	before := h.Account(t, key)
	if _, err := h.Store.SetPassword(t.Context(), "set", "new", later(time.Second)); err != nil {
		t.Fatal(err)
	}
	a := h.Account(t, key)
	if a.PasswordHash != "new" || !a.PasswordAt.Equal(later(time.Second).Time) || a.MustChangePassword || a.Epoch <= before.Epoch {
		t.Errorf("the account: %+v", a)
	}
	if h.EndReason(t, phone) != model.EndPassword || h.EndReason(t, others) != "" {
		t.Errorf("logins ended with %q and %q", h.EndReason(t, phone), h.EndReason(t, others))
	}
	if _, err := h.Store.SetPassword(t.Context(), "spare", "x", start()); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("another link of the account: %v", err)
	}
	if _, err := h.Store.SetPassword(t.Context(), "theirs", "x", start()); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
}

func actsOnce(t *testing.T, h Harness) {
	key := h.NewAccount(t, "e")
	for p, act := range h.acts(t) {
		h.add(t, model.Link{Hash: string(p), Purpose: p, AccountKey: key, Email: "e"})
		racetest.Once(t, 16, model.ErrNotFound, func(int) error { return act(string(p), start()) })
	}
}
