package alist_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

func TestTokensWorkWithAndWithoutBearer(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "")
	for _, token := range []string{in.Token, s.App.AdminToken()} {
		for _, form := range []string{"%", "Bearer %", "bearer %", "BEARER %", "bEaReR   %", "Bearer\t%", " % ", "Bearer % "} {
			s.wantAlive(t, form, strings.ReplaceAll(form, "%", token), "admin")
		}
		for _, form := range []string{"Token %", "Basic %", "Bearer%", "%x", "x%", "% %", "Bearer bearer %", `"%"`, "%,%"} {
			s.wantDead(t, form, strings.ReplaceAll(form, "%", token), invalid)
		}
	}
}

// Only the header is looked at.
func TestTokensElsewhereAreNotLookedAt(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	for name, r := range map[string]servertest.Request{
		"in the query":    {Path: "/api/me?token=" + token + "&Authorization=" + token + "&access_token=" + token},
		"in a cookie":     {Path: "/api/me", Header: map[string]string{"Cookie": "token=" + token + "; Authorization=" + token}},
		"in other fields": {Path: "/api/me", Header: map[string]string{"X-Auth-Token": token, "Token": token, "Proxy-Authorization": token, "session": token}},
	} {
		wantRefused(t, name, s.Do(t, r), http.StatusUnauthorized, noGuests)
	}
}

func TestTokensThatAreNotOurs(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	other := open(t).Admin(t, "").Token
	part := strings.Split(token, ".")
	flipped := map[byte]string{'A': "B"}[part[2][0]]
	if flipped == "" {
		flipped = "A"
	}
	for name, bad := range map[string]string{
		"a word":                   "garbage",
		"another server's":         other,
		"without its signature":    part[0] + "." + part[1] + ".",
		"with another signature":   part[0] + "." + part[1] + "." + flipped + part[2][1:],
		"with another payload":     part[0] + "." + strings.Split(other, ".")[1] + "." + part[2],
		"unsigned":                 "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + part[1] + ".",
		"AList's own":              "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VybmFtZSI6ImFkbWluIn0.AAAA",
		"cut":                      token[:len(token)-1],
		"twice":                    token + token,
		"with a NUL":               token + "\x00",
		"beyond 8 KiB":             strings.Repeat("x", 9000),
		"the static token cut":     s.App.AdminToken()[:105],
		"the static token doubled": s.App.AdminToken() + "x",
	} {
		s.wantDead(t, name, bad, invalid)
	}
	s.wantAlive(t, "the token itself", token, "admin")
}

func TestTokensBelongToOneDevice(t *testing.T) {
	s := open(t)
	in, nameless := s.Admin(t, "laptop"), s.Admin(t, "")
	ask := func(token, path, clientID string) servertest.Reply {
		return s.Do(t, servertest.Request{Path: path, Token: token, ClientID: clientID})
	}
	for name, tt := range map[string]struct {
		token, path, clientID string
		open                  bool
	}{
		"its own Client-Id":                    {in.Token, "/api/me", "laptop", true},
		"none":                                 {in.Token, "/api/me", "", true},
		"its own in the query":                 {in.Token, "/api/me?client_id=laptop", "", true},
		"another":                              {in.Token, "/api/me", "phone", false},
		"another in the query":                 {in.Token, "/api/me?client_id=phone", "", false},
		"its own header before the query's":    {in.Token, "/api/me?client_id=phone", "laptop", true},
		"another header before the query's":    {in.Token, "/api/me?client_id=laptop", "phone", false},
		"the same in capitals":                 {in.Token, "/api/me", "LAPTOP", false},
		"any for a token without":              {nameless.Token, "/api/me", "laptop", false},
		"none for a token without":             {nameless.Token, "/api/me", "", true},
		"any for the static token":             {s.App.AdminToken(), "/api/me", "laptop", true},
		"another for the static token":         {s.App.AdminToken(), "/api/me?client_id=x", "phone", true},
		"its own, escaped in the query":        {in.Token, "/api/me?client%5Fid=l%61ptop", "", true},
		"an empty one in the query is no name": {in.Token, "/api/me?client_id=", "", true},
	} {
		got := ask(tt.token, tt.path, tt.clientID)
		if tt.open {
			wantBody(t, name, got, adminBody)
			continue
		}
		wantRefused(t, name, got, http.StatusUnauthorized, inactive)
	}
	if ids := s.devices(t, s.App.AdminToken()); len(ids) != 2 {
		t.Errorf("asking under other names made devices: %v", ids)
	}
	const text = "Client-Id must be 1 to 256 printable characters"
	wantBody(t, "256 bytes", ask(s.App.AdminToken(), "/api/me", strings.Repeat("x", 256)), adminBody)
	wantRefused(t, "257 bytes", ask(in.Token, "/api/me", strings.Repeat("x", 257)), http.StatusBadRequest, text)
	wantRefused(t, "a control character", ask(in.Token, "/api/me?client_id=%00", ""), http.StatusBadRequest, text)
	wantRefused(t, "two in the query", ask(in.Token, "/api/me?client_id=laptop&client_id=phone", ""), http.StatusBadRequest, text)
}

