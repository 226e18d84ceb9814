package alist_test

import (
	"net/http"
	"strings"
	"testing"
)

// SDKs that programs are built on.
func TestSDKs(t *testing.T) {
	const goJSON = "application/json; charset=utf-8"
	runClients(t, map[string]client{
		"lee-cq/alist-sdk misspells the code, and works with it": {
			library: httpxLibrary(), ok: []check{status200, code200},
			run: func(p *program) {
				secret := p.site.enrol(p, p.site.Admin(p, "").Token)
				body := `{"username": "admin", "password": "` + password + `", "opt_code": "` + p.site.code(secret) + `"}`
				p.admin("Authorization: " + p.signIn(plainRoute, body))
			},
		},
		"ChenyangGao/web-mount-packs sends the code as a number": {
			library: requestsLibrary(), ok: []check{code2xx},
			run: func(p *program) {
				secret := p.site.enrol(p, p.site.Admin(p, "").Token)
				body := `{"username": "admin", "password": "` + hashed(password) + `", "otp_code": ` + strings.TrimLeft(p.site.code(secret), "0") + `}`
				auth := "Authorization: " + p.signIn(hashRoute, body)
				p.admin(auth)
				p.accept(p.send(http.MethodPost, updateRoute, `{"username": "admin"}`, auth))
				p.accept(p.send(http.MethodGet, keyListRoute, "", auth))
			},
		},
		"moyanj/AList3SDK has an empty Authorization before it signs in": {
			library: aiohttpLibrary(), ok: []check{code200},
			run: func(p *program) {
				body := `{"username": "admin", "password": "` + hashed(password) + `", "otp_code": ""}`
				p.admin("Authorization: " + p.signIn(hashRoute, body, noToken))
			},
		},
		"moyanj/AList3SDK, older, says Bearer": {
			library: aiohttpLibrary(), ok: []check{code200},
			run: func(p *program) {
				body := `{"username": "admin", "password": "` + hashed(password) + `", "otp_code": ""}`
				p.admin("Authorization: Bearer " + p.signIn(hashRoute, body, "Authorization: Bearer "))
			},
		},
		"imshuai/alistsdk-go and AlistAutoStrm glue their JSON together": {
			library: goLibrary(), json: goJSON, ok: []check{code200},
			run: func(p *program) {
				body := `{"username": "admin","password": "` + password + `"}`
				token := p.signIn(plainRoute, body, noToken)
				p.brokenByRoles(p.admin("Content-Type: "+goJSON, "Authorization: "+token))
				p.admin("Content-Type: "+goJSON, "Authorization: "+p.site.App.AdminToken())
				broken := p.send(http.MethodPost, plainRoute, `{"username": "admin","password": "a"b"}`, noToken)
				p.refused(broken, http.StatusBadRequest, "request body is not valid JSON")
			},
		},
		"synctv-org/vendors sends Origin and Referer from a server": {
			library: restyLibrary(), json: webJSON, ok: []check{code200},
			run: func(p *program) {
				from := []string{"Origin: http://" + p.host, "Referer: http://" + p.host}
				p.signIn(plainRoute, compactJSON+"\n", from...)
				token := p.signIn(hashRoute, hashJSON("")+"\n", from...)
				p.brokenByRoles(p.admin(append(from, "Authorization: "+token)...))
				p.admin("Origin: http://elsewhere.example", "Authorization: "+token)
			},
		},
		"KonghaYao/YaoAgent leaves the code out and never looks at the status": {
			library: nodeLibrary(), ok: []check{code200},
			run: func(p *program) {
				p.admin("Authorization: " + p.signIn(plainRoute, compactJSON))
				p.admin("Authorization: " + p.signIn(hashRoute, hashJSON("")))
			},
		},
		"j4587698/AListSdkSharp sends a null code, and a POST of nothing": {
			library: dotnetLibrary(), json: "application/json; charset=UTF-8", ok: []check{noHTTPError, code200},
			run: func(p *program) {
				p.signIn(plainRoute, compactJSON)
				auth := "Authorization: " + p.signIn(hashRoute, hashJSON(`,"otp_code":null`))
				p.accept(p.send(http.MethodPost, generateRoute, "", auth))
				p.brokenByRoles(p.admin(auth))
			},
		},
		"alistapi of crates.io signs in by hash": {
			library: reqwestLibrary(), ok: []check{code200},
			run: func(p *program) {
				p.brokenByRoles(p.admin("authorization: " + p.signIn(hashRoute, hashJSON(""))))
			},
		},
	})
}

// Each language writes the same password in other bytes.
func TestPasswordsSurviveTheEscapesOfEveryLanguage(t *testing.T) {
	const odd = `a<b>&c='ä"\1/😀`
	s := open(t)
	if _, err := s.App.Profile.Create(t.Context(), "odd", odd); err != nil {
		t.Fatalf("create: %v", err)
	}
	for language, text := range map[string]string{
		"Python":     `a<b>&c='\u00e4\"\\1/\ud83d\ude00`,
		"Go":         `a\u003cb\u003e\u0026c='ä\"\\1/😀`,
		"Gson":       `a\u003cb\u003e\u0026c\u003d\u0027ä\"\\1/😀`,
		"JavaScript": `a<b>&c='ä\"\\1/😀`,
		"PHP":        `a<b>&c='\u00e4\"\\1\/\ud83d\ude00`,
		".NET":       `a\u003Cb\u003E\u0026c=\u0027\u00E4\u0022\\1/\uD83D\uDE00`,
	} {
		got := s.post(t, "", plainRoute, `{"username":"odd","password":"`+text+`"}`)
		if got.Code != http.StatusOK {
			t.Errorf("%s: %s", language, got.Text)
		}
	}
}
