package alist_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/secret"
)

const (
	namedList   = "/api/me/apikey/list"
	namedCreate = "/api/me/apikey/create"
	namedUpdate = "/api/me/apikey/update"
	namedRotate = "/api/me/apikey/rotate"
	namedDelete = "/api/me/apikey/delete"
	namedLearnt = "/api/me/apikey/learned"
	noNamedKey  = "API key not found"
)

// named is an API key as it was made.
type named struct {
	Key    string
	ID     int64
	Prefix string
}

// makeKey makes a key by the API.
func (s *site) makeKey(t testing.TB, token string, body object) named {
	t.Helper()
	var made named
	reply := s.post(t, token, namedCreate, body)
	if reply.Code != http.StatusOK {
		t.Fatalf("make a key: %s", reply.Text)
	}
	reply.Into(t, &made)
	if !secret.IsBearer(secret.APIKey, made.Key) || made.Key[:8] != made.Prefix {
		t.Fatalf("the key is %+v", made)
	}
	return made
}

// byKey is a request with a key in x-api-key.
func (s *site) byKey(t testing.TB, key, path string) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{Path: path, Header: map[string]string{"X-Api-Key": key}})
}

func TestAPIKeyRowsAreAsTheContractNamesThem(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "desk").Token
	device, at := s.devices(t, token)[0], s.clock.Now()
	wantBody(t, "an empty list", s.get(t, token, namedList), `{"code":200,"message":"success","data":{"content":[],"total":0}}`)
	reply := s.post(t, token, namedCreate, object{
		"name": "backup", "scopes": []string{"session.read", "me.read", "apikey.read", "me.read"}, "expires_at": "2027-01-31T13:00:00+01:00",
		"allow_query": true, "allowed_ips": []string{"192.0.2.77/24", "2001:db8::7"}, "learn_for": 60,
	})
	var made named
	reply.Into(t, &made)
	const scopes, ips = `["apikey.read","me.read","session.read"]`, `["192.0.2.0/24","2001:db8::7/128"]`
	row := func(used, agent, rotated string) string {
		return fmt.Sprintf(`{"id":%d,"name":"backup","prefix":%q,"scopes":%s,"created_at":%q,"expires_at":"2027-01-31T12:00:00Z",`+
			`"last_used_at":%s,"allow_query":true,"allowed_ips":%s,"created_on_device":%q,"revoked_at":null,"revoked_because":"",`+
			`"unused":false,"learn_until":%q,"rotated_until":%s}`,
			made.ID, made.Prefix, scopes, at.Format(time.RFC3339), used+agent, ips, device, at.Add(time.Minute).Format(time.RFC3339), rotated)
	}
	const never = `null,"last_used_ip":"","last_used_ua":""`
	fresh := row(never, "", "null")
	wantBody(t, "create", reply, `{"code":200,"message":"success","data":{"key":"`+made.Key+`",`+fresh[1:]+`}`)
	list := func(row string) string {
		return `{"code":200,"message":"success","data":{"content":[` + row + `],"total":1}}`
	}
	wantBody(t, "the list", s.get(t, token, namedList), list(fresh))

	s.clock.Advance(5 * time.Minute)
	used := s.clock.Now().Format(time.RFC3339)
	current := s.Do(t, servertest.Request{Path: "/api/me/apikey/current", Header: map[string]string{"X-Api-Key": made.Key, "User-Agent": "backup/1"}})
	wantBody(t, "the key itself", current, `{"code":200,"message":"success","data":`+row(`"`+used+`"`, `,"last_used_ip":"192.*.*.1","last_used_ua":"backup/1"`, "null")+`}`)
	rotated := s.post(t, token, namedRotate, object{"id": made.ID, "overlap_seconds": 3600})
	rotated.Into(t, &made)
	made.Prefix = made.Key[:8]
	wantBody(t, "rotate", rotated, fmt.Sprintf(`{"code":200,"message":"success","data":{"key":%q,"id":%d}}`, made.Key, made.ID))
	until := `"` + s.clock.Now().Add(time.Hour).Format(time.RFC3339) + `"`
	wantBody(t, "the list, rotated", s.get(t, token, namedList), list(row(`"`+used+`"`, `,"last_used_ip":"192.*.*.1","last_used_ua":"backup/1"`, until)))
	wantRefused(t, "current without a key", s.get(t, token, "/api/me/apikey/current"), http.StatusBadRequest, "This request was not made with an API key")
	wantDone(t, "delete", s.post(t, token, fmt.Sprintf("%s?id=%d", namedDelete, made.ID), nil))
	wantRefused(t, "delete again", s.post(t, token, fmt.Sprintf("%s?id=%d", namedDelete, made.ID), nil), http.StatusNotFound, noNamedKey)
	if got := s.byKey(t, made.Key, "/api/me"); got.Status != http.StatusUnauthorized {
		t.Errorf("a deleted key: %d %s", got.Status, got.Text)
	}
}

