package sessiontest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/session"
)

// Harness is an empty store and the way to give it accounts.
type Harness struct {
	Store session.Store
	// NewAccount adds an account with a key, id and name that no other has;
	// prepare, which may be nil, sets Epoch, Disabled and SessionTTL.
	NewAccount func(t *testing.T, prepare func(*model.Account)) model.Account
	// ChangePassword ends the account's logins and raises its epoch.
	ChangePassword func(t *testing.T, accountKey string, at model.Time)
	// DeleteAccount deletes the account and all that hangs on it.
	DeleteAccount func(t *testing.T, accountKey string)
	// NewKey adds an SSH key to the account and returns its id.
	NewKey func(t *testing.T, accountKey string) int64
	// Key is the account's SSH key with the id; a zero one if it is gone.
	Key func(t *testing.T, accountKey string, id int64) model.SSHKey
	// DeleteKey deletes the key as its owner does.
	DeleteKey func(t *testing.T, accountKey string, id int64)
}

// Conformance is what every store of sessions must do. open is called once for
// each subtest and returns a store that nobody else uses.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for _, suite := range []map[string]func(*testing.T, *stage){
		opening(), limits(), loginCaps(), endings(), touching(), lists(), cleaning(), expiries(), places(), parallel(),
		freshness(), others(), joining(), suspending(), granted(),
	} {
		for _, name := range slices.Sorted(maps.Keys(suite)) {
			t.Run(name, func(t *testing.T) { suite[name](t, &stage{t: t, Harness: open(t)}) })
		}
	}
}

// stage is a store with the words in which the suite speaks of it. Devices go
// by one-word names, times by their distance from a fixed start.
type stage struct {
	Harness

	t      *testing.T
	opened int
}

// at is the instant so long after the start of all tests.
func at(after time.Duration) model.Time {
	return model.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(after))
}

const lifetime = 48 * time.Hour

func (s *stage) account() model.Account { return s.NewAccount(s.t, nil) }

// request is an opening without a limit that could matter.
func (s *stage) request(a model.Account, device string, after time.Duration) model.LoginOpening {
	s.opened++
	key := deviceKey(a, device)
	return model.LoginOpening{
		Login: model.Login{
			ID: fmt.Sprintf("%s login %03d", a.Key, s.opened), AccountKey: a.Key, DeviceKey: key,
			CreatedAt: at(after), FreshAt: at(after), SeenAt: at(after), ExpiresAt: at(after + lifetime),
		},
		Device: model.Device{
			Key: key, AccountKey: a.Key, Kind: model.DeviceWeb, UserAgent: "Mozilla/5.0 " + device, IP: "192.*.*.7",
			CreatedAt: at(after), SeenAt: at(after),
		},
		Live: model.Live{At: at(after)}, Epoch: a.Epoch, DeviceCap: 100, LoginCap: 20,
		KeepEnded: 1000, KeepIdle: 100,
	}
}

func deviceKey(a model.Account, device string) string { return a.Key + " " + device }

// open opens a login that must open, and returns its id.
func (s *stage) open(o model.LoginOpening) string {
	s.t.Helper()
	if _, err := s.Store.OpenLogin(s.t.Context(), o); err != nil {
		s.t.Fatalf("OpenLogin of %s = %v", o.Device.Key, err)
	}
	return o.Login.ID
}

// signIn is open without any limit.
func (s *stage) signIn(a model.Account, device string, after time.Duration) string {
	s.t.Helper()
	return s.open(s.request(a, device, after))
}

func (s *stage) login(id string) model.Login {
	s.t.Helper()
	l, err := s.Store.Login(s.t.Context(), id)
	if err != nil {
		s.t.Fatalf("Login(%s) = %v", id, err)
	}
	return l
}

// wantReason checks why a login is over; "" means that it is not.
func (s *stage) wantReason(id string, want model.EndReason) {
	s.t.Helper()
	l := s.login(id)
	if l.EndReason != want || l.EndedAt.IsZero() != (want == "") {
		s.t.Errorf("login %s ended at %v with reason %q, want reason %q", id, l.EndedAt, l.EndReason, want)
	}
}

func (s *stage) list(accountKey string, l model.Live) []model.DeviceView {
	s.t.Helper()
	list, err := s.Store.Devices(s.t.Context(), accountKey, l)
	if err != nil {
		s.t.Fatalf("Devices = %v", err)
	}
	return list
}

// wantActive checks which of the account's devices are active, oldest first.
func (s *stage) wantActive(a model.Account, after time.Duration, want ...string) {
	s.t.Helper()
	got := []string{}
	for _, d := range s.list(a.Key, model.Live{At: at(after)}) {
		got = append(got, d.Key)
	}
	keys := []string{}
	for _, device := range want {
		keys = append(keys, deviceKey(a, device))
	}
	if diff := cmp.Diff(keys, got); diff != "" {
		s.t.Errorf("active devices (-want +got):\n%s", diff)
	}
}

// hasRow reports whether the device has a row, whether active or not.
func (s *stage) hasRow(a model.Account, device string) bool {
	s.t.Helper()
	seen, err := s.Store.DeviceSeen(s.t.Context(), a.Key, deviceKey(a, device), at(-time.Hour*10_000))
	if err != nil {
		s.t.Fatalf("DeviceSeen = %v", err)
	}
	return seen
}

func (s *stage) touch(id string, a model.Account, device string, after time.Duration) {
	s.t.Helper()
	err := s.Store.Touch(s.t.Context(), []model.Touch{{
		LoginID: id, DeviceKey: deviceKey(a, device), At: at(after), UserAgent: "touched", IP: "10.*.*.1",
	}})
	if err != nil {
		s.t.Fatalf("Touch = %v", err)
	}
}

// end evicts a device.
func (s *stage) end(a model.Account, device string, after time.Duration) {
	s.t.Helper()
	if _, _, err := s.Store.EndDevice(s.t.Context(), a.Key, deviceKey(a, device), model.EndEvicted, at(after)); err != nil {
		s.t.Fatalf("EndDevice of %s = %v", device, err)
	}
}
