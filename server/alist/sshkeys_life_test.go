package alist_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	keyUpdateRoute = "/api/me/sshkey/update"
	keyLiftRoute   = "/api/me/sshkey/lift"
)

func TestSSHKeyLimitsAreShownAsTheyWereSet(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	line, fingerprint := sshKey(t)
	at, expires := s.clock.Now().Format(time.RFC3339), s.clock.Now().Add(48*time.Hour).Format(time.RFC3339)
	wantDone(t, "add", s.post(t, token, keyAddRoute, object{
		"title": "camera", "key": line, "expires_at": expires, "allowed_ips": []string{"192.0.2.7", "2001:db8::/32"},
		"read_only": true, "path": "/photos/",
	}))
	row := func(rest string) string {
		return `{"code":200,"message":"success","data":{"content":[{"id":1,"title":"camera","fingerprint":"` + fingerprint +
			`","added_time":"` + at + `","last_used_time":"` + at + `",` + rest + `}],"total":1}}`
	}
	wantBody(t, "the list", s.get(t, token, keyListRoute), row(`"expires_at":"`+expires+`","allowed_ips":["192.0.2.7/32","2001:db8::/32"],`+
		`"read_only":true,"path":"/photos","verified":false,"suspended":false,"advice":["Expires in 2 days."]`))

	wantDone(t, "an update of one field", s.post(t, token, keyUpdateRoute, object{"id": 1, "read_only": false}))
	wantDone(t, "an update of others", s.post(t, token, keyUpdateRoute, object{"id": 1, "expires_at": "", "path": "", "allowed_ips": nil}))
	wantBody(t, "the list", s.get(t, token, keyListRoute), row(`"expires_at":null,"allowed_ips":["192.0.2.7/32","2001:db8::/32"],`+
		`"read_only":false,"path":"","verified":false,"suspended":false,"advice":[]`))
	wantDone(t, "an update to anywhere", s.post(t, token, keyUpdateRoute, object{"id": 1, "allowed_ips": []string{}}))
	if got := s.get(t, token, keyListRoute).Text; !strings.Contains(got, `"allowed_ips":[]`) {
		t.Errorf("the addresses are not gone: %s", got)
	}
}

func TestSSHKeyLimitsAreRefusedInWords(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	line, _ := sshKey(t)
	wantDone(t, "add", s.post(t, token, keyAddRoute, object{"title": "laptop", "key": line}))
	other, _ := sshKey(t)
	for text, limits := range map[string]object{
		"expires_at must be in the future, and within 100 years":                                   {"expires_at": "2020-01-01T00:00:00Z"},
		"expires_at must be an RFC 3339 time, such as 2027-01-31T12:00:00Z":                        {"expires_at": "tomorrow"},
		"allowed_ips must be at most 32 addresses or networks, such as 192.0.2.7 or 2001:db8::/32": {"allowed_ips": []string{"home"}},
		"path must be absolute and without .. , at most 1024 printable bytes":                      {"path": "../etc"},
	} {
		add, edit := object{"title": "other", "key": other}, object{"id": 1}
		for name, value := range limits {
			add[name], edit[name] = value, value
		}
		wantRefused(t, "add", s.post(t, token, keyAddRoute, add), http.StatusBadRequest, text)
		wantRefused(t, "update", s.post(t, token, keyUpdateRoute, edit), http.StatusBadRequest, text)
	}
	for what, id := range map[string]any{"missing": nil, "zero": 0, "negative": -1} {
		body := object{"title": "x"}
		if id != nil {
			body["id"] = id
		}
		wantRefused(t, what+" id", s.post(t, token, keyUpdateRoute, body), http.StatusBadRequest, badKeyID)
	}
	wantRefused(t, "an unknown id", s.post(t, token, keyUpdateRoute, object{"id": 2, "title": "x"}), http.StatusNotFound, noKey)
	wantRefused(t, "an unknown id", s.post(t, token, keyLiftRoute, object{"id": 2}), http.StatusNotFound, noKey)
	wantRefused(t, "a bad title", s.post(t, token, keyUpdateRoute, object{"id": 1, "title": " "}), http.StatusBadRequest,
		"title must be 1 to 255 printable characters")
	wantDone(t, "lifting what is not suspended", s.post(t, token, keyLiftRoute, object{"id": 1}))
	s.enableGuest(t)
	for _, route := range []string{keyUpdateRoute, keyLiftRoute} {
		wantRefused(t, "a guest", s.post(t, "", route, object{"id": 1}), http.StatusUnauthorized, "user invalid")
	}
}