func TestAPIKeysThatAreNotMade(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	token := s.SignIn(t, "ann", password, "").Token
	scopes := []string{"me.read"}
	for name, tt := range map[string]struct {
		body object
		code int
		text string
	}{
		"no name":                  {object{"scopes": scopes}, 400, "name must be 1 to 64 printable characters"},
		"a name of 65 characters":  {object{"name": fmt.Sprintf("%065d", 0), "scopes": scopes}, 400, "name must be 1 to 64 printable characters"},
		"no scopes":                {object{"name": "x"}, 400, "scopes must name at least one permission"},
		"no scope among them":      {object{"name": "x", "scopes": []string{}}, 400, "scopes must name at least one permission"},
		"an unknown scope":         {object{"name": "x", "scopes": []string{"me.read", "me.fly"}}, 400, "Unknown permission: me.fly"},
		"an empty scope":           {object{"name": "x", "scopes": []string{""}}, 400, "Unknown permission: "},
		"a route's scope":          {object{"name": "x", "scopes": []string{string(access.FirstParty)}}, 400, "Unknown permission: (first party)"},
		"an admin's scope":         {object{"name": "x", "scopes": []string{"admin.user.read"}}, 403, "Only admins can give this permission: admin.user.read"},
		"an end in the past":       {object{"name": "x", "scopes": scopes, "expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at must be in the future, and within 10 years"},
		"an end in 11 years":       {object{"name": "x", "scopes": scopes, "expires_at": "2037-12-01T00:00:00Z"}, 400, "expires_at must be in the future, and within 10 years"},
		"an end that is no time":   {object{"name": "x", "scopes": scopes, "expires_at": "soon"}, 400, "expires_at must be an RFC 3339 time, such as 2027-01-31T12:00:00Z"},
		"an address that is none":  {object{"name": "x", "scopes": scopes, "allowed_ips": []string{"home"}}, 400, "allowed_ips must be at most 32 addresses or networks, such as 192.0.2.7 or 2001:db8::/32"},
		"33 addresses":             {object{"name": "x", "scopes": scopes, "allowed_ips": make33()}, 400, "allowed_ips must be at most 32 addresses or networks, such as 192.0.2.7 or 2001:db8::/32"},
		"learning for no time":     {object{"name": "x", "scopes": scopes, "learn_for": 0}, 400, "learn_for must be 60 to 2592000 seconds"},
		"learning for a century":   {object{"name": "x", "scopes": scopes, "learn_for": int64(1) << 62}, 400, "learn_for must be 60 to 2592000 seconds"},
		"learning backwards":       {object{"name": "x", "scopes": scopes, "learn_for": -(int64(1) << 62)}, 400, "learn_for must be 60 to 2592000 seconds"},
		"a number for a name":      {object{"name": 7, "scopes": scopes}, 400, `field "name" must be a string`},
		"a text for the scopes":    {object{"name": "x", "scopes": "me.read"}, 400, `field "scopes" must be a list`},
		"a number among the scope": {object{"name": "x", "scopes": []any{7}}, 400, `field "scopes" must be a string`},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, name, s.post(t, token, namedCreate, tt.body), tt.code, tt.text) })
	}
	wantBody(t, "nothing was made", s.get(t, token, namedList), `{"code":200,"message":"success","data":{"content":[],"total":0}}`)
	s.makeKey(t, token, object{"name": "x", "scopes": scopes, "expires_at": nil, "allow_query": nil, "allowed_ips": nil, "learn_for": nil})
	wantRefused(t, "the name again", s.post(t, token, namedCreate, object{"name": "x", "scopes": scopes}), 400, "an API key with the same name already exists")
	s.clock.Advance(10 * time.Minute)
	wantRefused(t, "without a fresh proof", s.post(t, token, namedCreate, object{"name": "y", "scopes": scopes}), 403, notFresh)
	wantRefused(t, "by the static token", s.post(t, s.App.AdminToken(), namedCreate, object{"name": "y", "scopes": scopes}), 403,
		"The static token cannot have API keys: sign in to make one")
	s.enableGuest(t)
	for path, body := range map[string]any{namedList: nil, namedCreate: object{"name": "y", "scopes": scopes}, "/api/me/apikey/scopes": nil} {
		method := map[bool]string{true: http.MethodGet, false: http.MethodPost}[body == nil]
		wantRefused(t, "a guest at "+path, s.Do(t, servertest.Request{Method: method, Path: path, Body: body}), 401, "user invalid")
	}
}

