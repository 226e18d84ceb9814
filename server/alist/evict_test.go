package alist_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/server/servertest"
)

func TestEvictionOfWhatIsNoDeviceOfTheCaller(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in, foreign := s.Admin(t, "laptop"), s.SignIn(t, "alice", password, "phone")
	for name, body := range map[string]any{
		"an unknown id":             object{"session_id": "0123456789abcdef0123456789abcdef"},
		"somebody else's":           object{"session_id": foreign.DeviceKey},
		"somebody else's, by alias": object{"device_key": foreign.DeviceKey},
		"an empty id":               object{"session_id": ""},
		"two empty ids":             object{"session_id": "", "device_key": ""},
		"a null id":                 object{"session_id": nil},
		"no id":                     object{},
		"the id in capitals":        object{"session_id": strings.ToUpper(in.DeviceKey)},
		"the id with a blank":       object{"session_id": in.DeviceKey + " "},
		"a pattern":                 object{"session_id": "%"},
		"SQL":                       object{"session_id": "' OR '1'='1"},
		"an id of another key":      object{"id": in.DeviceKey},
	} {
		wantRefused(t, name, s.post(t, in.Token, evictRoute, body), http.StatusBadRequest, noSession)
	}
	for name, tt := range map[string]struct{ body, message string }{
		"no body":                {``, "request body is empty"},
		"a list":                 {`["` + in.DeviceKey + `"]`, "request body must be a JSON object"},
		"a number":               {`{"session_id":1}`, `field "session_id" must be a string`},
		"a list for the id":      {`{"session_id":["` + in.DeviceKey + `"]}`, `field "session_id" must be a string`},
		"the id and its alias":   {`{"session_id":"` + in.DeviceKey + `","SESSION_ID":"x"}`, "request body names a field twice"},
		"an object and garbage":  {`{"session_id":"` + in.DeviceKey + `"}x`, "request body is not valid JSON"},
		"half an object":         {`{"session_id":"` + in.DeviceKey, "request body is not valid JSON"},
		"a string for an object": {`"` + in.DeviceKey + `"`, "request body must be a JSON object"},
	} {
		wantRefused(t, name, s.post(t, in.Token, evictRoute, tt.body), http.StatusBadRequest, tt.message)
	}
	s.wantAlive(t, "the caller", in.Token, "admin")
	s.wantAlive(t, "somebody else", foreign.Token, "alice")
}

func TestEvictionTakesTheIDByBothNames(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	for _, key := range []string{"session_id", "device_key", "Session_ID"} {
		other := s.Admin(t, "phone")
		wantDone(t, key, s.post(t, in.Token, evictRoute, object{key: other.DeviceKey}))
		s.wantDead(t, key, other.Token, inactive)
		wantDone(t, key+" again", s.post(t, in.Token, evictRoute, object{key: other.DeviceKey}))
	}
	wantDone(t, "the own device", s.post(t, in.Token, evictRoute, object{"session_id": in.DeviceKey}))
	s.wantDead(t, "the caller", in.Token, inactive)
	s.wantDead(t, "the caller, again", in.Token, inactive)
}

// S-03: however its tokens are presented, nothing lets an evicted device in,
// and nothing that it tries makes a device.
func TestEvictedDeviceStaysOutInEveryDisguise(t *testing.T) {
	for _, device := range []string{"laptop", ""} {
		s := open(t)
		first := s.Admin(t, device)
		s.clock.Advance(time.Second)
		second := s.Admin(t, device)
		s.get(t, second.Token, "/api/me") // remembered in memory from here on; the first is not
		wantDone(t, "evict", s.post(t, s.App.AdminToken(), evictRoute, object{"session_id": first.DeviceKey}))
		for _, token := range []string{first.Token, second.Token} {
			for _, r := range disguises(token) {
				r.From = "203.0.113.200"
				got := s.Do(t, r)
				wantRefused(t, r.Method+r.Path+" as "+r.ClientID, got, http.StatusUnauthorized, inactive)
			}
		}
		if ids := s.devices(t, s.App.AdminToken()); len(ids) != 0 {
			t.Errorf("device %q: its tries made the devices %v", device, ids)
		}
		s.wantAlive(t, "the device after a new sign-in", s.Admin(t, device).Token, "admin")
		s.wantDead(t, "its old token after that", first.Token, inactive)
	}
}

