package server_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// disguises are requests that carry a token everywhere but in Authorization.
func disguises(path, token string) map[string]servertest.Request {
	all := map[string]servertest.Request{}
	add := func(name string, r servertest.Request) {
		if r.Path == "" {
			r.Path = path
		}
		all[name] = r
	}
	for _, key := range []string{"token", "access_token", "Authorization", "authorization", "auth", "jwt", "session", "api_key", "apikey", "key", "x-api-key", "Bearer", "sid"} {
		add("query "+key, servertest.Request{Path: path + "?" + key + "=" + url.QueryEscape(token)})
		add("query "+key+" with Bearer", servertest.Request{Path: path + "?" + key + "=Bearer+" + url.QueryEscape(token)})
	}
	for _, key := range []string{"token", "Authorization", "authorization", "session", "access_token", "jwt", "alist_token", "__Host-session", "latchkey"} {
		add("cookie "+key, servertest.Request{Header: map[string]string{"Cookie": key + "=" + token}})
	}
	for _, name := range []string{
		"X-Api-Key", "X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Access-Token", "X-Auth-Request-User", "X-Auth-Request-Access-Token", "X-Auth-Token", "X-Access-Token",
		"X-Token", "Token", "Session", "X-Session-Id", "Proxy-Authorization", "X-Authorization", "X-Original-Authorization", "Www-Authenticate", "Authentication", "Auth", "X-Webauth-User", "Sec-Websocket-Protocol", "X-User",
	} {
		for kind, value := range map[string]string{"a token": token, "Bearer": "Bearer " + token, "a name": "admin", "an id": "1"} {
			add("header "+name+" with "+kind, servertest.Request{Header: map[string]string{name: value}})
		}
	}
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, value := range map[string]string{
		"user and token": basic("admin:" + token), "token alone": basic(token), "token as user": basic(token + ":"), "user and password": basic("admin:" + servertest.AdminPassword),
		"token in the clear": "Basic " + token, "the scheme token": "Token " + token, "the scheme JWT": "JWT " + token, "Digest": "Digest " + token, "a parameter": "Bearer token=" + token, "quoted": `Bearer "` + token + `"`,
		"ApiKey": "ApiKey " + token, "without a blank": "Bearer" + token, "with a colon": "Bearer: " + token, "by comma": "Bearer, " + token,
	} {
		add("Authorization, "+name, servertest.Request{Header: map[string]string{"Authorization": value}})
	}
	add("body", servertest.Request{Method: http.MethodGet, Body: map[string]string{"token": token, "authorization": token, "access_token": token}})
	add("form", servertest.Request{Method: http.MethodGet, Body: "token=" + token + "&access_token=" + token, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	return all
}

// A token is a credential in Authorization and nowhere else (K-11), and nobody
// is who a proxy's header says.
func TestTokensCountInAuthorizationOnly(t *testing.T) {
	f := besiege(t)
	in := f.Admin(t, "desk")
	for kind, token := range map[string]string{"session token": in.Token, "static token": f.App.AdminToken()} {
		for _, authorization := range []string{token, "Bearer " + token, "bearer\t" + token, " BEARER   " + token + " "} {
			if reply := f.Do(t, servertest.Request{Path: "/api/me", Token: authorization}); reply.Code != http.StatusOK {
				t.Errorf("%s as %q: %s", kind, authorization, reply.Text)
			}
		}
		for _, path := range []string{"/api/me", "/api/me/sessions", "/api/admin/session/list", "/api/auth/logout"} {
			for name, r := range disguises(path, token) {
				wantCode(t, kind+" in "+name+" at "+path, f.unchecked(t, r), http.StatusUnauthorized)
			}
		}
	}
	body := map[string]string{"username": "admin", "sso_id": "x", "token": in.Token, "authorization": in.Token}
	wantCode(t, "a token in a body", f.Do(t, servertest.Request{Path: "/api/me/update", Body: body}), http.StatusUnauthorized)
	// What is no token at all.
	hash := staticHash(servertest.AdminPassword)
	for name, other := range map[string]string{"a device key": in.DeviceKey, "a password": servertest.AdminPassword, "a static hash": hash, "a name": "admin", "an account's key": f.account(t, "admin")} {
		wantCode(t, name, f.Do(t, servertest.Request{Path: "/api/me", Token: other}), http.StatusUnauthorized)
		wantCode(t, name, f.Do(t, servertest.Request{Path: "/api/me", Token: "Bearer " + other}), http.StatusUnauthorized)
	}
	if reply := f.Do(t, servertest.Request{Path: "/api/me", Token: in.Token}); reply.Code != http.StatusOK {
		t.Errorf("the token itself afterwards: %s", reply.Text)
	}
}

// heap is what the process holds after a collection, in bytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Nobody fills the server by making names up: neither rows nor memory (S-09,
// F-08). The log is quiet, because this test keeps its log in memory.
func TestInventedNamesLeaveNothingBehind(t *testing.T) {
	const requests = 20_000
	f := besiege(t, func(_ *config.Config, o *server.Options) { o.Log = nil })
	in := f.Admin(t, "desk")
	var (
		goroutines   = runtime.NumGoroutine()
		before       = f.rows(t)
		keys         = f.App.Profile.Throttle.Keys()
		memory       = heap()
		signIns      int
		shape        = strings.Split(in.Token, ".")
		wrongAnswers int
	)
	for i := range requests {
		r := servertest.Request{Path: "/api/me", ClientID: rand.Text(), From: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}
		switch i % 5 {
		case 0: // somebody's token under invented devices
			r.Token = in.Token
		case 1: // invented tokens
			r.Token = rand.Text()
		case 2: // forged ones, of the right shape
			r.Token = shape[0] + "." + shape[1] + "." + base64.RawURLEncoding.EncodeToString([]byte(rand.Text()+"abcdef"))
		case 3: // the guest, under invented user agents
			r.Header = map[string]string{"User-Agent": rand.Text(), "X-Forwarded-For": "1.2.3.4"}
		case 4: // sign-ins of invented names
			r.Path, r.Body = "/api/auth/login", map[string]string{"username": rand.Text(), "password": rand.Text()}
			signIns++
		}
		if f.unchecked(t, r).Code == http.StatusOK {
			wrongAnswers++
		}
	}
	if wrongAnswers > 0 {
		t.Errorf("%d of the requests succeeded", wrongAnswers)
	}
	if err := f.App.Sessions.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := f.rows(t); after != before {
		t.Errorf("rows changed: %s", firstDifference(before, after))
	}
	// Each failed sign-in is known by its address, its name, and both together.
	if grown := f.App.Profile.Throttle.Keys() - keys; grown > 3*signIns {
		t.Errorf("%d counters for %d failed sign-ins, want three each at most", grown, signIns)
	}
	if now := runtime.NumGoroutine(); now > goroutines+50 {
		t.Errorf("%d goroutines, %d before", now, goroutines)
	}
	t.Logf("%d requests, %d of them sign-ins: %d counters, heap %+d KiB", requests, signIns,
		f.App.Profile.Throttle.Keys()-keys, (int64(heap())-int64(memory))/1024)
	// All of the above is in memory for a while; the bound holds for good.
	if bound := 7 * 100_000; f.App.Profile.Throttle.Keys() > bound {
		t.Errorf("more than %d counters", bound)
	}
	if reply := f.Do(t, servertest.Request{Path: "/api/me", Token: in.Token, ClientID: "desk"}); reply.Code != http.StatusOK {
		t.Errorf("the token on its own device: %s", reply.Text)
	}
}

// One account's devices are bounded whatever the settings say (S-09).
func TestDevicesOfOneAccountAreBounded(t *testing.T) {
	f := besiege(t)
	for i := range 130 {
		f.SignIn(t, "admin", servertest.AdminPassword, fmt.Sprintf("device %d", i))
		f.clock.Advance(1000)
	}
	live := f.query(t, "SELECT count(DISTINCT device_key) FROM logins WHERE ended_at IS NULL")[0][0].value
	if live != "100" {
		t.Errorf("%s live devices, want 100", live)
	}
	var rows []struct{}
	f.Do(t, servertest.Request{Path: "/api/me/sessions", Token: f.Admin(t, "device 129").Token}).Into(t, &rows)
	if len(rows) != 100 {
		t.Errorf("%d devices in the list, want 100", len(rows))
	}
}
