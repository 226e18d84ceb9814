package alist_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/fault"
	"latchkey/service/profile"
)

// The role counts, not the name: whoever is the last admin stays one.
func TestOneEnabledAdminStays(t *testing.T) {
	s := open(t)
	s.AddUser(t, "bob")
	token := s.App.AdminToken()
	wantDone(t, "a new name for the admin", s.act(t, userUpdateRoute, object{"id": 2, "username": "boss"}))
	wantRefused(t, "demoting", s.act(t, userUpdateRoute, object{"id": 2, "username": "boss", "role": []int{3}}), 400, lastAdmin)
	wantRefused(t, "demoting to nothing", s.act(t, userUpdateRoute, object{"id": 2, "username": "boss", "role": []int{}}), 400, lastAdmin)
	wantRefused(t, "disabling", s.act(t, userUpdateRoute, object{"id": 2, "username": "boss", "disabled": true}), 400, lastAdmin)
	wantRefused(t, "deleting", s.act(t, userDeleteRoute+"?id=2", nil), 400, "cannot delete admin or guest")
	wantRefused(t, "deleting the guest", s.act(t, userDeleteRoute+"?id=1", nil), 400, "cannot delete admin or guest")
	if err := s.App.Accounts.Delete(t.Context(), s.key(t, "boss")); !errors.Is(err, account.ErrLastAdmin) {
		t.Errorf("deleting for the operator = %v, want %v", err, account.ErrLastAdmin)
	}
	wantBody(t, "me", s.get(t, token, "/api/me"), strings.Replace(adminBody, `"admin"`, `"boss"`, 1))

	s.becomesAdmin(t, "bob")
	bob := s.SignIn(t, "bob", password, "").Token
	wantDone(t, "one of two, disabled", s.act(t, userUpdateRoute, object{"id": 2, "username": "boss", "disabled": true}))
	wantRefused(t, "the other one", s.post(t, bob, userUpdateRoute, object{"id": 3, "username": "bob", "disabled": true}), 400, lastAdmin)
	wantDone(t, "enabled again", s.post(t, bob, userUpdateRoute, object{"id": 2, "username": "boss", "disabled": false}))
	wantDone(t, "one of two, demoted", s.post(t, bob, userUpdateRoute, object{"id": 2, "username": "boss", "role": []int{3}}))
	wantRefused(t, "the other one, demoted", s.post(t, bob, userUpdateRoute, object{"id": 3, "username": "bob", "role": []int{3}}), 400, lastAdmin)
	wantDone(t, "one that is no admin any more, deleted", s.post(t, bob, userDeleteRoute+"?id=2", nil))
	s.wantAlive(t, "bob", bob, "bob")
}

// Of two admins that disable each other at once, one stays.
func TestOneEnabledAdminStaysInARace(t *testing.T) {
	s := open(t)
	s.AddUser(t, "bob")
	s.becomesAdmin(t, "bob")
	for range 10 {
		var group sync.WaitGroup
		for id, name := range map[int]string{2: "admin", 3: "bob"} {
			group.Go(func() {
				key := s.App.AdminToken()
				if got := s.post(t, key, userUpdateRoute, object{"id": id, "username": name, "disabled": true}); got.Code != http.StatusOK && got.Message != lastAdmin && got.Code != http.StatusUnauthorized {
					t.Errorf("disable %s: %s", name, got.Text)
				}
			})
		}
		group.Wait()
		if s.stored(t, "admin").Disabled == s.stored(t, "bob").Disabled {
			t.Fatal("both admins are disabled, or none")
		}
		s.setDisabled(t, "admin", false)
		s.setDisabled(t, "bob", false)
	}
}

func TestDisablingByAnAdminEndsTheSessions(t *testing.T) { // S-11
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "laptop")
	wantDone(t, "disable", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "disabled": true}))
	s.wantDead(t, "while disabled", in.Token, disabled)
	wantBody(t, "the list of devices", s.get(t, s.App.AdminToken(), adminListRoute), succeeded("[]"))
	wantRefused(t, "sign in", s.signIn(t, object{"username": "alice", "password": password}), http.StatusBadRequest, badLogin)
	wantDone(t, "enable", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "disabled": false}))
	s.wantDead(t, "when enabled again", in.Token, inactive)
	s.SignIn(t, "alice", password, "laptop")
}

