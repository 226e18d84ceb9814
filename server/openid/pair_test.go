package openid_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

const pairPath = "/api/v4/session/token"

// pair is what a sign-in answers.
type pair struct {
	User struct {
		ID, Username, Nickname, Email string

		CreatedAt time.Time `json:"created_at"`
		RoleNames []string  `json:"role_names"`
	}
	Token struct {
		Access         string    `json:"access_token"`
		Refresh        string    `json:"refresh_token"`
		AccessExpires  time.Time `json:"access_expires"`
		RefreshExpires time.Time `json:"refresh_expires"`
	}
}

type body map[string]any

func (s *site) pair(t *testing.T, b body) pair {
	t.Helper()
	reply := s.Do(t, servertest.Request{Path: pairPath, Body: b})
	var p pair
	if reply.Code != 0 || reply.Status != http.StatusOK {
		t.Fatalf("sign-in: %d %s", reply.Status, reply.Text)
	}
	reply.Into(t, &p)
	return p
}

// enrolled turns ann's second factor on and returns its secret.
func (s *site) enrolled(t *testing.T) string {
	t.Helper()
	token := s.SignIn(t, "ann", servertest.AdminPassword, "").Token
	var issued struct{ Secret string }
	s.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(t, &issued)
	reply := s.Do(t, servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: body{
		"code": totptest.Code(issued.Secret, s.clock.Now()), "secret": issued.Secret,
	}})
	if reply.Code != http.StatusOK {
		t.Fatalf("enrol: %s", reply.Text)
	}
	s.clock.Advance(time.Minute) // the code is spent
	return issued.Secret
}

func TestPairOfAPassword(t *testing.T) { // contract "Endpoints", rulings 32
	s := openSite(t)
	if _, err := s.App.SetEmail(t.Context(), "ann", "ann@example.org", true); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]body{
		"a name":                        {"username": "ann", "password": servertest.AdminPassword},
		"a confirmed address":           {"email": "ann@example.org", "password": servertest.AdminPassword},
		"an address in capitals":        {"email": "Ann@Example.ORG", "password": servertest.AdminPassword},
		"a name in the address's field": {"email": "ann", "password": servertest.AdminPassword, "captcha": nil, "ticket": ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.pair(t, b)
			if p.User.ID != s.Key(t, "ann") || p.User.Username != "ann" || p.User.Email != "ann@example.org" || !slices.Equal(p.User.RoleNames, []string{"general"}) {
				t.Errorf("the user is %+v", p.User)
			}
			now := s.clock.Now()
			if access, refresh := p.Token.AccessExpires.Sub(now), p.Token.RefreshExpires.Sub(now); access.Round(time.Minute) != time.Hour || refresh.Round(time.Hour) != 180*24*time.Hour {
				t.Errorf("the tokens live for %v and %v", access, refresh)
			}
			me := s.Do(t, servertest.Request{Path: "/api/me", Token: "Bearer " + p.Token.Access})
			if me.Code != http.StatusOK {
				t.Errorf("/api/me with the access token: %s", me.Text)
			}
			if u := s.get(t, userInfoPath, p.Token.Access); u.str("email") != "ann@example.org" {
				t.Errorf("userinfo: %d %s", u.StatusCode, u.text)
			}
		})
	}
}