// What a refused token is told, when several things are wrong with it (rulings
// 19): gone, disabled, why it ended, age.
func TestReasonsAreToldInOrder(t *testing.T) {
	const life = 48 * time.Hour
	for name, tt := range map[string]struct {
		steps  []string
		reason string
	}{
		"evicted":                             {[]string{"evict"}, inactive},
		"logged out":                          {[]string{"logout"}, inactive},
		"password changed":                    {[]string{"password"}, changed},
		"second factor enabled elsewhere":     {[]string{"factor"}, inactive},
		"disabled":                            {[]string{"disable"}, disabled},
		"re-enabled":                          {[]string{"disable", "enable"}, inactive},
		"expired":                             {[]string{"expire"}, expired},
		"deleted":                             {[]string{"delete"}, invalid},
		"evicted, then expired":               {[]string{"evict", "expire"}, inactive},
		"evicted, then password changed":      {[]string{"evict", "password"}, inactive},
		"password changed, then evicted":      {[]string{"password", "evict"}, changed},
		"password changed, then expired":      {[]string{"password", "expire"}, changed},
		"password changed, then disabled":     {[]string{"password", "disable"}, disabled},
		"password changed, dis- and enabled":  {[]string{"password", "disable", "enable"}, changed},
		"evicted and disabled":                {[]string{"evict", "disable"}, disabled},
		"expired and disabled":                {[]string{"expire", "disable"}, disabled},
		"evicted, expired, disabled, enabled": {[]string{"evict", "expire", "disable", "enable"}, inactive},
		"evicted, expired, disabled, deleted": {[]string{"evict", "expire", "disable", "delete"}, invalid},
		"evicted, then the device cleaned":    {[]string{"evict", "clean"}, inactive},
	} {
		t.Run(name, func(t *testing.T) {
			for _, asked := range []bool{true, false} { // with the token in memory, and without
				s := open(t)
				key := s.AddUser(t, "alice")
				in := s.SignIn(t, "alice", password, "laptop")
				if asked {
					s.wantAlive(t, "at first", in.Token, "alice")
				}
				act := map[string]func(){
					"evict": func() {
						wantDone(t, "evict", s.post(t, s.App.AdminToken(), adminEvictRoute, object{"session_id": in.DeviceKey}))
					},
					"logout": func() { wantDone(t, "logout", s.get(t, in.Token, logoutRoute)) },
					"password": func() {
						if err := s.App.Profile.SetPassword(t.Context(), key, newPassword); err != nil {
							t.Fatalf("set password: %v", err)
						}
					},
					"factor":  func() { s.enrol(t, s.SignIn(t, "alice", password, "phone").Token) },
					"disable": func() { s.setDisabled(t, "alice", true) },
					"enable":  func() { s.setDisabled(t, "alice", false) },
					"expire":  func() { s.clock.Advance(life) },
					"delete": func() {
						if err := s.App.Accounts.Delete(t.Context(), key); err != nil {
							t.Fatalf("delete: %v", err)
						}
					},
					"clean": func() {
						wantDone(t, "clean", s.post(t, s.App.AdminToken(), cleanRoute, object{"session_id": in.DeviceKey}))
					},
				}
				for _, step := range tt.steps {
					act[step]()
				}
				s.wantDead(t, "the token", in.Token, tt.reason)
				s.wantDead(t, "the token, again", in.Token, tt.reason)
			}
		})
	}
}

// The lifetime clients count on is 48 hours, to the second.
func TestTokensLive48Hours(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "")
	s.clock.Advance(48*time.Hour - time.Second)
	s.wantAlive(t, "a second before", in.Token, "admin")
	s.clock.Advance(time.Second)
	s.wantDead(t, "at its end", in.Token, expired)
}