func TestPasswordByAnAdminEndsTheSessions(t *testing.T) { // S-11
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "laptop")
	by := s.Admin(t, "laptop")
	wantDone(t, "reset", s.post(t, by.Token, userUpdateRoute, object{"id": 3, "username": "alice", "password": newPassword}))
	s.wantDead(t, "the old login", in.Token, changed)
	wantRefused(t, "the old password", s.signIn(t, object{"username": "alice", "password": password}), http.StatusBadRequest, badLogin)
	s.SignIn(t, "alice", newPassword, "laptop")
	s.wantAlive(t, "the admin", by.Token, "admin")
	wantDone(t, "the own one", s.post(t, by.Token, userUpdateRoute, object{"id": 2, "username": "admin", "password": newPassword}))
	s.wantDead(t, "the admin's own login", by.Token, changed)
}

// An account with the id and the name of a deleted one is another account (S-12).
func TestDeletedAccountLeavesNothing(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "laptop")
	line, _ := sshKey(t)
	wantDone(t, "add a key", s.post(t, in.Token, keyAddRoute, object{"title": "laptop", "key": line}))
	s.enrol(t, in.Token)
	wantDone(t, "delete", s.act(t, userDeleteRoute+"?id=3", nil))
	s.wantDead(t, "the deleted account's token", in.Token, invalid)
	wantRefused(t, "delete again", s.act(t, userDeleteRoute+"?id=3", nil), http.StatusNotFound, noUser)
	wantRefused(t, "get", s.get(t, s.App.AdminToken(), userGetRoute+"?id=3"), http.StatusNotFound, noUser)

	wantDone(t, "create", s.act(t, userCreateRoute, object{"id": 3, "username": "alice", "password": newPassword}))
	s.wantDead(t, "the old token", in.Token, invalid)
	wantBody(t, "devices", s.get(t, s.App.AdminToken(), adminListRoute), succeeded("[]"))
	wantRefused(t, "the old password", s.signIn(t, object{"username": "alice", "password": password}), http.StatusBadRequest, badLogin)
	again := s.SignIn(t, "alice", newPassword, "laptop") // no code is asked for
	if again.DeviceKey == in.DeviceKey {
		t.Error("the new account has the device key of the old one")
	}
	wantBody(t, "keys", s.get(t, again.Token, keyListRoute), succeeded(`{"content":[],"total":0}`))
	wantDone(t, "the next one", s.act(t, userCreateRoute, object{"username": "bob"}))
	if id := s.stored(t, "bob").ID; id != 4 {
		t.Errorf("the next id is %d, want 4", id)
	}
}

