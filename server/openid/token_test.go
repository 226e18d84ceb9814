package openid_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/client"
)

const tokenPath = "/api/v4/session/oauth/token"

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}}
}

func TestTokenAnswer(t *testing.T) { // contract "Endpoints", rulings 32
	s := openSite(t)
	a := s.tokens(t, s.app(t), "openid offline_access me.read")
	for name, want := range map[string]any{
		"token_type": "Bearer", "expires_in": 3600.0, "refresh_token_expires_in": 7776000.0, "scope": "me.read offline_access openid",
	} {
		if a.json[name] != want {
			t.Errorf("%s = %v, want %v", name, a.json[name], want)
		}
	}
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" { // H-07
		t.Errorf("the answer may be stored: %v", a.Header)
	}
	if !strings.HasPrefix(a.str("access_token"), "lko_") || !strings.HasPrefix(a.str("refresh_token"), "lkr_") || a.str("id_token") == "" {
		t.Errorf("the answer is %s", a.text)
	}
	bare := s.tokens(t, s.app(t), "me.read")
	for _, name := range []string{"refresh_token", "refresh_token_expires_in", "id_token"} { // O-08
		if bare.json[name] != nil {
			t.Errorf("without its scope there is a %s: %s", name, bare.text)
		}
	}
}

func TestCodeWorksOnceAlsoInParallel(t *testing.T) { // O-02
	s := openSite(t)
	c := s.app(t)
	code := s.approve(t, asks(c, "openid")).Get("code")
	var (
		group sync.WaitGroup
		wins  atomic.Int32
		token atomic.Value
	)
	for range 16 {
		group.Go(func() {
			if a := s.exchange(t, c, code); a.StatusCode == http.StatusOK {
				wins.Add(1)
				token.Store(a.str("access_token"))
			}
		})
	}
	group.Wait()
	if wins.Load() != 1 {
		t.Fatalf("%d of 16 exchanges succeeded, want 1", wins.Load())
	}
	s.exchange(t, c, code).refused(t, "a replay", http.StatusBadRequest, "invalid_grant")
	text, _ := token.Load().(string)
	if a := s.get(t, "/api/v4/session/oauth/userinfo", text); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the replay the token is answered %d", a.StatusCode)
	}
}

func TestCodeIsBound(t *testing.T) { // O-03, O-04
	s := openSite(t)
	c, other := s.app(t), s.app(t)
	lax := s.app(t, func(n *client.Registration) { n.WithoutPKCE = true })
	without := asks(lax, "openid")
	without.Del("code_challenge")
	without.Del("code_challenge_method")
	for name, tt := range map[string]struct {
		asked  url.Values
		by     model.OAuthClient
		change func(form url.Values)
		after  time.Duration
	}{
		"to the app":                      {asks(c, "openid"), other, func(url.Values) {}, 0},
		"to its minute":                   {asks(c, "openid"), c, func(url.Values) {}, time.Minute + time.Second},
		"to the verifier":                 {asks(c, "openid"), c, func(f url.Values) { f.Set("code_verifier", strings.Repeat("a", 43)) }, 0},
		"to a verifier at all":            {asks(c, "openid"), c, func(f url.Values) { f.Del("code_verifier") }, 0},
		"to the challenge as plain":       {asks(c, "openid"), c, func(f url.Values) { f.Set("code_verifier", asks(c, "").Get("code_challenge")) }, 0},
		"to its address where it is sent": {asks(c, "openid"), c, func(f url.Values) { f.Set("redirect_uri", "https://evil.example") }, 0},
		"to no challenge where none was":  {without, lax, func(url.Values) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			form := codeForm(s.approve(t, tt.asked).Get("code"))
			tt.change(form)
			s.clock.Advance(tt.after)
			s.token(t, tt.by, form).refused(t, "the exchange", http.StatusBadRequest, "invalid_grant")
		})
	}
	form := codeForm(s.approve(t, without).Get("code"))
	form.Del("code_verifier")
	if a := s.token(t, lax, form); a.StatusCode != http.StatusOK {
		t.Errorf("an app that needs no PKCE is answered %d %s", a.StatusCode, a.text)
	}
}

