package alist_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey/server/servertest"
)

const tooManyDevices = "too many active devices"

func TestDeviceLimitRefusesOneDeviceTooMany(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.save(t, map[string]string{"max_devices": "2", "device_evict_policy": "deny"})
	first := s.Admin(t, "a")
	s.Admin(t, "")
	third := func() servertest.Reply {
		return s.Do(t, servertest.Request{Path: plainRoute, ClientID: "c", Body: object{"username": "admin", "password": password}})
	}
	wantRefused(t, "a third device", third(), http.StatusForbidden, tooManyDevices)
	s.wantAlive(t, "a device again", s.Admin(t, "a").Token, "admin")
	s.wantAlive(t, "the device without a Client-Id again", s.Admin(t, "").Token, "admin")
	s.wantAlive(t, "somebody else", s.SignIn(t, "alice", password, "a").Token, "alice")
	s.wantAlive(t, "a device that is there", first.Token, "admin")
	wantDone(t, "logout", s.get(t, first.Token, logoutRoute))
	if got := third(); got.Code != http.StatusOK {
		t.Errorf("a third device after one has left: %s", got.Text)
	}
	wantRefused(t, "the first, which left", s.Do(t, servertest.Request{
		Path: plainRoute, ClientID: "a", Body: object{"username": "admin", "password": password},
	}), http.StatusForbidden, tooManyDevices)
}

// A limit that is lowered takes effect on the devices that are there already.
func TestDeviceLimitIsEnforcedDownToTheLimit(t *testing.T) {
	s := open(t)
	var all []servertest.SignedIn
	for i := range 7 {
		s.clock.Advance(time.Minute)
		all = append(all, s.Admin(t, fmt.Sprintf("device-%d", i)))
	}
	s.clock.Advance(time.Hour)
	s.wantAlive(t, "the oldest, which is in use", all[0].Token, "admin")
	s.save(t, map[string]string{"max_devices": "2", "device_evict_policy": "evict_oldest"})
	s.clock.Advance(time.Minute)
	fresh := s.Admin(t, "new")
	want := []string{all[0].DeviceKey, fresh.DeviceKey}
	if got := s.devices(t, fresh.Token); !slices.Equal(got, want) {
		t.Errorf("devices %v, want %v: the one in use and the new one", got, want)
	}
	for i, in := range all[1:] {
		s.wantDead(t, fmt.Sprintf("idle device %d", i+1), in.Token, inactive)
	}
}

func TestDeviceLimitHoldsForParallelSignIns(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"max_devices": "3", "device_evict_policy": "evict_oldest"})
	const parallel = 8 // more at once from a new address would look like guessing
	for round := range 3 {
		var group sync.WaitGroup
		for i := range parallel {
			group.Go(func() {
				got := s.Do(t, servertest.Request{
					Path: plainRoute, ClientID: fmt.Sprintf("device-%d-%d", round, i), Body: object{"username": "admin", "password": password},
				})
				if got.Code != http.StatusOK {
					t.Errorf("sign in: %s", got.Text)
				}
			})
		}
		group.Wait()
		if ids := s.devices(t, s.App.AdminToken()); len(ids) != 3 {
			t.Fatalf("%d devices after %d parallel sign-ins, want 3", len(ids), parallel)
		}
	}
}

// A device whose row was cleaned while its token lives still counts.
func TestDeviceLimitCountsLiveTokens(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"max_devices": "1", "device_session_ttl": "60"})
	in := s.Admin(t, "a")
	s.clock.Advance(time.Hour)
	if err := s.App.Sessions.Clean(t.Context()); err != nil {
		t.Fatalf("clean: %v", err)
	}
	second := func() servertest.Reply {
		return s.Do(t, servertest.Request{Path: plainRoute, ClientID: "b", Body: object{"username": "admin", "password": password}})
	}
	wantRefused(t, "a second device", second(), http.StatusForbidden, tooManyDevices)
	s.wantAlive(t, "the first", in.Token, "admin")
	s.clock.Advance(48 * time.Hour)
	if got := second(); got.Code != http.StatusOK {
		t.Errorf("a second device after the first's token expired: %s", got.Text)
	}
}

// Programs sign in every hour and never out.
func TestSignInsWithoutClientIDAreOneDevice(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"max_devices": "1"})
	var all []servertest.SignedIn
	for range 47 {
		all = append(all, s.Admin(t, ""))
		s.clock.Advance(time.Hour)
	}
	for i, in := range all {
		s.wantAlive(t, fmt.Sprintf("login %d", i+1), in.Token, "admin")
	}
	if ids := s.devices(t, s.App.AdminToken()); len(ids) != 1 {
		t.Errorf("devices %v, want one", ids)
	}
}

func TestLoginsBelowADeviceAreBounded(t *testing.T) {
	s := open(t)
	var all []servertest.SignedIn
	for range 21 {
		all = append(all, s.Admin(t, "laptop"))
		s.clock.Advance(time.Minute)
	}
	s.wantDead(t, "the one unused for longest", all[0].Token, inactive)
	for _, in := range all[1:] {
		s.wantAlive(t, "a later one", in.Token, "admin")
	}
}
