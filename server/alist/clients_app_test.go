package alist_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

const twoDays = 48*time.Hour - 5*time.Minute // how long three applications keep a token

// Applications that sign in with a name and a password.
func TestApplications(t *testing.T) {
	clients := signInAgain()
	maps.Copy(clients, keepTheirToken())
	clients["FongMi/CatVodSpider signs in when it reads that the guest is disabled"] = client{
		library: okhttpLibrary(), json: webJSON, ok: []check{status200, code200}, run: catVodSpider,
	}
	clients["Xmarmalade/alisthelper looks at the HTTP status alone"] = client{
		library: dartLibrary(), ok: []check{status200},
		run: func(p *program) {
			p.admin("Authorization: " + p.signIn(plainRoute, `{"username":"admin","password":"`+password+`","otp_code":""}`))
			a := p.send(http.MethodPost, plainRoute, `{"username":"admin","password":"x","otp_code":""}`)
			if p.accept(a); string(a.Data) != "null" {
				p.Errorf("a wrong password gets the data %s, want null", a.Data)
			}
		},
	}
	clients["xlist-io/xlist asks as a guest first and for the code when told to"] = client{
		library: dartLibrary(), ok: []check{code200}, run: xlist,
	}
	clients["saltpi/iPlay signs in by hash"] = client{
		library: okhttpLibrary(), json: "application/json; charset=utf-8", ok: []check{code200},
		run: func(p *program) { p.admin("Authorization: " + p.signIn(hashRoute, hashJSON(""))) },
	}
	clients["liblaf/claps wants the message success"] = client{
		library: reqwestLibrary(), ok: []check{status200, code200, messageSuccess},
		run: func(p *program) { p.admin("Authorization: " + p.signIn(plainRoute, compactJSON)) },
	}
	clients["deup-io/deup"] = client{
		library: okhttpLibrary(), ok: []check{code200},
		run: func(p *program) { p.admin("Authorization: " + p.signIn(plainRoute, compactJSON)) },
	}
	clients["ykxVK8yL5L/pikpak2cloud has it all in the query, and no body"] = client{
		library: requestsLibrary(), ok: []check{code200},
		run: func(p *program) {
			token := p.signIn(plainRoute+"?Password="+passwordInQuery+"&Username=admin", "")
			p.admin("UserAgent: Mozilla/5.0", "Authorization: "+token)
		},
	}
	clients["tefuirZ/alist-strm says Bearer and looks at the HTTP status alone"] = client{
		library: requestsLibrary(), ok: []check{status200},
		run: func(p *program) {
			a := p.admin("Authorization: Bearer " + p.signIn(plainRoute, pythonJSON))
			if a.Code != http.StatusOK {
				p.Errorf("its call is answered %s, which it would log as success", a.text)
			}
		},
	}
	runClients(t, clients)
}

// keepTheirToken is those that hold a token for long and do not renew it.
func keepTheirToken() map[string]client {
	keeps := func(keep time.Duration, body string) func(p *program) {
		return func(p *program) {
			token := p.signIn(plainRoute, body)
			p.site.clock.Advance(keep)
			p.admin("Authorization: " + token)
		}
	}
	return map[string]client{
		"Akimio521/MediaWarp keeps a token for two days": {
			library: goLibrary(), ok: []check{code200}, run: keeps(twoDays, `{"username": "admin","password": "`+password+`"}`),
		},
		"Akimio521/AutoFilm keeps a token for two days": {
			library: httpxLibrary(), ok: []check{status200, code200}, run: keeps(twoDays, pythonJSON),
		},
		"jxxghp/MoviePilot keeps a token for two days": {
			library: requestsLibrary(), ok: []check{status200, code200}, run: keeps(twoDays, pythonJSON),
		},
		"jinzhi0123/picgo-plugin-alist keeps a token for a day and then forces a new one": {
			library: axiosLibrary(), ok: []check{status200, code200},
			run: func(p *program) {
				keeps(24*time.Hour, compactJSON)(p)
				p.admin("Authorization: " + p.signIn(plainRoute, compactJSON))
			},
		},
	}
}