func make33() []string {
	list := make([]string, 33)
	for i := range list {
		list[i] = fmt.Sprintf("192.0.2.%d", i)
	}
	return list
}

// What makes a key narrower needs no fresh proof, what makes it wider does.
func TestChangesOfAPIKeys(t *testing.T) { // P-03
	s := open(t)
	s.AddUser(t, "bob")
	token, bob := s.Admin(t, "").Token, s.SignIn(t, "bob", password, "").Token
	made := s.makeKey(t, token, object{"name": "backup", "scopes": []string{"me.read", "session.read"}})
	s.clock.Advance(10 * time.Minute)
	for _, change := range []object{
		{"name": "other"},
		{"scopes": []string{"me.read"}},
		{"expires_at": "2027-01-31T12:00:00Z"},
		{"expires_at": "2027-01-01T12:00:00Z"},
		{"allowed_ips": []string{"192.0.2.0/24"}},
		{"name": nil, "scopes": nil, "expires_at": nil, "allow_query": nil, "allowed_ips": nil},
	} {
		change["id"] = made.ID
		wantDone(t, fmt.Sprint("narrower: ", change), s.post(t, token, namedUpdate, change))
	}
	for _, change := range []object{
		{"scopes": []string{"me.read", "session.read"}},
		{"scopes": []string{"all"}},
		{"expires_at": ""},
		{"expires_at": "2027-01-31T12:00:00Z"},
		{"allowed_ips": []string{}},
		{"allowed_ips": []string{"192.0.2.0/23"}},
		{"allow_query": true},
	} {
		change["id"] = made.ID
		wantRefused(t, fmt.Sprint("wider: ", change), s.post(t, token, namedUpdate, change), 403, notFresh)
	}
	wantRefused(t, "rotated", s.post(t, token, namedRotate, object{"id": made.ID}), 403, notFresh)
	for what, reply := range map[string]servertest.Reply{
		"changed by somebody else": s.post(t, bob, namedUpdate, object{"id": made.ID, "name": "mine"}),
		"deleted by somebody else": s.post(t, bob, fmt.Sprintf("%s?id=%d", namedDelete, made.ID), nil),
		"asked by somebody else":   s.get(t, bob, fmt.Sprintf("%s?id=%d", namedLearnt, made.ID)),
		"an unknown one":           s.post(t, token, namedUpdate, object{"id": made.ID + 1, "name": "x"}),
	} {
		wantRefused(t, what, reply, 404, noNamedKey)
	}
	fresh := s.Admin(t, "new").Token
	for _, tt := range []struct {
		overlap any
		code    int
	}{{nil, 200}, {0, 200}, {86400, 200}, {86401, 400}, {-1, 400}, {int64(1) << 60, 400}} {
		reply := s.post(t, fresh, namedRotate, object{"id": made.ID, "overlap_seconds": tt.overlap})
		if reply.Code != tt.code || tt.code == 400 && reply.Message != "overlap_seconds must be 0 to 86400" {
			t.Errorf("overlap %v: %s", tt.overlap, reply.Text)
		}
	}
}
