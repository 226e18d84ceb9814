package server_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/secret"
)

func basicAuth(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

// P-01, contract "API keys": the four places, and no other.
func TestKeysOpenFromTheirPlaces(t *testing.T) {
	h := openKeyHouse(t)
	key := h.keyOf(t, "admin", access.MeRead)
	urlKey, _ := h.key(t, "admin", apikey.Wanted{Scopes: []string{"me.read"}, AllowQuery: true})
	header := func(pairs ...string) servertest.Request {
		r := servertest.Request{Path: "/api/me", Header: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			r.Header[pairs[i]] = pairs[i+1]
		}
		return r
	}
	for name, r := range map[string]servertest.Request{
		"x-api-key":                     header("x-api-key", key),
		"X-API-KEY":                     header("X-API-KEY", key),
		"Authorization as it is":        header("Authorization", key),
		"Bearer":                        header("Authorization", "Bearer "+key),
		"bearer in any case":            header("Authorization", "bEaReR \t"+key),
		"Basic":                         header("Authorization", basicAuth("whoever:"+key)),
		"Basic without a name":          header("Authorization", strings.Replace(basicAuth(":"+key), "Basic", "bASIC", 1)),
		"api_key":                       {Path: "/api/me?api_key=" + urlKey},
		"apiKey":                        {Path: "/api/me?apiKey=" + urlKey},
		"a proxy's Basic beside":        header("Authorization", basicAuth("proxy:secret"), "x-api-key", key),
		"the same in two places":        header("Authorization", "Bearer "+key, "x-api-key", key),
		"under any Client-Id":           header("x-api-key", key, "Client-Id", "phone"),
		"an empty Authorization":        header("x-api-key", key, "Authorization", "Bearer "),
		"a key for URLs, in the header": header("x-api-key", urlKey),
	} {
		if got := h.Do(t, r); got.Status != http.StatusOK || got.Code != http.StatusOK || !strings.Contains(got.Text, `"username":"admin"`) {
			t.Errorf("%s: %d %s", name, got.Status, got.Text)
		}
	}
	for name, r := range map[string]servertest.Request{
		"a cookie": header("Cookie", "x-api-key="+key+"; api_key="+key+"; Authorization="+key),
		"a body":   {Path: "/api/me", Method: http.MethodGet, Body: map[string]string{"api_key": key, "x-api-key": key, "Authorization": key}},
	} {
		if got := h.Do(t, r); got.Status != http.StatusOK || got.Code != http.StatusUnauthorized || got.Message != "Guest user is disabled, login please" {
			t.Errorf("%s: %d %s, want to be nobody", name, got.Status, got.Text)
		}
	}
	for name, r := range map[string]servertest.Request{
		"two keys":                    header("x-api-key", key, "Authorization", urlKey),
		"a token and a key":           header("x-api-key", key, "Authorization", h.Admin(t, "").Token),
		"a key and one in the URL":    {Path: "/api/me?api_key=" + urlKey, Token: key},
		"Basic and x-api-key":         header("x-api-key", key, "Authorization", basicAuth("me:"+urlKey)),
		"a wrong one and a right one": header("x-api-key", key, "Authorization", "Bearer x"),
	} {
		refused(t, name, h.Do(t, r), http.StatusBadRequest, "More than one credential was sent")
	}
	refused(t, "twice in the URL", h.Do(t, servertest.Request{Path: "/api/me?api_key=" + urlKey + "&api_key=" + urlKey}),
		http.StatusBadRequest, `parameter "api_key" is given twice`)
	refused(t, "malformed", h.Do(t, servertest.Request{Path: "/api/me?api_key=%zz"}), http.StatusBadRequest, `parameter "api_key" is malformed`)
}

// The contract's table of statuses.
func TestKeysAreRefusedByStatus(t *testing.T) {
	h := openKeyHouse(t)
	h.AddUser(t, "ann")
	key := h.keyOf(t, "ann", access.MeRead)
	expired, _ := h.key(t, "ann", apikey.Wanted{Scopes: []string{"me.read"}, ExpiresAt: h.clock.Now().Add(time.Hour)})
	local, _ := h.key(t, "ann", apikey.Wanted{Scopes: []string{"me.read"}, AllowedIPs: []string{"127.0.0.0/8"}})
	gone, id := h.key(t, "ann", apikey.Wanted{Scopes: []string{"me.read"}})
	if err := h.App.APIKeys().Delete(t.Context(), h.owner(t, "ann"), id); err != nil {
		t.Fatal(err)
	}
	leaked := h.keyOf(t, "ann", access.MeRead)
	if err := h.App.APIKeys().Leaked(t.Context(), leaked); err != nil {
		t.Fatal(err)
	}
	old, id := h.key(t, "ann", apikey.Wanted{Scopes: []string{"me.read"}})
	if _, err := h.App.APIKeys().Rotate(t.Context(), h.owner(t, "ann"), id, 0); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(time.Hour)
	me := servertest.Request{Path: "/api/me"}
	for name, tt := range map[string]struct {
		key     string
		code    int
		message string
	}{
		"unknown":         {secret.NewBearer(secret.APIKey), http.StatusUnauthorized, "Invalid API key"},
		"mistyped":        {key[:len(key)-1] + "-", http.StatusUnauthorized, "Invalid API key"},
		"cut":             {key[:len(key)-1], http.StatusUnauthorized, "Invalid API key"},
		"the prefix":      {key[:8], http.StatusUnauthorized, "Invalid API key"},
		"no key at all":   {"admin", http.StatusUnauthorized, "Invalid API key"},
		"deleted":         {gone, http.StatusUnauthorized, "Invalid API key"},
		"revoked":         {leaked, http.StatusUnauthorized, "Invalid API key"},
		"rotated":         {old, http.StatusUnauthorized, "Invalid API key"},
		"expired":         {expired, http.StatusUnauthorized, "API key expired"},
		"another address": {local, http.StatusForbidden, "API key not allowed from this address"},
	} {
		refused(t, name, h.Do(t, withKey(tt.key, me)), tt.code, tt.message)
	}
	refused(t, "in the URL", h.Do(t, servertest.Request{Path: "/api/me?api_key=" + key}), http.StatusUnauthorized, "This API key may not be sent in the URL")
	refused(t, "in the URL, too", h.Do(t, withKey(key, servertest.Request{Path: "/api/me?api_key=" + key})), http.StatusUnauthorized, "This API key may not be sent in the URL")
	evict := servertest.Request{Path: "/api/me/sessions/evict", Body: map[string]string{"session_id": "x"}}
	refused(t, "a scope it lacks", h.Do(t, withKey(key, evict)), http.StatusForbidden, "Missing required permission: session.evict")
	if err := h.App.Accounts.SetDisabled(t.Context(), h.Key(t, "ann"), true); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"good": key, "expired": expired, "of another address": local} {
		refused(t, "a disabled owner's, "+name, h.Do(t, withKey(text, me)), http.StatusUnauthorized, "Current user is disabled, replace please")
	}
	refused(t, "a disabled owner's, deleted", h.Do(t, withKey(gone, me)), http.StatusUnauthorized, "Invalid API key")
}