func TestAppsProveThemselvesBeforeAnythingElse(t *testing.T) { // O-09, RFC 6749 §2.3
	s := openSite(t)
	c, native := s.app(t), s.app(t, public)
	code := s.approve(t, asks(c, "openid")).Get("code")
	wrong := strings.Repeat("x", 10) + appSecret
	for name, tt := range map[string]struct {
		id, secret string // Basic
		body       map[string]string
		want       string
	}{
		"no proof":                        {"", "", map[string]string{"client_id": c.ID}, "invalid_client"},
		"no app":                          {"", "", nil, "invalid_client"},
		"an unknown app":                  {strings.Repeat("0", 32), appSecret, nil, "invalid_client"},
		"a wrong secret by Basic":         {c.ID, wrong, nil, "invalid_client"},
		"a wrong secret in the body":      {"", "", map[string]string{"client_id": c.ID, "client_secret": wrong}, "invalid_client"},
		"Basic with an empty password":    {c.ID, "", nil, "invalid_client"},
		"a public app with a secret":      {native.ID, appSecret, nil, "invalid_client"},
		"both ways":                       {c.ID, appSecret, map[string]string{"client_secret": appSecret}, "invalid_request"},
		"two apps":                        {c.ID, appSecret, map[string]string{"client_id": native.ID}, "invalid_request"},
		"an assertion":                    {"", "", map[string]string{"client_id": c.ID, "client_assertion": "x"}, "invalid_client"},
		"a public app with another's":     {native.ID, "", nil, "invalid_grant"},
		"another grant before all else":   {c.ID, appSecret, map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
		"the app's own credentials alone": {c.ID, appSecret, map[string]string{"grant_type": "client_credentials"}, "unsupported_grant_type"},
		"implicit":                        {c.ID, appSecret, map[string]string{"grant_type": "implicit"}, "unsupported_grant_type"},
		"no grant":                        {c.ID, appSecret, map[string]string{"grant_type": ""}, "invalid_request"},
		"no code":                         {c.ID, appSecret, map[string]string{"code": ""}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			form := codeForm(code)
			for n, v := range tt.body {
				form.Set(n, v)
			}
			status := http.StatusBadRequest
			if tt.want == "invalid_client" {
				status = http.StatusUnauthorized
			}
			a := s.send(t, tokenPath, tt.id, tt.secret, form)
			a.refused(t, "the exchange", status, tt.want)
			if basic := strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic "); basic != (status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate: %q", a.Header.Get("WWW-Authenticate"))
			}
		})
	}
	// None of that burnt the code: a stranger cannot.
	form := codeForm(code)
	form.Set("client_id", c.ID)
	form.Set("client_secret", appSecret)
	if a := s.send(t, tokenPath, "", "", form); a.StatusCode != http.StatusOK {
		t.Errorf("the app with its secret in the body is answered %d %s", a.StatusCode, a.text)
	}
	again := s.approve(t, asks(native, "openid")).Get("code")
	if a := s.send(t, tokenPath, native.ID, "", codeForm(again)); a.StatusCode != http.StatusOK {
		t.Errorf("a public app by Basic with an empty password is answered %d %s", a.StatusCode, a.text)
	}
}

func TestParametersStandInTheBodyOnce(t *testing.T) { // O-09
	s := openSite(t)
	c := s.app(t)
	honest := codeForm(s.approve(t, asks(c, "openid")).Get("code")).Encode() + "&client_id=" + c.ID + "&client_secret=" + url.QueryEscape(appSecret)
	post := func(target, media, body string) answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", media)
		return s.do(t, r)
	}
	const form = "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		path, media, body string
		status            int
	}{
		"all in the address":   {tokenPath + "?" + honest, form, "", 400},
		"one in the address":   {tokenPath + "?client_id=" + c.ID, form, honest, 400},
		"twice":                {tokenPath, form, honest + "&client_id=" + c.ID, 400},
		"twice, escaped":       {tokenPath, form, honest + "&client%5Fid=" + c.ID, 400},
		"a broken escape":      {tokenPath, form, honest + "&x=%zz", 400},
		"a control character":  {tokenPath, form, honest + "&x=%00", 400},
		"JSON":                 {tokenPath, "application/json", `{"grant_type":"authorization_code"}`, 415},
		"no media type":        {tokenPath, "", honest, 415},
		"multipart":            {tokenPath, "multipart/form-data; boundary=x", honest, 415},
		"more than it may":     {tokenPath, form, honest + "&x=" + strings.Repeat("x", 70_000), 413},
		"a semicolon between":  {tokenPath, form, strings.Replace(honest, "&", ";", 1), 400},
		"revocation, twice":    {"/api/v4/session/oauth/revoke", form, honest + "&token=a&token=b", 400},
		"introspection, twice": {"/api/v4/session/oauth/introspect", form, honest + "&token=a&token=b", 400},
	} {
		t.Run(name, func(t *testing.T) {
			post(tt.path, tt.media, tt.body).refused(t, "the request", tt.status, "invalid_request")
		})
	}
	if a := post(tokenPath, form+"; charset=utf-8", honest+"&x=&client_assertion="); a.StatusCode != http.StatusOK { // empty counts as not given
		t.Errorf("the honest request is answered %d %s", a.StatusCode, a.text)
	}
}