// disguises are requests that carry the token.
func disguises(token string) []servertest.Request {
	var list []servertest.Request
	add := func(r servertest.Request) {
		for _, presented := range []string{token, "Bearer " + token, "bearer  " + token, " " + token + " "} {
			r.Token = presented
			list = append(list, r)
		}
	}
	for _, clientID := range []string{"", "laptop", "laptop-new", "LAPTOP"} {
		for _, path := range []string{"/api/me", sessionsRoute, "/api/me/sshkey/list", adminListRoute, logoutRoute} {
			add(servertest.Request{Path: path, ClientID: clientID})
		}
		for path, body := range map[string]any{
			evictRoute: object{"session_id": ""}, updateRoute: object{"username": "admin"}, cleanRoute: object{}, generateRoute: nil,
			"/api/me/sshkey/add": object{"title": "t", "key": "k"},
		} {
			add(servertest.Request{Method: http.MethodPost, Path: path, ClientID: clientID, Body: body})
		}
	}
	add(servertest.Request{Path: "/api/me?client_id=laptop"})
	add(servertest.Request{Path: "/api/me?client_id=other"})
	add(servertest.Request{Path: "/api/me", Header: map[string]string{"User-Agent": firefox, "X-Forwarded-For": "192.0.2.1"}})
	return list
}

// Requests of the device that run while it is evicted, and the notes of when it
// was used that are written meanwhile, must not bring it back.
func TestEvictionIsNotUndoneByRequestsUnderWay(t *testing.T) {
	s := open(t)
	const rounds, workers = 15, 8
	for round := range rounds {
		in := s.Admin(t, "laptop")
		s.clock.Advance(2 * time.Minute) // its use is worth a note again
		var group sync.WaitGroup
		stop := make(chan struct{})
		for worker := range workers {
			group.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						s.use(t, in.Token, worker)
					}
				}
			})
		}
		wantDone(t, "evict", s.post(t, s.App.AdminToken(), evictRoute, object{"session_id": in.DeviceKey}))
		s.wantDead(t, "at once", in.Token, inactive)
		close(stop)
		group.Wait()
		if err := s.App.Sessions.Flush(t.Context()); err != nil {
			t.Fatalf("flush: %v", err)
		}
		s.wantDead(t, "after its requests", in.Token, inactive)
		if ids := s.devices(t, s.App.AdminToken()); len(ids) != 0 {
			t.Fatalf("round %d: the device is back: %v", round+1, ids)
		}
	}
}

// use sends a request from an address of the worker's own, which is noted at
// once; every second worker also has the notes written.
func (s *site) use(t *testing.T, token string, worker int) {
	t.Helper()
	s.Do(t, servertest.Request{Path: sessionsRoute, Token: token, From: fmt.Sprintf("198.51.100.%d", worker+1)})
	if worker%2 == 0 {
		if err := s.App.Sessions.Flush(t.Context()); err != nil {
			t.Errorf("flush: %v", err)
		}
	}
}

func TestEvictionOutlivesTheCleaningOfTheDevice(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"device_session_ttl": "2"})
	in := s.Admin(t, "laptop")
	wantDone(t, "evict", s.post(t, s.App.AdminToken(), evictRoute, object{"session_id": in.DeviceKey}))
	for _, wait := range []time.Duration{3 * time.Second, 24 * time.Hour, 23*time.Hour + 59*time.Minute} {
		s.clock.Advance(wait)
		if err := s.App.Sessions.Clean(t.Context()); err != nil {
			t.Fatalf("clean: %v", err)
		}
		s.wantDead(t, "after "+wait.String()+" more", in.Token, inactive)
	}
	wantDone(t, "clean by hand", s.post(t, s.App.AdminToken(), cleanRoute, object{}))
	s.wantDead(t, "after a cleaning by hand", in.Token, inactive)
	s.clock.Advance(72 * time.Hour)
	if err := s.App.Sessions.Clean(t.Context()); err != nil {
		t.Fatalf("clean: %v", err)
	}
	// Its reason may be forgotten with the row; that it is refused may not.
	if got := s.get(t, in.Token, "/api/me"); got.Code != http.StatusUnauthorized {
		t.Errorf("when nothing of it is left: %s", got.Text)
	}
}

// Cleaning takes idle rows away, and never a device that can still be used.
func TestCleaningSparesDevicesWithALiveToken(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"device_session_ttl": "2"})
	in := s.Admin(t, "laptop")
	s.clock.Advance(47 * time.Hour)
	if err := s.App.Sessions.Clean(t.Context()); err != nil {
		t.Fatalf("clean: %v", err)
	}
	s.wantAlive(t, "an idle device", in.Token, "admin")
	if ids := s.devices(t, in.Token); len(ids) != 1 {
		t.Errorf("devices %v, want the one that is alive", ids)
	}
}
