package alist_test

import (
	"net/http"
	"strings"
	"testing"
)

const (
	webJSON     = "application/json;charset=UTF-8"
	webClientID = "Client-Id: 4b0e5d0a-7a4f-4e0c-9c1e-0d6b1f6f7c11"
	noToken     = "Authorization: "
)

// AList's own programs.
func TestAListsOwnClients(t *testing.T) {
	runClients(t, map[string]client{
		"AlistGo/alist-web boots, signs in, works and logs out": {
			library: browserLibrary(), json: webJSON, ok: []check{status200, code200, threeKeys}, run: alistWeb,
		},
		"AlistGo/alist-web asks for the code when it is told to": {
			library: browserLibrary(), json: webJSON, ok: []check{status200, code200}, run: alistWebWithCode,
		},
		"AlistGo/alist drivers/alist_v3 signs in again on 401, once": {
			library: restyLibrary(), ok: []check{noHTTPError, code200}, run: alistDriver,
		},
		"AlistGo/alist's commands use the static token": {
			library: restyLibrary(), ok: []check{status200, code200},
			run: func(p *program) {
				p.admin("Authorization: " + p.site.App.AdminToken())
				p.accept(p.send(http.MethodPost, "/api/admin/user/del_cache?username=admin", "", "Authorization: "+p.site.App.AdminToken()))
			},
		},
		"OpenListTeam/OpenList-Frontend is for servers with one role": {
			library: browserLibrary(), json: webJSON, ok: []check{status200, code200},
			run: func(p *program) {
				token := p.signIn(hashRoute, hashJSON(`,"otp_code":""`), noToken)
				p.brokenByRoles(p.admin("Authorization: " + token))
			},
		},
	})
}

func alistWeb(p *program) {
	web := []string{webClientID, noToken, "Content-Type: " + webJSON}
	p.accept(p.send(http.MethodGet, "/api/public/settings", "", web...))
	p.accept(p.send(http.MethodGet, "/api/public/archive_extensions", "", web...))
	p.refused(p.send(http.MethodGet, "/api/me", "", web...), http.StatusUnauthorized, noGuests)

	origin := "Origin: http://" + p.host
	a := p.send(http.MethodPost, hashRoute, hashJSON(`,"otp_code":""`), webClientID, noToken, origin)
	p.accept(a)
	var in struct {
		Token     string
		DeviceKey string `json:"device_key"`
	}
	p.read(a, &in)
	signedIn := []string{webClientID, "Authorization: " + in.Token}
	p.admin(signedIn...)
	p.accept(p.send(http.MethodGet, keyListRoute, "", signedIn...))
	p.accept(p.send(http.MethodPost, generateRoute, "", append(signedIn, origin)...)) // neither body nor Content-Type
	p.accept(p.send(http.MethodPost, updateRoute, `{"username":"admin","password":"","sso_id":""}`, signedIn...))
	a = p.send(http.MethodGet, sessionsRoute, "", signedIn...)
	p.accept(a)
	var rows []struct {
		ID     string `json:"session_id"`
		Status int    `json:"status"`
	}
	if p.read(a, &rows); len(rows) != 1 || rows[0].ID != in.DeviceKey || rows[0].Status != 0 {
		p.Fatalf("sessions %s, want the device %s with status 0", a.text, in.DeviceKey)
	}
	p.accept(p.send(http.MethodGet, adminListRoute, "", signedIn...))
	p.accept(p.send(http.MethodPost, cleanRoute, `{}`, signedIn...))
	p.accept(p.send(http.MethodGet, "/api/public/offline_download_tools", "", signedIn...))
	p.accept(p.send(http.MethodGet, logoutRoute, "", signedIn...))
	// It keeps its old token and sends it with everything.
	p.refused(p.send(http.MethodGet, "/api/me", "", signedIn...), http.StatusUnauthorized, inactive)
	p.accept(p.send(http.MethodGet, "/api/public/settings", "", signedIn...))
	p.signIn(hashRoute, hashJSON(`,"otp_code":""`), signedIn...)
}

func alistWebWithCode(p *program) {
	secret := p.site.enrol(p, p.site.Admin(p, "").Token)
	p.refused(p.send(http.MethodPost, hashRoute, hashJSON(`,"otp_code":""`), webClientID, noToken), http.StatusPaymentRequired, needCode)
	p.admin(webClientID, "Authorization: "+p.signIn(hashRoute, hashJSON(`,"otp_code":"`+p.site.code(secret)+`"`), webClientID, noToken))
}

func alistDriver(p *program) {
	request := func(token string) answer { return p.send(http.MethodGet, "/api/me", "", "Authorization: "+token) }
	a := request("")
	for tries := 0; a.Code == http.StatusUnauthorized || a.Code == http.StatusForbidden; tries++ {
		if tries > 1 {
			p.Fatalf("signed in twice and still %s", a.text)
		}
		token := p.signIn(plainRoute, compactJSON)
		if tries == 0 {
			p.evicted() // so that the first token is refused too
		}
		a = request(token)
	}
	p.accept(a)
	settings := p.send(http.MethodGet, "/api/public/settings", "")
	if p.accept(settings); !strings.Contains(settings.text, `"allow_mounted":"true"`) {
		p.Errorf("settings %s, want allow_mounted as text", settings.text)
	}
}
