package server_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
)

// keyOf makes a key of the account. It expires then; zero: never.
func keyOf(t testing.TB, s *servertest.Server, now, expires time.Time, name string) (text string, key model.APIKey) {
	t.Helper()
	by := access.Caller{Kind: access.SessionToken, Account: &access.Account{Key: s.Key(t, "ann")}, FreshAt: now}
	text, key, err := s.App.APIKeys().Create(t.Context(), by, apikey.Wanted{Name: name, Scopes: []string{"me.read"}, ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	return text, key
}

func (f *fortress) lookAfterKeys(t testing.TB) {
	t.Helper()
	if err := f.App.APIKeys().Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOwnersHearOfTheirAPIKeys(t *testing.T) {
	w := watch(t)
	text, key := keyOf(t, w.Server, w.clock.Now(), w.clock.Now().Add(30*24*time.Hour), "nightly backup")
	w.clock.Advance(23 * 24 * time.Hour)
	heard := func(event, subject string, do func()) string {
		t.Helper()
		w.hook.take()
		letter := only(t, w.mailed(t, do))
		if !strings.Contains(letter.Subject, subject) || !strings.Contains(letter.Text, "nightly backup") {
			t.Errorf("mailed %q:\n%s", letter.Subject, letter.Text)
		}
		posts := w.hook.take()
		if len(posts) != 1 || posts[0].event.Event != event || !strings.Contains(string(posts[0].body), `"prefix":"`+key.Prefix+`"`) {
			t.Errorf("posted %+v, want one %s", posts, event)
		}
		for _, shown := range []string{letter.Text, string(posts[0].body)} {
			if strings.Contains(shown, text[8:]) {
				t.Errorf("it shows the key: %s", shown)
			}
		}
		return letter.Text
	}
	told := heard("api_key_expiring", "expires soon", func() { w.lookAfterKeys(t) })
	if !strings.Contains(told, key.ExpiresAt.Format("2 January 2006, 15:04 UTC")) {
		t.Errorf("it does not say when:\n%s", told)
	}
	if letters := w.mailed(t, func() { w.lookAfterKeys(t) }); len(letters) != 0 {
		t.Errorf("told twice: %+v", letters)
	}
	heard("api_key_leaked", "was found by somebody", func() {
		if err := w.App.APIKeys().Leaked(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	})
	var kinds []string
	for _, e := range w.events(t, "username=ann&per_page=3") {
		kinds = append(kinds, e.Event)
	}
	if want := []string{"api_key_revoked", "api_key_expiring"}; !slices.Equal(kinds[:2], want) {
		t.Errorf("events %q, want %q first", kinds, want)
	}
}

func TestTheOperatorDecidesAboutUnusedAPIKeys(t *testing.T) {
	f := besiege(t)
	f.AddUser(t, "ann")
	text, _ := keyOf(t, f.Server, f.clock.Now(), time.Time{}, "forgotten")
	works := func() error {
		_, err := f.App.APIKeys().Resolve(t.Context(), apikey.Presented{Text: text, Address: here})
		return err
	}
	newest := func() string { return f.events(t, "username=ann&per_page=1")[0].Event }
	f.clock.Advance(180 * 24 * time.Hour)
	f.lookAfterKeys(t)
	if got := newest(); got != "api_key_unused" {
		t.Errorf("the newest event is %s", got)
	}
	if err := f.App.SetSetting(t.Context(), "apikey_unused_switch_off", "true"); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Hour)
	f.lookAfterKeys(t)
	if got := newest(); got != "api_key_revoked" {
		t.Errorf("the newest event is %s", got)
	}
	if err := works(); !errors.Is(err, apikey.ErrInvalid) {
		t.Errorf("Resolve = %v, want ErrInvalid", err)
	}
}

// What requests left behind is in the database after a restart, and what ended
// stays ended.
func TestAPIKeysSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	s.AddUser(t, "ann")
	text, key := keyOf(t, s.Server, time.Now(), time.Time{}, "kept")
	gone, _ := keyOf(t, s.Server, time.Now(), time.Time{}, "gone")
	keys := s.App.APIKeys()
	for _, shown := range []string{text, gone} {
		if _, err := keys.Resolve(t.Context(), apikey.Presented{Text: shown, Address: here}); err != nil {
			t.Fatal(err)
		}
	}
	if err := keys.Leaked(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	s.end(t)

	s = serve(t, folder, nil)
	defer s.end(t)
	keys = s.App.APIKeys()
	if v, err := keys.Get(t.Context(), key.AccountKey, key.ID); err != nil || v.LastUsedAt.IsZero() || v.LastUsedIP != "198.*.*.7" {
		t.Errorf("after the restart: %+v, %v", v, err)
	}
	if _, err := keys.Resolve(t.Context(), apikey.Presented{Text: text}); err != nil {
		t.Errorf("the key = %v", err)
	}
	if _, err := keys.Resolve(t.Context(), apikey.Presented{Text: gone}); !errors.Is(err, apikey.ErrInvalid) {
		t.Errorf("the key that leaked = %v", err)
	}
}
