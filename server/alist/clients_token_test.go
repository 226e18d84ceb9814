package alist_test

import (
	"net/http"
	"strings"
	"testing"
)

// Applications that are given the static token, and one that hands on what
// others send.
func TestApplicationsWithTheStaticToken(t *testing.T) {
	static := func(lines ...string) func(p *program) {
		return func(p *program) {
			auth := append(lines, "Authorization: "+p.site.App.AdminToken())
			p.admin(auth...)
			wantDone(p, "somebody logs out with it", p.site.get(p, p.site.App.AdminToken(), logoutRoute))
			p.admin(auth...)
		}
	}
	httpAndCode, code := []check{status200, code200}, []check{code200}
	runClients(t, map[string]client{
		"dr34m-cn/taosync": {library: requestsLibrary(), ok: httpAndCode, run: func(p *program) {
			static()(p)
			p.refused(p.send(http.MethodGet, "/api/me", "", "Authorization: an-old-token"), http.StatusUnauthorized, invalid)
		}},
		"krau/SaveAny-Bot with a token":              {library: goLibrary(), ok: httpAndCode, run: static()},
		"Akimio521/MediaWarp with a token":           {library: goLibrary(), ok: code, run: static()},
		"Akimio521/AutoFilm with a token":            {library: httpxLibrary(), ok: httpAndCode, run: static()},
		"jxxghp/MoviePilot with a token":             {library: requestsLibrary(), ok: httpAndCode, run: static()},
		"lee-cq/alist-sdk with a token":              {library: httpxLibrary(), ok: httpAndCode, run: static()},
		"jinzhi0123/picgo-plugin-alist with a token": {library: axiosLibrary(), ok: httpAndCode, run: static()},
		"Kuingsmile/PicList":                         {library: axiosLibrary(), ok: code, run: static("Content-Type: application/json")},
		"bpking1/embyExternalUrl":                    {library: njsLibrary(), ok: code, run: embyExternalURL},
		"AmbitiousJun/go-emby2openlist":              {library: goLibrary(), ok: code, run: static("Content-Type: application/json;charset=utf-8")},
		"HoshinoSuzumi/chronoframe":                  {library: nodeLibrary(), ok: code, run: static()},
		"traceless/alist-encrypt hands on what a browser sends": {
			library: browserLibrary(), json: webJSON, ok: httpAndCode,
			run: func(p *program) {
				proxied := []string{webClientID, "Origin: http://alist-encrypt:5344", "Referer: http://alist-encrypt:5344/@login"}
				token := p.signIn(hashRoute, hashJSON(`,"otp_code":""`), append(proxied, noToken)...)
				p.admin(append(proxied, "Authorization: "+token)...)
			},
		},
	})
}

// embyExternalURL closes its connection after each request, and signs links
// with the static token, so that nothing may be added to it.
func embyExternalURL(p *program) {
	token := p.site.App.AdminToken()
	if strings.TrimSpace(token) != token || strings.ContainsAny(token, " :/") {
		p.Fatalf("the static token %q is no key", token)
	}
	p.admin("Authorization: " + token)
	p.dial()
	p.refused(p.send(http.MethodGet, "/api/me", ""), http.StatusUnauthorized, noGuests)
}

