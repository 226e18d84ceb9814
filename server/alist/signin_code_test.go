package alist_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

func TestSecondFactorIsAskedForWithItsOwnCode(t *testing.T) {
	s := open(t)
	secret := s.enrol(t, s.Admin(t, "").Token)
	stranger := s.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	for _, route := range []string{plainRoute, hashRoute} {
		right, wrong := password, "wrong horse battery"
		if route == hashRoute {
			right, wrong = hashed(right), hashed(wrong)
		}
		for name, tt := range map[string]struct {
			password string
			code     any
			status   int
			message  string
		}{
			"no code yet":                         {right, "", http.StatusPaymentRequired, needCode},
			"a null code":                         {right, nil, http.StatusPaymentRequired, needCode},
			"a wrong code":                        {right, stranger, http.StatusPaymentRequired, needCode},
			"a code of letters":                   {right, "abcdef", http.StatusPaymentRequired, needCode},
			"a wrong password says nothing of it": {wrong, "", http.StatusBadRequest, badLogin},
			"a wrong password with a right code":  {wrong, s.code(secret), http.StatusBadRequest, badLogin},
		} {
			got := s.post(t, "", route, object{"username": "admin", "password": tt.password, "otp_code": tt.code})
			wantRefused(t, name, got, tt.status, tt.message)
		}
	}
	got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": s.code(secret)})
	if got.Code != http.StatusOK {
		t.Errorf("the right code, which a wrong password did not spend: %s", got.Text)
	}
}

// T-01.
func TestCodeWorksOnce(t *testing.T) {
	s := open(t)
	secret := s.enrol(t, s.Admin(t, "").Token)
	body := object{"username": "admin", "password": password, "otp_code": s.code(secret)}
	if got := s.signIn(t, body); got.Code != http.StatusOK {
		t.Fatalf("sign in: %s", got.Text)
	}
	wantRefused(t, "the same code again", s.signIn(t, body), http.StatusPaymentRequired, needCode)
	s.clock.Advance(30 * time.Second)
	wantRefused(t, "the same code in the next step", s.signIn(t, body), http.StatusPaymentRequired, needCode)
	body["otp_code"] = s.code(secret)
	if got := s.signIn(t, body); got.Code != http.StatusOK {
		t.Errorf("the next code: %s", got.Text)
	}
}

// T-01.
func TestCodeThatEnrolledDoesNotSignIn(t *testing.T) {
	s := open(t)
	secret := s.enrol(t, s.Admin(t, "").Token)
	s.clock.Advance(-30 * time.Second)
	got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": s.code(secret)})
	wantRefused(t, "sign-in with the code of the enrolment", got, http.StatusPaymentRequired, needCode)
}

func TestCodeIsTakenInEverySpellingThatClientsUse(t *testing.T) {
	s := open(t)
	secret := s.enrol(t, s.Admin(t, "").Token)
	form := map[string]string{"Content-Type": formType}
	head := `{"username":"admin","password":"` + password + `",`
	query := "Username=admin&Password=" + passwordInQuery + "&OtpCode="
	for name, request := range map[string]func(code string) servertest.Request{
		"text":                func(c string) servertest.Request { return servertest.Request{Body: head + `"otp_code":"` + c + `"}`} },
		"text between blanks": func(c string) servertest.Request { return servertest.Request{Body: head + `"otp_code":" ` + c + ` "}`} },
		"a number without its zeros": func(c string) servertest.Request {
			return servertest.Request{Body: head + `"otp_code":` + strings.TrimLeft(c, "0") + `}`}
		},
		"in Go's case": func(c string) servertest.Request { return servertest.Request{Body: head + `"OTP_Code":"` + c + `"}`} },
		"misspelt":     func(c string) servertest.Request { return servertest.Request{Body: head + `"opt_code":"` + c + `"}`} },
		"misspelt beside an empty one": func(c string) servertest.Request {
			return servertest.Request{Body: head + `"otp_code":"","opt_code":"` + c + `"}`}
		},
		"in a form": func(c string) servertest.Request { return servertest.Request{Body: query + c, Header: form} },
		"in a query": func(c string) servertest.Request {
			return servertest.Request{Method: http.MethodPost, Path: "?" + query + c}
		},
		"in a small form": func(c string) servertest.Request {
			return servertest.Request{Body: "username=admin&password=" + passwordInQuery + "&otp_code=" + c, Header: form}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for s.clock.Advance(30 * time.Second); s.code(secret)[0] != '0'; s.clock.Advance(30 * time.Second) {
				// only a code that begins with a zero tells text from numbers
			}
			r := request(s.code(secret))
			r.Path = plainRoute + r.Path
			r.Method = http.MethodPost
			if got := s.Do(t, r); got.Code != http.StatusOK {
				t.Errorf("%s", got.Text)
			}
		})
	}
}

// T-04: digits of other scripts, and what only looks like a code.
func TestCodesOfOtherDigitsAreRefused(t *testing.T) {
	s := open(t)
	secret := s.enrol(t, s.Admin(t, "").Token)
	in := func(zero rune) func(string) string {
		return func(code string) string { return strings.Map(func(r rune) rune { return r - '0' + zero }, code) }
	}
	next := func() string {
		s.clock.Advance(3 * time.Minute) // wrong codes are limited
		return s.code(secret)
	}
	for name, typed := range map[string]func(code string) string{
		"full-width digits": in('０'), "Arabic digits": in('٠'),
		"a sign":          func(code string) string { return "+" + code[1:] },
		"a blank inside":  func(code string) string { return code[:3] + " " + code[3:] },
		"a hyphen inside": func(code string) string { return code[:3] + "-" + code[3:] },
		"two codes":       func(code string) string { return code + "," + code },
	} {
		got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": typed(next())})
		wantRefused(t, name, got, http.StatusPaymentRequired, needCode)
	}
	if got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": next()}); got.Code != http.StatusOK {
		t.Errorf("the code itself: %s", got.Text)
	}
}

// Frontends learn from the refusal that they must ask.
func TestMissingCodeIsNoFailedAttempt(t *testing.T) {
	s := open(t)
	secret := s.enrol(t, s.Admin(t, "").Token)
	for range 40 {
		got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": ""})
		wantRefused(t, "without a code", got, http.StatusPaymentRequired, needCode)
	}
	got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": s.code(secret)})
	if got.Code != http.StatusOK {
		t.Errorf("with the code after 40 times without: %s", got.Text)
	}
}
