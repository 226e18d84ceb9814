package alist_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

// signedIn is the whole body of a successful sign-in.
const signedIn = `^\{"code":200,"message":"success","data":\{"device_key":"[0-9a-f]{32}","token":"[A-Za-z0-9._-]+"\}\}$`

const (
	plainRoute = "/api/auth/login"
	hashRoute  = "/api/auth/login/hash"
	// passwordInQuery is the password as a form or a query holds it.
	passwordInQuery = "correct+horse%20battery"
)

func TestSignInTakesEverySpellingThatClientsUse(t *testing.T) {
	s := open(t)
	noType := map[string]string{"Content-Type": ""}
	form := map[string]string{"Content-Type": formType}
	for name, r := range map[string]servertest.Request{
		"JSON":                                 {Path: plainRoute, Body: `{"username":"admin","password":"` + password + `"}`},
		"JSON with an empty code":              {Path: plainRoute, Body: `{"username":"admin","password":"` + password + `","otp_code":""}`},
		"JSON with a null code":                {Path: plainRoute, Body: `{"username":"admin","password":"` + password + `","otp_code":null}`},
		"JSON with a code nobody asked for":    {Path: plainRoute, Body: `{"username":"admin","password":"` + password + `","otp_code":"123456"}`},
		"JSON with keys in Go's case":          {Path: plainRoute, Body: `{"Username":"admin","Password":"` + password + `"}`},
		"JSON with keys in capitals":           {Path: plainRoute, Body: `{"USERNAME":"admin","PASSWORD":"` + password + `"}`},
		"JSON with keys in camel case":         {Path: plainRoute, Body: `{"userName":"admin","passWord":"` + password + `"}`},
		"JSON with foreign keys":               {Path: plainRoute, Body: `{"username":"admin","remember":true,"x":{"y":[1]},"password":"` + password + `"}`},
		"JSON with escapes":                    {Path: plainRoute, Body: `{"username":"\u0061dmin","password":"correct\u0020horse battery"}`},
		"JSON over several lines":              {Path: plainRoute, Body: "{\n    \"username\": \"admin\",\n    \"password\": \"" + password + "\"\n}\n"},
		"JSON without a Content-Type":          {Path: plainRoute, Body: `{"username":"admin","password":"` + password + `"}`, Header: noType},
		"JSON with a charset":                  {Path: plainRoute, Body: `{"username":"admin","password":"` + password + `"}`, Header: map[string]string{"Content-Type": "Application/JSON;charset=UTF-8"}},
		"a form":                               {Path: plainRoute, Body: "username=admin&password=" + passwordInQuery, Header: form},
		"a form with Go's names":               {Path: plainRoute, Body: "Username=admin&Password=" + passwordInQuery + "&OtpCode=", Header: form},
		"a query with Go's names and no body":  {Method: http.MethodPost, Path: plainRoute + "?Password=" + passwordInQuery + "&Username=admin"},
		"a query with small names and no body": {Method: http.MethodPost, Path: plainRoute + "?username=admin&password=" + passwordInQuery},
		"a query and a form together":          {Path: plainRoute + "?Username=admin", Body: "Password=" + passwordInQuery, Header: form},
		"an empty form beside a query":         {Path: plainRoute + "?username=admin&password=" + passwordInQuery, Body: "", Header: form},
		"the hash as JSON":                     {Path: hashRoute, Body: `{"username":"admin","password":"` + hashed(password) + `","otp_code":""}`},
		"the hash in capitals":                 {Path: hashRoute, Body: `{"username":"admin","password":"` + strings.ToUpper(hashed(password)) + `"}`},
		"the hash in a form":                   {Path: hashRoute, Body: "username=admin&password=" + hashed(password), Header: form},
		"the hash in a query":                  {Method: http.MethodPost, Path: hashRoute + "?Username=admin&Password=" + hashed(password)},
		"a name in another case":               {Path: plainRoute, Body: `{"username":"ADMIN","password":"` + password + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Do(t, r)
			if got.Status != http.StatusOK || !regexp.MustCompile(signedIn).MatchString(got.Text) {
				t.Fatalf("HTTP %d %s, want a body like %s", got.Status, got.Text, signedIn)
			}
			var in servertest.SignedIn
			got.Into(t, &in)
			s.wantAlive(t, "its token", in.Token, "admin")
		})
	}
}

