package account_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/revocation"
)

func TestCreateRefuses(t *testing.T) {
	f := newFixture(t)
	f.create(t, "Jürgen")
	for name, tt := range map[string]struct {
		in   string
		want error
	}{
		"a taken name":                   {"Jürgen", account.ErrNameTaken},
		"a name that differs in case":    {"JÜRGEN", account.ErrNameTaken},
		"a name composed in another way": {"ju\u0308rgen", account.ErrNameTaken},
		"a name in fullwidth letters":    {"\uff41dmin", account.ErrNameTaken},
		"a name that is none":            {"a/b", account.ErrName},
		"no name":                        {"", account.ErrName},
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := f.Create(t.Context(), tt.in, "hash"); !errors.Is(err, tt.want) {
				t.Errorf("Create(%q) = %v, %v, want %v", tt.in, a, err, tt.want)
			}
		})
	}
	if next := f.create(t, "next"); next.ID != 4 {
		t.Errorf("the next id is %d, want 4: refusals cost none", next.ID)
	}
}

func TestForSignIn(t *testing.T) { // ruling 10
	f := newFixture(t)
	bob := f.create(t, "Bob")
	for _, spelling := range []string{"Bob", "bob", "BOB", "\uff22ob"} {
		if got := f.key(t, spelling); got != bob.Key {
			t.Errorf("ForSignIn(%q) found %q, want Bob", spelling, got)
		}
	}
	for _, unknown := range []string{"", "bo", "bobb", " bob", "%", "Bob\x00"} {
		if a, err := f.ForSignIn(t.Context(), unknown); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("ForSignIn(%q) = %q, %v, want %v", unknown, a.Username, err, account.ErrUnknown)
		}
	}
	twin, err := f.store.CreateAccount(t.Context(), model.Account{Key: "twin", Username: "bOB", NameFolded: "bob", NameKey: "bOB"})
	if err != nil {
		t.Fatal(err)
	}
	if f.key(t, "bOB") != twin.Key || f.key(t, "Bob") != bob.Key {
		t.Error("an exact spelling does not find its own account")
	}
	if _, err := f.ForSignIn(t.Context(), "bob"); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("ForSignIn of a name that means two = %v, want %v", err, account.ErrUnknown)
	}
}

func TestChangeTellsEverybodyAfterTheCommit(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "before")
	login := f.store.Attach(a.Key)
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		what  string
		do    func() error
		event string
		is    func(s *access.Account) bool
		ended model.EndReason
	}{
		{
			"a name", func() error { return f.Change(t.Context(), a.Key, account.Change{Username: text("After")}) },
			"profile_changed", func(s *access.Account) bool { return s.Username == "After" }, "",
		},
		{
			"the case of the name", func() error { return f.Change(t.Context(), a.Key, account.Change{Username: text("AFTER")}) },
			"profile_changed", func(s *access.Account) bool { return s.Username == "AFTER" }, "",
		},
		{
			"an SSO id", func() error { return f.Change(t.Context(), a.Key, account.Change{SSOID: text("x")}) },
			"profile_changed", func(s *access.Account) bool { return s.SSOID == "x" && s.Username == "AFTER" && s.Epoch == 0 }, "",
		},
		{
			"a password", func() error { return f.Change(t.Context(), a.Key, account.Change{PasswordHash: text("top secret")}) },
			"password_changed", func(s *access.Account) bool { return s.Epoch == 1 }, model.EndPassword,
		},
		{
			"disabling", func() error { return f.SetDisabled(t.Context(), a.Key, true) },
			"account_disabled", func(s *access.Account) bool { return s.Disabled && s.Epoch == 2 }, model.EndPassword,
		},
		{
			"enabling", func() error { return f.SetDisabled(t.Context(), a.Key, false) },
			"account_enabled", func(s *access.Account) bool { return !s.Disabled }, model.EndPassword,
		},
	} {
		f.snapshot(t, a.Key)
		f.notices = nil
		f.log.Reset()
		if err := tt.do(); err != nil {
			t.Errorf("%s = %v", tt.what, err)
		}
		if diff := cmp.Diff([]revocation.Notice{{AccountKey: a.Key}}, f.notices); diff != "" {
			t.Errorf("%s: notices (-want +got):\n%s", tt.what, diff)
		}
		if s := f.snapshot(t, a.Key); !tt.is(s) {
			t.Errorf("%s: the snapshot is %+v", tt.what, s)
		}
		if got := f.store.EndReason(login); got != tt.ended {
			t.Errorf("%s: the login ended for %q, want %q", tt.what, got, tt.ended)
		}
		if line := f.log.String(); !strings.Contains(line, "event="+tt.event+" ") || !strings.Contains(line, "account_key="+a.Key) || strings.Contains(line, "secret") {
			t.Errorf("%s: the log says %q, want the event %s", tt.what, line, tt.event)
		}
	}
}

func TestRefusedChangeTellsNobody(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "a")
	login := f.store.Attach(a.Key)
	f.notices = nil
	f.log.Reset()
	text := func(s string) *string { return &s }
	for name, tt := range map[string]struct {
		do   func() error
		want error
	}{
		"a taken name": {func() error {
			return f.Change(t.Context(), a.Key, account.Change{Username: text("ADMIN"), PasswordHash: text("x")})
		}, account.ErrNameTaken},
		"a name that is none": {func() error {
			return f.Change(t.Context(), a.Key, account.Change{Username: text("a\n"), PasswordHash: text("x")})
		}, account.ErrName},
		"an unknown account": {func() error { return f.Change(t.Context(), "nobody", account.Change{PasswordHash: text("x")}) }, account.ErrUnknown},
		"disabling nobody":   {func() error { return f.SetDisabled(t.Context(), "nobody", true) }, account.ErrUnknown},
		"deleting nobody":    {func() error { return f.Delete(t.Context(), "nobody") }, account.ErrUnknown},
	} {
		if err := tt.do(); !errors.Is(err, tt.want) {
			t.Errorf("%s = %v, want %v", name, err, tt.want)
		}
	}
	if len(f.notices) > 0 || f.log.Len() > 0 {
		t.Errorf("refusals sent %v and logged %q", f.notices, f.log)
	}
	if got := f.store.EndReason(login); got != "" {
		t.Errorf("a refusal ended a login: %q", got)
	}
}

func TestDeleteForgets(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "a")
	f.snapshot(t, a.Key)
	f.log.Reset()
	f.notices = nil
	if err := f.Delete(t.Context(), a.Key); err != nil {
		t.Fatalf("Delete = %v", err)
	}
	if _, err := f.Snapshot(t.Context(), a.Key); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("Snapshot = %v, want %v", err, account.ErrUnknown)
	}
	if _, err := f.Profile(t.Context(), a.Key); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("Profile = %v, want %v", err, account.ErrUnknown)
	}
	if _, err := f.ForSignIn(t.Context(), "a"); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("ForSignIn = %v, want %v", err, account.ErrUnknown)
	}
	if diff := cmp.Diff([]revocation.Notice{{AccountKey: a.Key}}, f.notices); diff != "" || !strings.Contains(f.log.String(), "event=account_deleted ") {
		t.Errorf("notices (-want +got):\n%s\nlog: %s", diff, f.log)
	}
	if again := f.create(t, "a"); again.ID == a.ID || again.Key == a.Key {
		t.Errorf("a new account of the same name got the id or key of the old one")
	}
}