// Programs whose repositories are not known by name.
func TestUnnamedPrograms(t *testing.T) {
	runClients(t, map[string]client{
		"a Swift app evicts by device_key and manages SSH keys in its own way": {
			library: cfnetworkLibrary(), ok: []check{status200, code200},
			run: func(p *program) {
				auth := "Authorization: " + p.signIn(plainRoute, compactJSON, "Client-Id: 0A3E6C1B-5D0B-4C8E-8B5E-2B1B7E0C9F10")
				other := p.site.Admin(p, "other")
				p.accept(p.send(http.MethodPost, evictRoute, `{"device_key":"`+other.DeviceKey+`"}`, auth))
				p.site.wantDead(p, "the device", other.Token, inactive)
				line, _ := sshKey(p.T)
				p.accept(p.send(http.MethodPost, keyAddRoute, `{"title":"phone","public_key":"`+line+`"}`, auth))
				p.accept(p.send(http.MethodPost, keyDeleteRoute, `{"id":1}`, auth))
				a := p.send(http.MethodGet, keyListRoute, "", auth)
				p.accept(a)
				if string(a.Data) != `{"content":[],"total":0}` { // it would like a bare array; AList sends a page, which alist-web needs
					p.Errorf("the key list is %s, want AList's page", a.text)
				}
			},
		},
		"a TypeScript admin module deletes SSH keys with the id in JSON": {
			library: axiosLibrary(), ok: []check{code200},
			run: func(p *program) {
				auth := "Authorization: " + p.signIn(plainRoute, compactJSON)
				line, _ := sshKey(p.T)
				p.accept(p.send(http.MethodPost, keyAddRoute, `{"title":"server","key":"`+line+`"}`, auth))
				p.accept(p.send(http.MethodPost, keyDeleteRoute, `{"id":1}`, auth))
			},
		},
		"a TypeScript client has one Client-Id for all of its users": {
			library: nodeLibrary(), ok: []check{code200},
			run: func(p *program) {
				p.site.AddUser(p, "alice")
				alice := p.site.SignIn(p, "alice", password, "fixed")
				token := p.signIn(hashRoute, hashJSON(`,"otp_code":""`), "Client-Id: fixed")
				p.admin("Client-Id: fixed", "Authorization: "+token)
				p.accept(p.send(http.MethodGet, logoutRoute, "", "Client-Id: fixed", "Authorization: "+token))
				p.site.wantAlive(p, "somebody else under the same Client-Id", alice.Token, "alice")
			},
		},
		"a Rust client tries an MD5 first, and then the plain password": {
			library: reqwestLibrary(), ok: []check{code200},
			run: func(p *program) {
				const md5 = `{"username":"admin","password":"5f4dcc3b5aa765d61d8327deb882cf99"}`
				for range 30 {
					p.refused(p.send(http.MethodPost, hashRoute, md5), http.StatusBadRequest, badLogin)
					p.admin("Authorization: " + p.signIn(plainRoute, compactJSON))
				}
			},
		},
		"a fork of rclone signs in by hash": {
			library: library{headers: []string{"User-Agent: rclone/v1.68.0"}, last: []string{"Accept-Encoding: gzip"}, length: true}, ok: []check{status200, code200},
			run: func(p *program) { p.admin("Authorization: " + p.signIn(hashRoute, hashJSON(""))) },
		},
		"a Go command line signs in by hash": {
			library: goLibrary(), ok: []check{code200},
			run: func(p *program) { p.admin("Authorization: " + p.signIn(hashRoute, hashJSON(`,"otp_code":""`))) },
		},
		"Go code that tells failures apart by their words": {
			library: goLibrary(), ok: []check{code200},
			run: func(p *program) {
				a := p.send(http.MethodGet, "/api/me", "")
				if words := strings.ToLower(a.Message); !strings.Contains(words, "login please") || !strings.Contains(words, "guest user is disabled") {
					p.Errorf("message %q, want login please and guest user is disabled in it", a.Message)
				}
				a = p.send(http.MethodPost, "/api/admin/user/create", `{"username":"root","password":"`+password+`","role":[2]}`,
					"Authorization: "+p.site.App.AdminToken())
				p.refused(a, http.StatusBadRequest, "admin or guest user can not be created")
			},
		},
	})
}

// A request that carries two credentials has none: nobody can say which one a
// proxy has judged.
func TestTwoAuthorizationHeadersAreNone(t *testing.T) {
	runClients(t, map[string]client{
		"two tokens, both good": {library: curlLibrary(), run: func(p *program) {
			static := "Authorization: " + p.site.App.AdminToken()
			p.refused(p.send(http.MethodGet, "/api/me", "", static, static), http.StatusUnauthorized, invalid)
			p.refused(p.send(http.MethodGet, "/api/me", "", static, "Authorization: x"), http.StatusUnauthorized, invalid)
			p.refused(p.send(http.MethodGet, "/api/me", "", noToken, static), http.StatusUnauthorized, invalid)
			a := p.send(http.MethodPost, plainRoute, compactJSON, static, static)
			if a.Code != http.StatusOK {
				p.Errorf("a sign-in, which needs neither: %s", a.text)
			}
		}},
		"two Client-Ids": {library: curlLibrary(), run: func(p *program) {
			token := "Authorization: " + p.site.Admin(p, "laptop").Token
			p.admin(token, "Client-Id: laptop", "Client-Id: laptop")
			p.refused(p.send(http.MethodGet, "/api/me", "", token, "Client-Id: laptop", "Client-Id: phone"),
				http.StatusBadRequest, "Client-Id must be 1 to 256 printable characters")
		}},
	})
}