// The vectors of the contract, §5.2.
func TestStaticHashIsThatOfAListsFrontends(t *testing.T) {
	for plain, want := range map[string]string{
		"admin": "6fcb57cd10b2c11d765dcf16148d99130afd895082af83725ee8bb181b1d2b0f",
		"":      "263d6a3a1bc3780769ef456641d81a41ea52b66dd25fe02b5959967fd852127d",
	} {
		if got := hashed(plain); got != want {
			t.Errorf("the hash of %q is %s, want %s", plain, got, want)
		}
	}
}

// One text for every wrong pair, so that it does not tell which names exist.
func TestFailedSignInsAllSoundAlike(t *testing.T) {
	s := open(t)
	s.AddUser(t, "locked")
	s.setDisabled(t, "locked", true)
	if _, err := s.App.Accounts.Create(t.Context(), "nopassword", ""); err != nil {
		t.Fatalf("create: %v", err)
	}
	i := 0
	for name, tt := range map[string]struct{ route, username, password string }{
		"a wrong password":                       {plainRoute, "admin", "wrong horse battery"},
		"an unknown name":                        {plainRoute, "nobody", password},
		"an empty password":                      {plainRoute, "admin", ""},
		"the password with a blank":              {plainRoute, "admin", password + " "},
		"the password in capitals":               {plainRoute, "admin", strings.ToUpper(password)},
		"the hash on the plain route":            {plainRoute, "admin", hashed(password)},
		"the plain password on the hash route":   {hashRoute, "admin", password},
		"no password on the hash route":          {hashRoute, "admin", ""},
		"the empty hash on the hash route":       {hashRoute, "admin", hashed("")},
		"a disabled account":                     {plainRoute, "locked", password},
		"a disabled account by hash":             {hashRoute, "locked", hashed(password)},
		"the guest and its AList password":       {plainRoute, "guest", "guest"},
		"the guest and no password":              {plainRoute, "guest", ""},
		"an account without a password":          {plainRoute, "nopassword", ""},
		"an account without one, by empty hash":  {hashRoute, "nopassword", hashed("")},
		"an account without one, by no hash":     {hashRoute, "nopassword", ""},
		"a name with a blank, which is not ours": {plainRoute, "admin ", password},
	} {
		i++ // each from elsewhere, so that none is refused for the others
		got := s.Do(t, servertest.Request{
			Path: tt.route, From: fmt.Sprintf("198.51.100.%d", i),
			Body: object{"username": tt.username, "password": tt.password},
		})
		wantRefused(t, name, got, http.StatusBadRequest, badLogin)
	}
}

// The guest is nobody's to sign in to, even if it is enabled and somebody gave
// it a password.
func TestGuestsCannotSignIn(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	for _, secret := range []string{"guest", ""} {
		wantRefused(t, "the guest", s.signIn(t, object{"username": "guest", "password": secret}), http.StatusBadRequest, badLogin)
	}
	if err := s.App.Profile.SetPassword(t.Context(), s.key(t, "guest"), password); err != nil {
		t.Fatalf("set password: %v", err)
	}
	for route, secret := range map[string]string{plainRoute: password, hashRoute: hashed(password)} {
		got := s.post(t, "", route, object{"username": "guest", "password": secret})
		wantRefused(t, "the guest with a password of its own", got, http.StatusBadRequest, badLogin)
	}
}