func TestSignInsThatMakeNoPair(t *testing.T) { // nobody learns which part is wrong
	s := openSite(t)
	for _, name := range []string{"bob", "cid"} {
		s.AddUser(t, name)
		if _, err := s.App.SetEmail(t.Context(), name, "twin@example.org", true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.App.SetEmail(t.Context(), "ann", "ann@example.org", false); err != nil {
		t.Fatal(err)
	}
	right := servertest.AdminPassword
	wrong := s.Do(t, servertest.Request{Path: pairPath, Body: body{"username": "ann", "password": "wrong password"}, From: "192.0.2.9"})
	if wrong.Code != 40080 || wrong.Status != http.StatusOK {
		t.Errorf("a wrong password: %d %s", wrong.Status, wrong.Text)
	}
	for name, b := range map[string]body{
		"an unknown name":            {"username": "nobody", "password": right},
		"an unknown address":         {"email": "nobody@example.org", "password": right},
		"an address nobody proved":   {"email": "ann@example.org", "password": right},
		"an address two people have": {"email": "twin@example.org", "password": right},
		"an address as a name":       {"username": "twin@example.org", "password": right},
		"no password":                {"username": "ann"},
		"the guest":                  {"username": "guest", "password": right},
	} {
		t.Run(name, func(t *testing.T) {
			reply := s.Do(t, servertest.Request{Path: pairPath, Body: b, From: "192.0.2.77"})
			if reply.Text != wrong.Text || reply.Status != wrong.Status {
				t.Errorf("the answer is %s, a wrong password's %s", reply.Text, wrong.Text)
			}
		})
	}
	for name, b := range map[string]any{"neither": body{"password": right}, "both": body{"email": "a", "username": "b", "password": right}, "no object": "[]"} {
		if reply := s.Do(t, servertest.Request{Path: pairPath, Body: b}); reply.Code != 40001 {
			t.Errorf("%s: %s", name, reply.Text)
		}
	}
}

func TestSecondFactorOfAPair(t *testing.T) {
	s := openSite(t)
	secret := s.enrolled(t)
	begin := func() string {
		t.Helper()
		reply := s.Do(t, servertest.Request{Path: pairPath, Body: body{"email": "ann", "password": servertest.AdminPassword}})
		var ticket string
		if reply.Code != 203 || reply.Status != http.StatusOK {
			t.Fatalf("sign-in: %d %s", reply.Status, reply.Text)
		}
		reply.Into(t, &ticket)
		return ticket
	}
	finish := func(ticket, code string) servertest.Reply {
		t.Helper()
		return s.Do(t, servertest.Request{Path: pairPath + "/2fa", Body: body{"otp": code, "session_id": ticket}})
	}
	ticket := begin()
	if reply := finish(ticket, "000000"); reply.Code != 40022 || reply.Message != "Incorrect 2FA code" {
		t.Errorf("a wrong code: %s", reply.Text)
	}
	if reply := finish(ticket, totptest.Code(secret, s.clock.Now())); reply.Code != 0 {
		t.Errorf("the right code after a wrong one: %s", reply.Text)
	}
	s.clock.Advance(time.Minute)
	if reply := finish(ticket, totptest.Code(secret, s.clock.Now())); reply.Code != 40020 {
		t.Errorf("a ticket that was used: %s", reply.Text)
	}
	other := begin()
	for name, bad := range map[string]string{"cut": other[:len(other)-4], "nothing of ours": "x", "a login's": s.owner.LoginID, "long": strings.Repeat("x", 5000)} {
		if reply := finish(bad, totptest.Code(secret, s.clock.Now())); reply.Code != 40020 {
			t.Errorf("%s: %s", name, reply.Text)
		}
	}
	s.clock.Advance(5*time.Minute + time.Second)
	if reply := finish(other, totptest.Code(secret, s.clock.Now())); reply.Code != 40020 {
		t.Errorf("a ticket after five minutes: %s", reply.Text)
	}
	stale := begin()
	if _, err := s.App.SetPassword(t.Context(), "ann", "nine lives of a cat"); err != nil {
		t.Fatal(err)
	}
	if reply := finish(stale, totptest.Code(secret, s.clock.Now())); reply.Code != 40080 {
		t.Errorf("a ticket from before the password changed: %s", reply.Text)
	}
}

func TestOneTicketMakesOnePair(t *testing.T) {
	s := openSite(t)
	secret := s.enrolled(t)
	var ticket string
	s.Do(t, servertest.Request{Path: pairPath, Body: body{"username": "ann", "password": servertest.AdminPassword}}).Into(t, &ticket)
	var (
		group sync.WaitGroup
		wins  atomic.Int32
	)
	code := totptest.Code(secret, s.clock.Now())
	for range 8 {
		group.Go(func() {
			if reply := s.Do(t, servertest.Request{Path: pairPath + "/2fa", Body: body{"otp": code, "session_id": ticket}}); reply.Code == 0 && reply.Status == http.StatusOK {
				wins.Add(1)
			}
		})
	}
	group.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d pairs were made, want 1", wins.Load())
	}
}

// A stolen ticket is no way around the limit on codes.
func TestCodesOfTicketsAreCounted(t *testing.T) {
	s := openSite(t)
	s.enrolled(t)
	var ticket string
	s.Do(t, servertest.Request{Path: pairPath, Body: body{"username": "ann", "password": servertest.AdminPassword}}).Into(t, &ticket)
	var last servertest.Reply
	for range 8 {
		last = s.Do(t, servertest.Request{Path: pairPath + "/2fa", Body: body{"otp": "000000", "session_id": ticket}, From: "192.0.2.66"})
	}
	if last.Code != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("the eighth wrong code: %d %s", last.Status, last.Text)
	}
}

func TestPairIsRefreshedAndEnded(t *testing.T) { // rulings 33
	s := openSite(t)
	p := s.pair(t, body{"username": "ann", "password": servertest.AdminPassword})
	refresh := func(token string) servertest.Reply {
		t.Helper()
		return s.Do(t, servertest.Request{Path: pairPath + "/refresh", Body: body{"refresh_token": token}})
	}
	reply := refresh(p.Token.Refresh)
	next := p
	if reply.Into(t, &next.Token); reply.Code != 0 || next.Token.Access == p.Token.Access || next.Token.Refresh == p.Token.Refresh {
		t.Fatalf("refresh: %s", reply.Text)
	}
	app := s.tokens(t, s.app(t), "openid offline_access")
	if reply := refresh(app.str("refresh_token")); reply.Code != 0 {
		t.Errorf("an app's refresh token: %s", reply.Text)
	}
	for name, token := range map[string]string{"an access token": next.Token.Access, "nothing": "x"} {
		if reply := refresh(token); reply.Code != 40020 || reply.Status != http.StatusOK {
			t.Errorf("%s: %d %s", name, reply.Status, reply.Text)
		}
	}
	end := func(token string) servertest.Reply {
		t.Helper()
		return s.Do(t, servertest.Request{Method: http.MethodDelete, Path: pairPath, Body: body{"refresh_token": token}})
	}
	me := func() int {
		return s.Do(t, servertest.Request{Path: "/api/me", Token: "Bearer " + next.Token.Access}).Code
	}
	if reply := end(next.Token.Access); reply.Code != 0 || me() != http.StatusOK { // K-05
		t.Errorf("an access token ends the login: %s", reply.Text)
	}
	if reply := end(next.Token.Refresh); reply.Code != 0 || me() != http.StatusUnauthorized {
		t.Errorf("the login goes on after its end: %s", reply.Text)
	}
	if reply := refresh(next.Token.Refresh); reply.Code != 40020 {
		t.Errorf("refresh after the end: %s", reply.Text)
	}
	if reply := end("nothing"); reply.Code != 0 {
		t.Errorf("nothing to end: %s", reply.Text)
	}
}
