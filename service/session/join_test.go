package session_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"latchkey/model"
	"latchkey/service/session"
)

const fingerprint = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"

func joining(a model.Account, keyID int64) session.Joining {
	j := session.Joining{AccountKey: a.Key, Epoch: a.Epoch, SSHKeyID: keyID, UserAgent: "OpenSSH_10.0", Address: "203.0.113.9"}
	if keyID != 0 {
		j.Fingerprint = fingerprint
	}
	return j
}

func (f *fixture) join(j session.Joining) session.Opened {
	f.t.Helper()
	opened, err := f.Join(f.t.Context(), j)
	if err != nil {
		f.t.Fatalf("Join = %v", err)
	}
	return opened
}

func (f *fixture) wantStanding(loginID string, want error) {
	f.t.Helper()
	if err := f.Standing(f.t.Context(), loginID); !errors.Is(err, want) {
		f.t.Errorf("Standing = %v, want %v", err, want)
	}
}

// No Client-Id that an HTTP client can send names an SFTP device.
func TestSFTPDevicesAreNobodyElses(t *testing.T) {
	for _, of := range []string{"", fingerprint} {
		if name := session.SFTPClient(of); !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("SFTPClient(%q) = %q, which a header can hold", of, name)
		}
	}
	f := newFixture(t)
	byKey, byPassword := f.join(joining(f.alice, f.store.AddKey(f.alice.Key))), f.join(joining(f.alice, 0))
	web := f.signIn(f.alice, fingerprint)
	if byKey.DeviceKey == byPassword.DeviceKey || byKey.DeviceKey == web.DeviceKey {
		t.Errorf("devices %s, %s and %s, want three", byKey.DeviceKey, byPassword.DeviceKey, web.DeviceKey)
	}
	if d := f.devices(f.caller(web))[byKey.DeviceKey]; d.Kind != model.DeviceSFTP || d.IP != "203.*.*.9" || d.UserAgent != "OpenSSH_10.0" {
		t.Errorf("device %+v", d)
	}
}

func TestConnectionsShareALogin(t *testing.T) {
	f := newFixture(t)
	first := f.join(joining(f.alice, 0))
	for range 50 {
		if again := f.join(joining(f.alice, 0)); again.LoginID != first.LoginID || again.Token != "" {
			t.Fatalf("joined %+v, want %+v", again, first)
		}
	}
	f.wantStanding(first.LoginID, nil)
}

func TestStandingSaysWhatEnded(t *testing.T) {
	f := newFixture(t)
	web := f.signIn(f.alice, laptop)
	evicted := f.join(joining(f.alice, 0))
	f.evict(f.caller(web), evicted.DeviceKey)
	f.wantStanding(evicted.LoginID, session.ErrInactive)
	joined := f.join(joining(f.alice, 0))
	f.endAccount(f.alice.Key, model.EndPassword)
	f.wantStanding(joined.LoginID, session.ErrPasswordChanged)
	f.wantStanding("unknown", session.ErrInvalid)
	if _, err := f.Join(t.Context(), joining(f.alice, 0)); !errors.Is(err, session.ErrOvertaken) {
		t.Errorf("Join on the old terms = %v, want %v", err, session.ErrOvertaken)
	}
	f.store.breakDown(errBroken)
	if err := f.Standing(t.Context(), joined.LoginID); !errors.Is(err, errBroken) {
		t.Errorf("Standing without a database = %v, want that it cannot be known", err)
	}
}

func TestEvictedKeyDoesNotJoin(t *testing.T) {
	f := newFixture(t)
	id := f.store.AddKey(f.alice.Key)
	web, joined := f.signIn(f.alice, laptop), f.join(joining(f.alice, id))
	f.evict(f.caller(web), joined.DeviceKey)
	if _, err := f.Join(t.Context(), joining(f.alice, id)); !errors.Is(err, session.ErrOvertaken) {
		t.Errorf("Join = %v, want %v", err, session.ErrOvertaken)
	}
}

func TestHoldKeepsLoginsAlive(t *testing.T) {
	f := newFixture(t)
	held, let, over := f.join(joining(f.alice, 0)), f.signIn(f.alice, phone), f.signIn(f.alice, laptop)
	f.evict(f.caller(over), over.DeviceKey)
	hold := func() []string {
		t.Helper()
		now := f.clock.now()
		alive, err := f.Hold(t.Context(), []session.Held{
			{LoginID: held.LoginID, DeviceKey: held.DeviceKey, UsedAt: now}, {LoginID: over.LoginID, DeviceKey: over.DeviceKey, UsedAt: now},
		})
		if err != nil {
			t.Fatalf("Hold = %v", err)
		}
		return alive
	}
	for range 10 {
		f.clock.advance(f.cfg.Lifetime - time.Minute)
		if alive := hold(); !slices.Equal(alive, []string{held.LoginID}) {
			t.Fatalf("alive: %v, want %v", alive, held.LoginID)
		}
	}
	f.wantStanding(held.LoginID, nil)
	f.wantStanding(let.LoginID, session.ErrExpired)
	f.wantStanding(over.LoginID, session.ErrInactive)
	f.clock.advance(f.cfg.Lifetime + time.Second)
	if alive := hold(); len(alive) != 0 {
		t.Errorf("alive after its lifetime without being held: %v", alive)
	}
}

func TestHoldCountsAsUse(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Minute })
	used, unused := f.join(joining(f.alice, 0)), f.join(joining(f.alice, f.store.AddKey(f.alice.Key)))
	idle := f.clock.now()
	for range 3 {
		f.clock.advance(5 * time.Minute)
		_, err := f.Hold(t.Context(), []session.Held{
			{LoginID: used.LoginID, DeviceKey: used.DeviceKey, UsedAt: f.clock.now()},
			{LoginID: unused.LoginID, DeviceKey: unused.DeviceKey, UsedAt: idle},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f.wantStanding(used.LoginID, nil)
	f.wantStanding(unused.LoginID, session.ErrInactive)
}

// A password at the SFTP door comes from a device that anybody is: it says
// neither who guesses nor that somebody was there before.
func TestSFTPPasswordIsNobodysDevice(t *testing.T) {
	f := newFixture(t)
	id := f.store.AddKey(f.alice.Key)
	f.signIn(f.alice, laptop) // the first sign-in of an account is no news
	at := func(j session.Joining, address string) session.Joining {
		j.Address = address
		return j
	}
	for _, tt := range []struct {
		what string
		j    session.Joining
		news bool
	}{
		{"the password", joining(f.alice, 0), true},
		{"the password from there again", joining(f.alice, 0), false},
		{"the password from elsewhere", at(joining(f.alice, 0), "198.51.100.7"), true},
		{"a key", joining(f.alice, id), true},
		{"the key from elsewhere", at(joining(f.alice, id), "198.51.100.8"), false},
	} {
		if opened := f.join(tt.j); (opened.New != nil) != tt.news {
			t.Errorf("%s: new is %v, want %v", tt.what, opened.New != nil, tt.news)
		}
	}
	if known, err := f.Known(t.Context(), f.alice.Key, session.SFTPClient("")); err != nil || known {
		t.Errorf("Known = %v, %v: the whole world is known to the account", known, err)
	}
}