// signInAgain is those that sign in again and again and never out.
func signInAgain() map[string]client {
	// on401 does one request, and signs in once more when it is refused.
	on401 := func(body string, lines ...string) func(p *program) {
		return func(p *program) {
			token := p.signIn(plainRoute, body, lines...)
			p.evicted()
			a := p.send(http.MethodGet, "/api/me", "", "Authorization: "+token)
			p.refused(a, http.StatusUnauthorized, inactive)
			p.admin("Authorization: " + p.signIn(plainRoute, body, lines...))
			p.refused(p.send(http.MethodPost, plainRoute, strings.Replace(body, password, "wrong", 1), lines...), http.StatusBadRequest, badLogin)
		}
	}
	return map[string]client{
		"power721/alist-tvbox signs in for each action": {
			library: springLibrary(), ok: []check{codeBelow400}, run: alistTVBox,
		},
		"krau/SaveAny-Bot signs in every hour": {
			library: goLibrary(), ok: []check{status200, code200},
			run: func(p *program) {
				var tokens []string
				for range 47 {
					tokens = append(tokens, p.signIn(plainRoute, compactJSON))
					p.site.clock.Advance(time.Hour)
				}
				for _, token := range tokens {
					p.admin("Authorization: " + token)
				}
			},
		},
		"easayliu/alist-aria2-download signs in again on 401": {
			library: goLibrary(), ok: []check{code200}, run: on401(compactJSON),
		},
		"src48597962/Juying signs in again on 401, with keys in capitals": {
			library: okhttpLibrary(), json: webJSON, ok: []check{code200}, run: on401(`{"Username":"admin","Password":"` + password + `"}`),
		},
		"funnyzak/dotfiles reads the compact text and signs in again on 401": {
			library: curlLibrary(), ok: []check{status200, compact},
			run: on401("{\n    \"username\": \"admin\",\n    \"password\": \"" + password + "\"\n}"),
		},
	}
}

// alistTVBox makes an account with an id of its choice and a role from before
// AList 3.46, and signs in anew for every step.
func alistTVBox(p *program) {
	act := func(method, target, body string) {
		p.Helper()
		token := p.signIn(plainRoute, `{"username":"admin","password":"`+password+`","otp_code":""}`)
		p.accept(p.send(method, target, body, "Authorization: "+token))
	}
	first := p.signIn(plainRoute, `{"username":"admin","password":"`+password+`","otp_code":""}`)
	account := func(secret string) string {
		return `{"id":3,"username":"tvbox","password":"` + secret + `","base_path":"/","role":0,"permission":368,"disabled":false,"sso_id":""}`
	}
	act(http.MethodPost, "/api/admin/user/create", account(password))
	act(http.MethodGet, "/api/admin/user/get?id=3", "")
	p.site.wantAlive(p, "the account it made", p.site.SignIn(p, "tvbox", password, "").Token, "tvbox")
	act(http.MethodPost, "/api/admin/user/update", account(newPassword))
	p.site.wantAlive(p, "the account it changed", p.site.SignIn(p, "tvbox", newPassword, "").Token, "tvbox")
	act(http.MethodPost, "/api/admin/user/delete?id=3", "")
	for range 30 {
		act(http.MethodGet, "/api/me", "")
	}
	p.admin("Authorization: " + first)
}

func catVodSpider(p *program) {
	settings := p.send(http.MethodGet, "/api/public/settings", "")
	if strings.Contains(settings.text, "v2.") || !strings.Contains(settings.text, "v3.") {
		p.Fatalf("settings %s make it take us for version 2", settings.text)
	}
	a := p.send(http.MethodGet, "/api/me", "")
	if !strings.Contains(a.text, "Guest user is disabled") {
		p.Fatalf("an anonymous call is answered %s, and it does not sign in", a.text)
	}
	token := p.signIn(plainRoute, compactJSON)
	p.admin("Authorization: " + token)
	p.evicted()
	if a := p.send(http.MethodGet, "/api/me", "", "Authorization: "+token); strings.Contains(a.text, "Guest user is disabled") || a.Code != http.StatusUnauthorized {
		p.Errorf("an evicted token is answered %s", a.text) // it keeps the token, as with AList
	}
}

func xlist(p *program) {
	p.refused(p.send(http.MethodGet, "/api/me", "", noToken), http.StatusUnauthorized, noGuests)
	p.site.enableGuest(p)
	p.accept(p.send(http.MethodGet, "/api/me", "", noToken))
	secret := p.site.enrol(p, p.site.Admin(p, "").Token)
	p.refused(p.send(http.MethodPost, plainRoute, compactJSON, noToken), http.StatusPaymentRequired, needCode)
	body := `{"username":"admin","password":"` + password + `","otp_code":"` + p.site.code(secret) + `"}`
	p.brokenByRoles(p.admin("Authorization: " + p.signIn(plainRoute, body, noToken)))
}