// What later rules refuse has its own status, too, on every kind of route; what
// is not a key's request stays as AList's clients know it.
func TestWhoSendsAKeyIsAnsweredByStatus(t *testing.T) {
	h := openKeyHouse(t)
	all := h.keyOf(t, "admin", access.All)
	bad := "lka_bad"
	signIn := servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": "admin", "password": "wrong"}}
	refused(t, "a field", h.Do(t, withKey(all, servertest.Request{Path: "/api/me/update", Body: "{}"})), http.StatusBadRequest, `field "username" is required`)
	refused(t, "nobody's id", h.Do(t, withKey(all, servertest.Request{Path: "/api/admin/user/get?id=99"})), http.StatusNotFound, "failed get old user: record not found")
	refused(t, "no storage", h.Do(t, withKey(all, servertest.Request{Path: "/api/fs/list", Body: "{}"})), http.StatusNotFound, "failed get storage: storage not found; please add a storage first")
	refused(t, "no route", h.Do(t, withKey(bad, servertest.Request{Path: "/api/none"})), http.StatusNotFound, "not found")
	refused(t, "a method", h.Do(t, withKey(bad, servertest.Request{Method: http.MethodDelete, Path: "/api/me"})), http.StatusMethodNotAllowed, "method not allowed")
	refused(t, "a Client-Id", h.Do(t, withKey(all, servertest.Request{Path: "/api/me", ClientID: "\x01"})), http.StatusBadRequest, "Client-Id must be 1 to 256 printable characters")
	refused(t, "an open route", h.Do(t, withKey(bad, signIn)), http.StatusBadRequest, "username or password is incorrect")
	if got := h.Do(t, signIn); got.Status != http.StatusOK || got.Code != http.StatusBadRequest {
		t.Errorf("without a key: %d %s", got.Status, got.Text)
	}
	if got := h.Do(t, servertest.Request{Path: "/api/me", Token: "x"}); got.Status != http.StatusOK || got.Header["Www-Authenticate"] != nil {
		t.Errorf("a wrong token: %d %s %v", got.Status, got.Text, got.Header)
	}
	got := h.Do(t, withKey(bad, servertest.Request{Path: "/api/me"})).Header["Www-Authenticate"]
	want := []string{
		`Bearer realm="Latchkey", error="invalid_token", error_description="Invalid API key"`, `ApiKey realm="Latchkey", header="x-api-key"`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("WWW-Authenticate: %q, want %q", got, want)
	}
	lacking := h.Do(t, withKey(h.keyOf(t, "admin", access.SessionRead), servertest.Request{Path: "/api/me"}))
	if got := lacking.Header["Www-Authenticate"]; len(got) != 2 || !strings.HasSuffix(got[0], `, scope="me.read"`) || !strings.Contains(got[0], "insufficient_scope") {
		t.Errorf("WWW-Authenticate of a missing scope: %q", got)
	}
}

