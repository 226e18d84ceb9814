package alist_test

import (
	"encoding/base64"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	generateRoute = "/api/auth/2fa/generate"
	verifyRoute   = "/api/auth/2fa/verify"
)

type enrolment struct {
	QR     string `json:"qr"`
	Secret string `json:"secret"`
}

func (s *site) generate(t *testing.T, token string) enrolment {
	t.Helper()
	var made enrolment
	s.post(t, token, generateRoute, nil).Into(t, &made)
	return made
}

// T-06.
func TestGeneratedSecretIsShownAsTextAndPicture(t *testing.T) {
	s := open(t)
	got := s.post(t, s.Admin(t, "").Token, generateRoute, nil) // no body and no Content-Type, as the frontend sends it
	form := regexp.MustCompile(`^\{"code":200,"message":"success","data":\{"qr":"data:image/png;base64,[A-Za-z0-9+/]+=*","secret":"[A-Z2-7]{32}"\}\}$`)
	if got.Status != http.StatusOK || !form.MatchString(got.Text) {
		t.Fatalf("HTTP %d %.300s, want %s", got.Status, got.Text, form)
	}
	var made enrolment
	got.Into(t, &made)
	text := strings.TrimPrefix(made.QR, "data:image/png;base64,")
	img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		t.Fatalf("read the picture: %v", err)
	}
	if size := img.Bounds().Size(); size.X != 400 || size.Y != 400 {
		t.Errorf("the picture is %v, want 400×400", size)
	}
}

func TestEnrollingEndsTheOtherLoginsAndKeepsTheCaller(t *testing.T) {
	s := open(t)
	caller, twin, other := s.Admin(t, "laptop"), s.Admin(t, "laptop"), s.Admin(t, "")
	s.enrol(t, caller.Token)
	s.wantAlive(t, "the caller", caller.Token, "admin")
	s.wantDead(t, "another login of the device", twin.Token, inactive)
	s.wantDead(t, "another device", other.Token, inactive)
	s.wantAlive(t, "the static token", s.App.AdminToken(), "admin")
	if ids := s.devices(t, caller.Token); len(ids) != 1 || ids[0] != caller.DeviceKey {
		t.Errorf("devices %v, want only the caller's", ids)
	}
}

// T-07.
func TestOnlyTheNewestIssuedSecretCanBeEnrolled(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	token, alice := s.Admin(t, "").Token, s.SignIn(t, "alice", password, "").Token
	const gone = "2FA secret expired, generate a new one"
	older := s.generate(t, token).Secret
	newest := s.generate(t, token).Secret
	foreign := s.generate(t, alice).Secret
	const own = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // what AList would have taken
	for name, secret := range map[string]string{"an older one": older, "somebody else's": foreign, "one of the client's own": own, "no base32": "!"} {
		wantRefused(t, name, s.post(t, token, verifyRoute, object{"code": s.code(secret) + "000000"[len(s.code(secret)):], "secret": secret}), 400, gone)
	}
	wantRefused(t, "a wrong code", s.post(t, token, verifyRoute, object{"code": s.code(own), "secret": newest}), 400, needCode)
	wantRefused(t, "a code of letters", s.post(t, token, verifyRoute, object{"code": "abcdef", "secret": newest}), 400, needCode)
	s.wantAlive(t, "the caller after all that", token, "admin")
	wantDone(t, "the newest", s.post(t, token, verifyRoute, object{"code": s.code(newest), "secret": newest}))
}

// T-07.
func TestIssuedSecretExpires(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	secret := s.generate(t, token).Secret
	s.clock.Advance(10*time.Minute + time.Second)
	wantRefused(t, "after ten minutes", s.post(t, token, verifyRoute, object{"code": s.code(secret), "secret": secret}),
		400, "2FA secret expired, generate a new one")
}

// T-08.
func TestEnrolledFactorCannotBeReplacedByATokenAlone(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	secret := s.enrol(t, token)
	wantRefused(t, "generate", s.post(t, token, generateRoute, nil), 400, "2FA is already enabled")
	wantRefused(t, "verify", s.post(t, token, verifyRoute, object{"code": s.code(secret), "secret": secret}), 400, "2FA is already enabled")
	wantRefused(t, "sign-in without it", s.signIn(t, object{"username": "admin", "password": password}), 402, needCode)
}

func TestEnrolmentTakesTheCodeAsNumberToo(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	secret := s.generate(t, token).Secret
	for s.code(secret)[0] != '0' {
		s.clock.Advance(30 * time.Second)
		secret = s.generate(t, token).Secret
	}
	body := `{"code":` + strings.TrimLeft(s.code(secret), "0") + `,"secret":"` + secret + `"}`
	wantDone(t, "verify", s.post(t, token, verifyRoute, body))
}

func TestSecondFactorRefusals(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	token := s.Admin(t, "").Token
	const guests = "Guest user can not generate 2FA code"
	for name, tt := range map[string]struct {
		token, path string
		body        any
		code        int
		message     string
	}{
		"a guest generates":              {"", generateRoute, nil, 403, guests},
		"a guest verifies":               {"", verifyRoute, object{"code": "123456", "secret": "x"}, 403, guests},
		"a guest verifies nothing":       {"", verifyRoute, object{}, 400, `field "code" is required`},
		"no code":                        {token, verifyRoute, object{"secret": "x"}, 400, `field "code" is required`},
		"a null code":                    {token, verifyRoute, object{"code": nil, "secret": "x"}, 400, `field "code" is required`},
		"no secret":                      {token, verifyRoute, object{"code": "123456"}, 400, `field "secret" is required`},
		"no body":                        {token, verifyRoute, nil, 400, "request body is empty"},
		"a list for a code":              {token, verifyRoute, object{"code": []int{1}, "secret": "x"}, 400, `field "code" must be a code of up to six digits`},
		"nothing issued":                 {token, verifyRoute, object{"code": "123456", "secret": "x"}, 400, "2FA secret expired, generate a new one"},
		"garbage for a token, generates": {"garbage", generateRoute, nil, 401, invalid},
		"garbage for a token, verifies":  {"garbage", verifyRoute, object{"code": "123456", "secret": "x"}, 401, invalid},
	} {
		wantRefused(t, name, s.post(t, tt.token, tt.path, tt.body), tt.code, tt.message)
	}
}

// T-05.
func TestGuessedEnrolmentCodesAreStopped(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	secret := s.generate(t, token).Secret
	wrong := object{"code": "abcdef", "secret": secret}
	for range 5 {
		wantRefused(t, "a guess", s.post(t, token, verifyRoute, wrong), 400, needCode)
	}
	got := s.post(t, token, verifyRoute, object{"code": s.code(secret), "secret": secret})
	wantRefused(t, "one more", got, 429, tooMany)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
