package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/servertest"
)

// The examples of what a new server answers are what a new server answers.
func TestOpenAPIExamplesAreTrue(t *testing.T) {
	s := servertest.Open(t)
	for name, tt := range map[string]struct {
		request servertest.Request
		example string
	}{
		"the admin":         {servertest.Request{Path: "/api/me", Token: s.App.AdminToken()}, "admin"},
		"nobody":            {servertest.Request{Path: "/api/me"}, "nobody"},
		"the settings":      {servertest.Request{Path: "/api/public/settings"}, "new"},
		"no extensions":     {servertest.Request{Path: "/api/public/archive_extensions"}, "nothing"},
		"no keys":           {servertest.Request{Path: "/api/me/sshkey/list", Token: s.App.AdminToken()}, "none"},
		"a wrong password":  {servertest.Request{Path: "/api/auth/login", Body: object{"username": "alice", "password": "x"}}, "wrong"},
		"an unknown device": {servertest.Request{Path: "/api/admin/session/evict", Token: s.App.AdminToken(), Body: object{"session_id": "x"}}, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			reply := s.Do(t, tt.request)
			method := http.MethodGet
			if tt.request.Body != nil {
				method = http.MethodPost
			}
			content := s.Contract(t).Operation(method, tt.request.Path).Responses.Status(reply.Status).Value.Content
			example := content.Get("application/json").Examples[tt.example]
			if example == nil {
				t.Fatalf("%s has no example %s", tt.request.Path, tt.example)
			}
			text, err := json.Marshal(example.Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, string(text)), decoded(t, reply.Text)); diff != "" {
				t.Errorf("the example (-) and the answer (+) differ:\n%s", diff)
			}
		})
	}
}

func decoded(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("read %s: %v", text, err)
	}
	return value
}

// What every door test relies on: a reply that differs from the document in one
// thing is found out.
func TestOpenAPIFindsTheDifference(t *testing.T) {
	s := servertest.Open(t)
	token := s.App.AdminToken()
	s.Admin(t, "web")
	for name, tt := range map[string]struct {
		method, path string
		change       func(*httptest.ResponseRecorder)
	}{
		"a field more":                   {"GET", "/api/me", swap(`"otp":`, `"otp_secret":"x","otp":`)},
		"a field less":                   {"GET", "/api/me", swap(`"sso_id":"",`, ``)},
		"a field of a list more":         {"GET", "/api/me", swap(`"permission":65535}`, `"permission":65535,"x":1}`)},
		"null for a list":                {"GET", "/api/me", swap(`"role":[2]`, `"role":null`)},
		"text for a number":              {"GET", "/api/me", swap(`"id":2`, `"id":"2"`)},
		"a password that is not empty":   {"GET", "/api/me", swap(`"password":""`, `"password":"x"`)},
		"another code of success":        {"GET", "/api/me", swap(`"code":200`, `"code":201`)},
		"another word of success":        {"GET", "/api/me", swap(`success`, `Success`)},
		"a fourth key of the envelope":   {"GET", "/api/me", swap(`{"code"`, `{"ok":true,"code"`)},
		"no data":                        {"GET", "/api/auth/logout", swap(`,"data":null`, ``)},
		"data where there is none":       {"GET", "/api/auth/logout", swap(`"data":null`, `"data":{}`)},
		"two objects":                    {"GET", "/api/me", swap(`"email_verified":false}}`, `"email_verified":false}}{}`)},
		"a failure nobody described":     {"GET", "/api/nothing", swap(`not found`, `record not found`)},
		"another HTTP status":            {"GET", "/api/me", func(r *httptest.ResponseRecorder) { r.Code = http.StatusCreated }},
		"another media type":             {"GET", "/api/me", func(r *httptest.ResponseRecorder) { r.Header().Set("Content-Type", "text/html") }},
		"no name of the request":         {"GET", "/api/me", func(r *httptest.ResponseRecorder) { r.Header().Del("X-Request-Id") }},
		"a name that is not hex":         {"GET", "/api/me", func(r *httptest.ResponseRecorder) { r.Header().Set("X-Request-Id", "mine") }},
		"no methods with a wrong method": {"PUT", "/api/me", func(r *httptest.ResponseRecorder) { r.Header().Del("Allow") }},
		"success at no route":            {"GET", "/api/nothing", func(r *httptest.ResponseRecorder) { r.Code = http.StatusOK }},
		"another word for pong":          {"GET", "/ping", swap(`pong`, `PONG`)},
		"a local time":                   {"GET", "/api/admin/session/list", swap(`Z","expires_at"`, `","expires_at"`)},
		"a kind of device more":          {"GET", "/api/admin/session/list", swap(`"kind":"api"`, `"kind":"tv"`)},
		"a field of a device more":       {"GET", "/api/admin/session/list", swap(`"kind":`, `"device_name":"x","kind":`)},
		"an owner's field less":          {"GET", "/api/admin/session/list", swap(`"user_id":2,`, ``)},
		"a setting more":                 {"GET", "/api/public/settings", swap(`"logo":""`, `"logo":"","token":"x"`)},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, http.NoBody)
			req.Header.Set("Authorization", token)
			reply := httptest.NewRecorder()
			s.App.Handler().ServeHTTP(reply, req)
			if err := s.Contract(t).Reply(req, reply); err != nil {
				t.Fatalf("as it is: %v\n%s", err, reply.Body)
			}
			before := reply.Body.String() + fmt.Sprint(reply.Code, maps.Clone(reply.Header()))
			tt.change(reply)
			if reply.Body.String()+fmt.Sprint(reply.Code, reply.Header()) == before {
				t.Fatalf("nothing was changed in %s", before)
			}
			if err := s.Contract(t).Reply(req, reply); err == nil {
				t.Errorf("not found out: %d %s", reply.Code, reply.Body)
			}
		})
	}
}

// swap is a change of the body.
func swap(before, after string) func(*httptest.ResponseRecorder) {
	return func(r *httptest.ResponseRecorder) {
		text := strings.Replace(r.Body.String(), before, after, 1)
		r.Body.Reset()
		r.Body.WriteString(text)
	}
}
