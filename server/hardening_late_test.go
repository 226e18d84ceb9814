package server_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/profile"
	"latchkey/service/session"
)

// late is a request whose header has passed the server's first check and whose
// body its client still holds back.
type late struct {
	conn net.Conn
	in   *bufio.Reader
	body string
}

// holdBack sends the header of a POST and returns when the server asks for the
// body, which it does only after it has looked at the credential.
func holdBack(t *testing.T, addr, path, token, body string) late {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil { // a server that never asks must not hang the test
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: application/json\r\n"+
		"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", path, token, len(body))
	if err != nil {
		t.Fatal(err)
	}
	l := late{conn: conn, in: bufio.NewReader(conn), body: body}
	if got, err := l.in.ReadString('\n'); err != nil || got != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("the server answers %q, %v, want to be asked for the body", got, err)
	}
	if _, err := l.in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return l
}

// send sends the body and returns the code of the answer.
func (l late) send(t *testing.T) int {
	t.Helper()
	if _, err := io.WriteString(l.conn, l.body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var envelope struct{ Code int }
	if err := json.NewDecoder(resp.Body).Decode(&envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Code
}

// evictByOwner has the account's owner throw the stolen device out.
func evictByOwner(t *testing.T, s *servertest.Server, stolen servertest.SignedIn) {
	t.Helper()
	owner := s.SignIn(t, "ann", servertest.AdminPassword, "owner")
	body := map[string]string{"session_id": stolen.DeviceKey}
	if r := s.Do(t, servertest.Request{Path: "/api/me/sessions/evict", Token: owner.Token, Body: body}); r.Code != http.StatusOK {
		t.Fatal(r.Text)
	}
}

// evictOthersByOwner has the owner throw everybody else out.
func evictOthersByOwner(t *testing.T, s *servertest.Server, _ servertest.SignedIn) {
	t.Helper()
	owner := s.SignIn(t, "ann", servertest.AdminPassword, "owner")
	if r := s.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/me/sessions/evict_others", Token: owner.Token}); r.Code != http.StatusOK {
		t.Fatal(r.Text)
	}
}

// Whoever holds a stolen token could keep a request open at any time, and end it
// after the owner has thrown them out: it must not act then.
func TestABodyThatComesAfterAnEndingActsNoMore(t *testing.T) {
	const (
		key  = `{"title":"back door","key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"}`
		user = `{"username":"mallory","password":"a long enough one","role":[3]}`
	)
	for name, tt := range map[string]struct {
		path, body string
		end        func(t *testing.T, s *servertest.Server, stolen servertest.SignedIn)
		want       int
	}{
		"nothing happens: it acts":                 {"/api/me/sshkey/add", key, func(*testing.T, *servertest.Server, servertest.SignedIn) {}, http.StatusOK},
		"its device is evicted":                    {"/api/me/sshkey/add", key, evictByOwner, http.StatusUnauthorized},
		"its device is evicted, it proves itself":  {"/api/auth/reauth", `{"password":"` + servertest.AdminPassword + `"}`, evictByOwner, http.StatusUnauthorized},
		"its device is evicted, a password":        {"/api/me/password", `{"new_password":"the thief's own one"}`, evictByOwner, http.StatusUnauthorized},
		"its device is evicted, it evicts others":  {"/api/me/sessions/evict_others", `{}`, evictByOwner, http.StatusUnauthorized},
		"all others are evicted, it evicts others": {"/api/me/sessions/evict_others", `{}`, evictOthersByOwner, http.StatusUnauthorized},
		"the account is disabled": {"/api/me/sshkey/add", key, func(t *testing.T, s *servertest.Server, _ servertest.SignedIn) {
			t.Helper()
			if _, err := s.App.SetDisabled(t.Context(), "ann", true); err != nil {
				t.Fatal(err)
			}
		}, http.StatusUnauthorized},
		"an admin acts": {"/api/admin/user/create", user, func(t *testing.T, s *servertest.Server, _ servertest.SignedIn) {
			t.Helper()
		}, http.StatusOK},
		"an admin is one no more": {"/api/admin/user/create", user, func(t *testing.T, s *servertest.Server, _ servertest.SignedIn) {
			t.Helper()
			if _, err := s.App.SetRoles(t.Context(), "ann", []string{"general"}); err != nil {
				t.Fatal(err)
			}
		}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.Open(t)
			s.AddUser(t, "ann")
			if tt.body == user {
				if _, err := s.App.SetRoles(t.Context(), "ann", []string{"admin"}); err != nil {
					t.Fatal(err)
				}
			}
			stolen := s.SignIn(t, "ann", servertest.AdminPassword, "stolen")
			listener := httptest.NewServer(s.App.Handler())
			defer listener.Close()
			request := holdBack(t, listener.Listener.Addr().String(), tt.path, stolen.Token, tt.body)
			tt.end(t, s, stolen)
			if got := request.send(t); got != tt.want {
				t.Errorf("code %d, want %d", got, tt.want)
			}
		})
	}
}

// A new password is hashed between the check of the caller's token and the
// writing. An owner who threw the caller out meanwhile has the last word.
func TestAnEndedLoginNoLongerChangesItsAccount(t *testing.T) {
	s := servertest.Open(t)
	s.AddUser(t, "ann")
	stolen := s.SignIn(t, "ann", servertest.AdminPassword, "stolen")
	login, err := s.App.Sessions.Resolve(t.Context(), session.Presented{Token: stolen.Token})
	if err != nil {
		t.Fatal(err)
	}
	account, err := s.App.Accounts.Snapshot(t.Context(), login.AccountKey)
	if err != nil {
		t.Fatal(err)
	}
	by := access.Caller{
		Kind: access.SessionToken, Account: account, DeviceKey: login.DeviceKey, LoginID: login.ID, FreshAt: login.FreshAt,
	}
	if err := s.App.Sessions.Evict(t.Context(), by, login.DeviceKey); err != nil {
		t.Fatal(err)
	}
	change := profile.Change{Username: "ann", Password: "the thief's own one"}
	if err := s.App.Profile.Update(t.Context(), by, change); !errors.Is(err, session.ErrInactive) {
		t.Errorf("Update = %v, want %v", err, session.ErrInactive)
	}
	s.SignIn(t, "ann", servertest.AdminPassword, "owner")
}