// What an account changes of itself while it is deleted is refused like any other
// of its requests.
func TestProfileUpdateOfADeletedAccount(t *testing.T) {
	s := open(t)
	key := s.AddUser(t, "alice")
	snapshot, err := s.App.Accounts.Snapshot(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	wantDone(t, "delete", s.act(t, userDeleteRoute+"?id=3", nil))
	for what, change := range map[string]profile.Change{
		"a name": {Username: "bob"}, "nothing": {Username: "alice"}, "a password": {Username: "alice", Password: newPassword},
	} {
		err := s.App.Profile.Update(t.Context(), access.Caller{Account: snapshot, FreshAt: s.clock.Now()}, change)
		if f := fault.Of(err); f.Kind != fault.Unauthenticated || f.Text != invalid {
			t.Errorf("%s: %v, want %s", what, err, invalid)
		}
	}
}

// Deleting a busy account leaves nothing of it behind.
func TestDeletingABusyAccount(t *testing.T) {
	s := open(t)
	const rounds, workers = 8, 6
	for round := range rounds {
		name := fmt.Sprintf("busy%d", round)
		s.AddUser(t, name)
		id := s.stored(t, name).ID
		in := s.SignIn(t, name, password, "laptop")
		var group sync.WaitGroup
		stop := make(chan struct{})
		for worker := range workers {
			line, _ := sshKey(t)
			b := busy{token: in.Token, name: name, line: line}
			group.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
						s.keepBusy(t, b, worker, n)
					}
				}
			})
		}
		wantDone(t, "delete", s.act(t, fmt.Sprintf("%s?id=%d", userDeleteRoute, id), nil))
		s.wantDead(t, "right after", in.Token, invalid)
		after := s.signIn(t, object{"username": name, "password": password})
		if after.Code != http.StatusTooManyRequests { // those who kept it busy may have used up their address's tries
			wantRefused(t, "sign in right after", after, http.StatusBadRequest, badLogin)
		}
		close(stop)
		group.Wait()
		s.wantDead(t, "afterwards", in.Token, invalid)
		wantBody(t, "devices", s.get(t, s.App.AdminToken(), adminListRoute), succeeded("[]"))
		wantDone(t, "again", s.act(t, userCreateRoute, object{"id": id, "username": name}))
		wantBody(t, "keys", s.get(t, s.App.AdminToken(), fmt.Sprintf("%s?uid=%d", userKeysRoute, id)), succeeded(`{"content":[],"total":0}`))
		wantDone(t, "delete again", s.act(t, fmt.Sprintf("%s?id=%d", userDeleteRoute, id), nil))
		s.clock.Advance(time.Hour) // what was tried in vain does not count for ever
	}
}

// busy is an account that something is done as.
type busy struct{ token, name, line string }

// keepBusy does something as the account: it works, or the account is gone.
func (s *site) keepBusy(t *testing.T, b busy, worker, n int) {
	t.Helper()
	text := strconv.Itoa(n)
	var got servertest.Reply
	switch worker {
	case 0:
		got = s.get(t, b.token, "/api/me")
	case 1:
		got = s.post(t, b.token, updateRoute, object{"username": b.name, "sso_id": text})
	case 2:
		got = s.post(t, b.token, keyAddRoute, object{"title": text, "key": b.line})
	case 3:
		got = s.Do(t, servertest.Request{
			Path: "/api/auth/login", From: fmt.Sprintf("198.51.100.%d", n%200+1),
			ClientID: text, Body: object{"username": b.name, "password": password},
		})
	case 4:
		got = s.post(t, b.token, "/api/auth/2fa/generate", nil)
	default:
		got = s.get(t, b.token, sessionsRoute)
	}
	switch got.Code {
	case http.StatusOK, http.StatusUnauthorized, http.StatusBadRequest, http.StatusTooManyRequests:
	default:
		t.Errorf("worker %d: %s", worker, got.Text)
	}
	if got.Code == http.StatusBadRequest && worker < 2 {
		t.Errorf("worker %d: %s", worker, got.Text)
	}
}

// Of parallel creations of one name, one succeeds.
func TestParallelCreationsOfOneName(t *testing.T) {
	s := open(t)
	for what, body := range map[string]func(i int) object{
		"a name":        func(int) object { return object{"username": "wanted"} },
		"its spellings": func(i int) object { return object{"username": []string{"Other", "OTHER", "other"}[i%3]} },
		"an id":         func(i int) object { return object{"id": 60, "username": fmt.Sprint("n", i)} },
	} {
		var (
			made  atomic.Int32
			group sync.WaitGroup
		)
		for i := range 12 {
			group.Go(func() {
				got := s.act(t, userCreateRoute, body(i))
				switch {
				case got.Code == http.StatusOK:
					made.Add(1)
				case got.Code != http.StatusBadRequest || got.Message != nameTaken && got.Message != "id already exists":
					t.Errorf("%s: %s", what, got.Text)
				}
			})
		}
		group.Wait()
		if n := made.Load(); n != 1 {
			t.Errorf("%s: %d of 12 succeeded, want 1", what, n)
		}
	}
}
