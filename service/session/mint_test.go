package session_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/session"
)

func (f *fixture) mint(m session.Minting) (session.Opened, error) {
	m.AccountKey, m.Username, m.Epoch = f.alice.Key, f.alice.Username, f.alice.Epoch+m.Epoch
	if m.Name == "" {
		m.Name = "backup"
	}
	return f.Mint(f.t.Context(), m)
}

func TestMintedTokenStandsForItsAccount(t *testing.T) {
	f := newFixture(t)
	o, err := f.mint(session.Minting{For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // cold and warm
		f.wantIn(o.Token, "", nil)
		f.wantIn(o.Token, "any program's", nil)
		f.restart()
	}
	login, err := f.resolve(o.Token, "")
	if err != nil || !login.FreshAt.IsZero() || login.DeviceKey != f.DeviceKey(f.alice.Key, session.CommandClient("backup")) {
		t.Errorf("Resolve = %+v, %v, want a login that is never fresh", login, err)
	}
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := f.ListAll(t.Context())
	if err != nil || len(list) != 1 || list[0].Kind != model.DeviceCLI || list[0].UserAgent != "backup" {
		t.Errorf("ListAll = %+v, %v, want the device under its name", list, err)
	}
	f.clock.advance(time.Hour - 2*time.Second)
	f.wantIn(o.Token, "", nil)
	f.clock.advance(3 * time.Second)
	f.wantIn(o.Token, "", session.ErrExpired)
}

func TestMintedTokenEndsAsAnyLogin(t *testing.T) {
	f := newFixture(t)
	o, err := f.mint(session.Minting{For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	f.wantIn(o.Token, "", nil)
	if err := f.EvictAny(t.Context(), o.DeviceKey); err != nil {
		t.Fatal(err)
	}
	f.wantIn(o.Token, "", session.ErrInactive)
}

func TestMintRefuses(t *testing.T) {
	f := newFixture(t)
	for name, lifetime := range map[string]time.Duration{"none": 0, "too short": time.Minute - 1, "longer than logins": 48*time.Hour + 1, "negative": -time.Hour} {
		if o, err := f.mint(session.Minting{For: lifetime}); !errors.Is(err, session.ErrMintFor) || o.Token != "" {
			t.Errorf("%s: Mint = %+v, %v, want %v", name, o, err, session.ErrMintFor)
		}
	}
	if o, err := f.mint(session.Minting{For: time.Hour, Epoch: 7}); !errors.Is(err, session.ErrOvertaken) || o.Token != "" {
		t.Errorf("Mint of another epoch = %+v, %v, want %v", o, err, session.ErrOvertaken)
	}
}