func TestSignInRefusesWhatItCannotRead(t *testing.T) {
	s := open(t)
	long := strings.Repeat("x", 1025)
	form := map[string]string{"Content-Type": formType}
	for name, tt := range map[string]struct {
		request servertest.Request
		message string
	}{
		"an empty body":                {servertest.Request{Body: ``}, "request body is empty"},
		"half an object":               {servertest.Request{Body: `{"username":"admin"`}, "request body is not valid JSON"},
		"two objects":                  {servertest.Request{Body: `{"username":"admin","password":"x"} {}`}, "request body is not valid JSON"},
		"a list":                       {servertest.Request{Body: `["admin"]`}, "request body must be a JSON object"},
		"no name":                      {servertest.Request{Body: `{"password":"x"}`}, `field "username" is required`},
		"an empty name":                {servertest.Request{Body: `{"username":"","password":"x"}`}, `field "username" is required`},
		"a null name":                  {servertest.Request{Body: `{"username":null,"password":"x"}`}, `field "username" is required`},
		"a number for a name":          {servertest.Request{Body: `{"username":1,"password":"x"}`}, `field "username" must be a string`},
		"a number for a password":      {servertest.Request{Body: `{"username":"admin","password":1}`}, `field "password" must be a string`},
		"a code beyond six digits":     {servertest.Request{Body: `{"username":"admin","password":"x","otp_code":1234567}`}, `field "otp_code" must be a code of up to six digits`},
		"the name twice":               {servertest.Request{Body: `{"username":"admin","Username":"root","password":"x"}`}, "request body names a field twice"},
		"a form without a name":        {servertest.Request{Body: "password=x", Header: form}, `field "username" is required`},
		"a form with the name twice":   {servertest.Request{Body: "username=admin&Username=root", Header: form}, `parameter "username" is given twice`},
		"nothing at all":               {servertest.Request{Method: http.MethodPost}, `field "username" is required`},
		"a password beyond 1024 bytes": {servertest.Request{Body: object{"username": "admin", "password": long}}, "Password is longer than 1024 bytes"},
		"a Client-Id beyond 256 bytes": {servertest.Request{Body: object{"username": "admin", "password": password}, ClientID: strings.Repeat("c", 257)}, "Client-Id must be 1 to 256 printable characters"},
		"a Client-Id with a control":   {servertest.Request{Body: object{"username": "admin", "password": password}, ClientID: "a\x01b"}, "Client-Id must be 1 to 256 printable characters"},
	} {
		tt.request.Path = plainRoute
		wantRefused(t, name, s.Do(t, tt.request), http.StatusBadRequest, tt.message)
	}
}

// Clients send whatever token they still have.
func TestSignInDoesNotMindAStaleToken(t *testing.T) {
	s := open(t)
	old := s.Admin(t, "gone")
	wantDone(t, "logout", s.get(t, old.Token, "/api/auth/logout"))
	for _, token := range []string{old.Token, "garbage", "Bearer garbage", strings.Repeat("x", 9000)} {
		got := s.post(t, token, plainRoute, object{"username": "admin", "password": password})
		if got.Code != http.StatusOK {
			t.Errorf("sign-in with the token %.20q: %s", token, got.Text)
		}
	}
}

func TestSignInReplacesTheLoginWhoseTokenItCarries(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	first, other := s.Admin(t, "laptop"), s.SignIn(t, "alice", password, "laptop")
	again := func(token, clientID string) {
		t.Helper()
		got := s.Do(t, servertest.Request{
			Path: plainRoute, Token: token, ClientID: clientID, Body: object{"username": "admin", "password": password},
		})
		if got.Code != http.StatusOK {
			t.Fatalf("sign in again: %s", got.Text)
		}
	}
	again(first.Token, "phone")
	s.wantAlive(t, "the token of another device", first.Token, "admin")
	again(other.Token, "laptop")
	s.wantAlive(t, "the token of another account", other.Token, "alice")
	again(first.Token, "laptop")
	s.wantDead(t, "the replaced token", first.Token, inactive)
}

func TestLoginsOfTheSameSecondHaveTokensOfTheirOwn(t *testing.T) {
	s := open(t)
	first, second := s.Admin(t, ""), s.Admin(t, "")
	if first.Token == second.Token {
		t.Fatal("two logins have one token")
	}
	if first.DeviceKey != second.DeviceKey {
		t.Errorf("two logins without a Client-Id are on devices %s and %s, want one", first.DeviceKey, second.DeviceKey)
	}
	wantDone(t, "logout", s.get(t, first.Token, "/api/auth/logout"))
	s.wantDead(t, "the first", first.Token, inactive)
	s.wantAlive(t, "the second", second.Token, "admin")
}

func TestDeviceKeyStaysTheSameForAccountAndClientID(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	first := s.Admin(t, "laptop").DeviceKey
	s.clock.Advance(time.Hour)
	if again := s.Admin(t, "laptop").DeviceKey; again != first {
		t.Errorf("device key %s, then %s", first, again)
	}
	for name, key := range map[string]string{
		"another Client-Id": s.Admin(t, "phone").DeviceKey,
		"no Client-Id":      s.Admin(t, "").DeviceKey,
		"another account":   s.SignIn(t, "alice", password, "laptop").DeviceKey,
	} {
		if key == first {
			t.Errorf("%s has the same device key", name)
		}
	}
	got := s.post(t, "", plainRoute+"?client_id=laptop", object{"username": "admin", "password": password})
	if !strings.Contains(got.Text, first) {
		t.Errorf("a Client-Id in the query gives %s, want device %s", got.Text, first)
	}
}
