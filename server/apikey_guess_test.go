package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/secret"
)

const tooManyKeys = "Too many wrong API keys have been sent from this address, try again later"

// tryKeys sends n wrong keys from an address, and returns how many were called
// wrong before the rest was refused unseen.
func (h *keyHouse) tryKeys(t testing.TB, from string, n int) int {
	t.Helper()
	told := 0
	for range n {
		got := h.Do(t, withKey(secret.NewBearer(secret.APIKey), servertest.Request{Path: "/api/me", From: from}))
		if got.Status == http.StatusTooManyRequests {
			refused(t, "one too many", got, http.StatusTooManyRequests, tooManyKeys)
			if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 20 {
				t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
			}
			continue
		}
		refused(t, "a wrong key", got, http.StatusUnauthorized, "Invalid API key")
		told++
	}
	return told
}

// P-03, decision 16: wrong keys count against the address, and only further
// wrong keys feel it.
func TestWrongKeysAreThrottledByAddress(t *testing.T) {
	h := openKeyHouse(t)
	key := h.keyOf(t, "admin", access.MeRead)
	expired, _ := h.key(t, "admin", apikey.Wanted{Scopes: []string{"me.read"}, ExpiresAt: h.clock.Now().Add(time.Second)})
	revoked := h.keyOf(t, "admin", access.MeRead)
	if err := h.App.APIKeys().Leaked(t.Context(), revoked); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(time.Second)
	const from = "2001:db8:1:2::1"
	me := servertest.Request{Path: "/api/me", From: from}
	for range 30 { // what was a key once is no guess
		refused(t, "expired", h.Do(t, withKey(expired, me)), http.StatusUnauthorized, "API key expired")
		refused(t, "revoked", h.Do(t, withKey(revoked, me)), http.StatusUnauthorized, "Invalid API key")
		refused(t, "a hint", h.Do(t, withKey("eyJ.e.y", me)), http.StatusUnauthorized, "Invalid API key: this is a login token, send it in Authorization")
		refused(t, "no key by its looks", h.Do(t, withKey("hunter2", me)), http.StatusUnauthorized, "Invalid API key")
	}
	if told := h.tryKeys(t, from, 40); told != 15 {
		t.Errorf("%d wrong keys were called wrong, want 15", told)
	}
	refused(t, "a mistyped one", h.Do(t, withKey(key[:20], me)), http.StatusTooManyRequests, tooManyKeys)
	if told := h.tryKeys(t, "2001:db8:1:2:3::9", 1); told != 0 {
		t.Error("another address of the /64 is not held back")
	}
	if told := h.tryKeys(t, "192.0.2.77", 1); told != 1 {
		t.Error("another address is held back")
	}
	if got := h.Do(t, withKey(key, me)); got.Status != http.StatusOK {
		t.Errorf("a right key from there: %s", got.Text)
	}
	if got := h.Do(t, servertest.Request{Path: "/api/auth/login", From: from, Body: map[string]string{"username": "admin", "password": servertest.AdminPassword}}); got.Code != http.StatusOK {
		t.Errorf("signing in from there: %s", got.Text)
	}
	h.clock.Advance(time.Minute)
	if told := h.tryKeys(t, from, 40); told != 3 {
		t.Errorf("%d were called wrong a minute later, want 3", told)
	}
	var list []struct{ Kind, Address, Username string }
	h.Do(t, servertest.Request{Path: "/api/admin/throttle/list", Token: h.App.AdminToken()}).Into(t, &list)
	if len(list) != 1 || list[0].Kind != "api_keys" || list[0].Address != "2001:db8:1:2::/64" {
		t.Errorf("the list is %+v", list)
	}
	h.Do(t, servertest.Request{Path: "/api/admin/throttle/lift", Token: h.App.AdminToken(), Body: map[string]string{"address": from}})
	if told := h.tryKeys(t, from, 40); told != 15 {
		t.Errorf("%d were called wrong after lifting, want 15", told)
	}
}

// A right key keeps working while many wrong ones come from its address, and of
// these no more than 15 are called wrong.
func TestRightKeysPassAFloodOfWrongOnes(t *testing.T) {
	h := openKeyHouse(t)
	key := h.keyOf(t, "admin", access.MeRead)
	var (
		all  sync.WaitGroup
		told atomic.Int64
	)
	for range 8 {
		all.Go(func() {
			for range 25 {
				switch got := h.Do(t, withKey(secret.NewBearer(secret.APIKey), servertest.Request{Path: "/api/me"})); got.Status {
				case http.StatusUnauthorized:
					told.Add(1)
				case http.StatusTooManyRequests:
				default:
					t.Errorf("a wrong key: %d %s", got.Status, got.Text)
				}
				if got := h.Do(t, withKey(key, servertest.Request{Path: "/api/me"})); got.Status != http.StatusOK {
					t.Errorf("the right key: %d %s", got.Status, got.Text)
				}
			}
		})
	}
	all.Wait()
	if told.Load() != 15 {
		t.Errorf("%d of 200 wrong keys were called wrong, want 15", told.Load())
	}
}

// Each wrong key that is called wrong leaves an event without a word of it.
func TestWrongKeysLeaveAnEvent(t *testing.T) {
	h := openKeyHouse(t)
	h.tryKeys(t, "198.51.100.9", 20)
	var page struct {
		Total   int
		Content []struct{ Event, Address, Reason, Username, Actor string }
	}
	h.Do(t, servertest.Request{Path: "/api/admin/audit?event=api_key_refused", Token: h.App.AdminToken()}).Into(t, &page)
	if page.Total != 15 {
		t.Fatalf("%d events, want 15", page.Total)
	}
	want := "{api_key_refused 198.51.100.9 api_key_invalid  none}"
	if got := fmt.Sprint(page.Content[0]); got != want {
		t.Errorf("the event is %s, want %s", got, want)
	}
}

// F-07: a restart forgives no wrong key, and no right one is lost.
func TestWrongKeysSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	clock := servertest.NewClock()
	first := openKeyHouseOn(t, folder, clock)
	key := first.keyOf(t, "admin", access.MeRead)
	first.tryKeys(t, "192.0.2.5", 15)
	if err := first.App.Close(); err != nil {
		t.Fatal(err)
	}
	second := openKeyHouseOn(t, folder, clock)
	if told := second.tryKeys(t, "192.0.2.5", 5); told != 0 {
		t.Errorf("%d wrong keys were called wrong after the restart, want none", told)
	}
	if got := second.Do(t, withKey(key, servertest.Request{Path: "/api/me", From: "192.0.2.5"})); got.Status != http.StatusOK {
		t.Errorf("the right key: %s", got.Text)
	}
}

// What requests of a learning key need is told by the check of their scopes,
// what was refused included; what no key is given is not.
func TestRequestsTeachALearningKey(t *testing.T) {
	h := openKeyHouse(t)
	text, id := h.key(t, "admin", apikey.Wanted{Scopes: []string{"me.read"}, LearnFor: time.Hour})
	for _, path := range []string{"/api/me", "/api/me/sessions", "/api/me/sessions", "/api/none", "/api/auth/logout"} {
		h.Do(t, withKey(text, servertest.Request{Path: path}))
	}
	got, err := h.App.APIKeys().Learned(t.Context(), h.owner(t, "admin"), id)
	if err != nil {
		t.Fatal(err)
	}
	if got.Needed.String() != "me.read session.read" || got.Refused.String() != "session.read" {
		t.Errorf("it learnt %v, of which %v were refused", got.Needed, got.Refused)
	}
}