func TestWrongSecretsAreHeldBack(t *testing.T) { // O-09
	s := openSite(t)
	c, other := s.app(t), s.app(t)
	held := 0
	for range 14 {
		a := s.send(t, tokenPath, c.ID, "wrong", codeForm("x"))
		if a.StatusCode == http.StatusTooManyRequests {
			a.refused(t, "one too many", http.StatusTooManyRequests, "temporarily_unavailable")
			if a.Header.Get("Retry-After") != "10" {
				t.Errorf("Retry-After: %q, want 10", a.Header.Get("Retry-After"))
			}
			held++
		}
	}
	if held != 4 {
		t.Errorf("%d of 14 wrong secrets are held back, want 4", held)
	}
	s.tokens(t, other, "openid") // which is at the same address
}

func TestScopesNeverGrow(t *testing.T) { // O-08
	s := openSite(t)
	c := s.app(t)
	first := s.tokens(t, c, "openid offline_access me.read")
	refresh := func(token, scope string) answer {
		t.Helper()
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
		if scope != "" {
			form.Set("scope", scope)
		}
		return s.token(t, c, form)
	}
	for _, more := range []string{"openid session.read", "openid offline_access me.read email", "all", "admin.user.read"} {
		refresh(first.str("refresh_token"), more).refused(t, more, http.StatusBadRequest, "invalid_scope")
	}
	narrow := refresh(first.str("refresh_token"), "me.read")
	if narrow.StatusCode != http.StatusOK || narrow.str("scope") != "me.read" || narrow.str("id_token") != "" {
		t.Errorf("a narrower refresh is answered %d %s", narrow.StatusCode, narrow.text)
	}
	wide := refresh(narrow.str("refresh_token"), "")
	if wide.StatusCode != http.StatusOK || wide.str("scope") != "me.read offline_access openid" {
		t.Errorf("the next refresh is answered %d %s", wide.StatusCode, wide.text)
	}
}

// K-05: no endpoint takes another kind of secret than its own.
func TestKindsOfSecretsDoNotMix(t *testing.T) {
	s := openSite(t)
	c := s.app(t)
	a := s.tokens(t, c, "openid offline_access")
	access, refresh, id := a.str("access_token"), a.str("refresh_token"), a.str("id_token")
	login := s.SignIn(t, "ann", "correct horse battery", "").Token
	for name, token := range map[string]string{
		"a refresh token": refresh, "an id_token": id, "a login's token": login, "the static token": s.App.AdminToken(),
		"a client secret": appSecret, "nothing of ours": "x", "a cut token": access[:40],
	} {
		if u := s.get(t, "/api/v4/session/oauth/userinfo", token); u.StatusCode != http.StatusUnauthorized || u.str("error") != "invalid_token" {
			t.Errorf("userinfo with %s: %d %s", name, u.StatusCode, u.text)
		}
	}
	for name, token := range map[string]string{"an access token": access, "an id_token": id, "a login's token": login} {
		s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}).
			refused(t, "refresh with "+name, http.StatusBadRequest, "invalid_grant")
		s.exchange(t, c, token).refused(t, "exchange of "+name, http.StatusBadRequest, "invalid_grant")
	}
	if again := s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}); again.StatusCode != http.StatusOK {
		t.Errorf("the honest refresh is answered %d %s", again.StatusCode, again.text)
	}
}