// A wrong place or kind is answered with what would be right, from its looks
// alone: a dead token and a live one get the same.
func TestWrongPlacesAreHinted(t *testing.T) {
	h := openKeyHouse(t)
	const prefix = "Invalid API key: "
	key, dead := h.keyOf(t, "admin", access.All), secret.NewBearer(secret.APIKey)
	live := h.Admin(t, "").Token
	me := func(name, value string) servertest.Request {
		return servertest.Request{Path: "/api/me", Header: map[string]string{name: value}}
	}
	query := func(name, value string) servertest.Request {
		return servertest.Request{Path: "/api/me?" + name + "=" + value}
	}
	for name, tt := range map[string]struct {
		requests []servertest.Request
		message  string
	}{
		"a login token where keys belong": {
			[]servertest.Request{
				me("X-Api-Key", live), me("X-Api-Key", live+"x"), me("X-Api-Key", "eyJ.e.y"), me("X-Api-Key", "Bearer "+live),
				query("api_key", live), query("apiKey", live), me("Authorization", basicAuth("me:"+live)),
			}, "this is a login token, send it in Authorization",
		},
		"an access token where keys belong": {
			[]servertest.Request{
				me("X-Api-Key", "lko_x"), query("api_key", "lko_x"), me("Authorization", basicAuth("me:lko_x")), me("X-Api-Key", "lks_x"),
			}, "this is an access token, send it in Authorization after Bearer",
		},
		"a refresh token": {
			[]servertest.Request{me("X-Api-Key", "lkr_x")}, "this is a refresh token, which only gets access tokens",
		},
		"the static token, and what looks like it": {
			[]servertest.Request{
				me("X-Api-Key", h.App.AdminToken()), query("api_key", h.App.AdminToken()), me("Authorization", basicAuth("me:"+h.App.AdminToken())),
				me("X-Api-Key", "alist-x"),
			}, "this is the static token, send it in Authorization",
		},
		"after Token": {
			[]servertest.Request{me("Authorization", "Token "+key), me("Authorization", "token "+dead), me("Authorization", "TOKEN  lka_")},
			"in Authorization it stands alone or after Bearer, not after Token",
		},
		"after ApiKey":    {[]servertest.Request{me("Authorization", "apikey "+key)}, "in Authorization it stands alone or after Bearer, not after ApiKey"},
		"after a secret":  {[]servertest.Request{me("Authorization", "hunter2 "+key)}, "in Authorization it stands alone or after Bearer, not after another word"},
		"Basic, unpacked": {[]servertest.Request{me("Authorization", "Basic "+key)}, "in Authorization it stands alone or after Bearer, not after Basic"},
		"Bearer in x-api-key": {
			[]servertest.Request{me("X-Api-Key", "Bearer "+key), query("api_key", "bearer+"+dead)}, "send the key alone, without Bearer",
		},
		"the user name of Basic": {
			[]servertest.Request{me("Authorization", basicAuth(key+":")), me("Authorization", basicAuth(dead+":x"))},
			"in Basic authentication the key is the password, not the user name",
		},
		"another parameter or header": {
			[]servertest.Request{query("token", key), query("access_token", dead), query("key", key), me("X-Auth-Token", key), me("Api-Key", "Bearer "+key)},
			"send it in the header x-api-key, or in Authorization after Bearer",
		},
	} {
		for _, r := range tt.requests {
			refused(t, name, h.Do(t, r), http.StatusUnauthorized, prefix+tt.message)
		}
	}
	for name, value := range map[string]string{
		"a password": basicAuth("me:" + servertest.AdminPassword), "none": basicAuth("me:"), "garbage": "Basic %%%", "nothing": "Basic",
	} { // rulings 29
		if got := h.Do(t, me("Authorization", value)); got.Status != http.StatusOK || got.Code != http.StatusUnauthorized || got.Message != "token is invalidated" {
			t.Errorf("Basic with %s: %d %s", name, got.Status, got.Text)
		}
	}
}

// A key typed into the login form is told from its looks, after all that a wrong
// password costs.
func TestAKeyAtTheLoginFormIsAWrongPassword(t *testing.T) {
	h := openKeyHouse(t)
	key, dead := h.keyOf(t, "admin", access.All), secret.NewBearer(secret.APIKey)
	try := func(name, password string) servertest.Reply {
		return h.Do(t, servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": name, "password": password}})
	}
	const hint = "username or password is incorrect: this is an API key, send it in x-api-key instead of signing in"
	for name, got := range map[string]servertest.Reply{
		"a good key": try("admin", key), "a dead key": try("admin", dead), "for nobody": try("nobody", key), "as the name": try(key, "x"),
	} {
		if got.Status != http.StatusOK || got.Code != http.StatusBadRequest || got.Message != hint {
			t.Errorf("%s: %d %s", name, got.Status, got.Text)
		}
	}
	if got := try("admin", key[:len(key)-1]); got.Message != "username or password is incorrect" {
		t.Errorf("what is no key: %s", got.Text)
	}
	tried := 5
	for ; tried < 30 && try("admin", dead).Code != http.StatusTooManyRequests; tried++ {
	}
	if tried > 15 {
		t.Errorf("%d keys were tried as passwords", tried)
	}
}
