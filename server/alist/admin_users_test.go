package alist_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/server/servertest"
)

const (
	userListRoute   = "/api/admin/user/list"
	userGetRoute    = "/api/admin/user/get"
	userCreateRoute = "/api/admin/user/create"
	userUpdateRoute = "/api/admin/user/update"
	userDeleteRoute = "/api/admin/user/delete"
	cancelRoute     = "/api/admin/user/cancel_2fa"
	forgetRoute     = "/api/admin/user/del_cache"
	userKeysRoute   = "/api/admin/user/sshkey/list"
	userKeyRoute    = "/api/admin/user/sshkey/delete"

	noUser    = "failed get old user: record not found"
	noRole    = "failed get role: record not found"
	nameTaken = "username already exists"
	lastAdmin = "at least one enabled admin must be kept"

	adminUser = `{"id":2,"username":"admin","password":"","base_path":"/","role":[2],"disabled":false,"permission":65535,"sso_id":"","max_devices":null,"session_ttl":null,"email":"","email_verified":false}`
	guestUser = `{"id":1,"username":"guest","password":"","base_path":"/","role":[1],"disabled":true,"permission":0,"sso_id":"","max_devices":null,"session_ttl":null,"email":"","email_verified":false}`
	aliceUser = `{"id":3,"username":"alice","password":"","base_path":"/","role":[3],"disabled":false,"permission":0,"sso_id":"","max_devices":null,"session_ttl":null,"email":"","email_verified":false}`
)

// succeeded is the whole body of a success.
func succeeded(data string) string { return `{"code":200,"message":"success","data":` + data + `}` }

// act posts to a route of the admin with the static token.
func (s *site) act(t testing.TB, path string, body any) servertest.Reply {
	t.Helper()
	return s.post(t, s.App.AdminToken(), path, body)
}

func wantUser(t testing.TB, s *site, what string, id int64, row string) {
	t.Helper()
	wantBody(t, what, s.get(t, s.App.AdminToken(), fmt.Sprintf("%s?id=%d", userGetRoute, id)), succeeded(row))
}

// stored is an account's record.
func (s *site) stored(t testing.TB, name string) model.Account {
	t.Helper()
	a, err := s.App.Accounts.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return a
}

// becomesAdmin gives an account the admin's role, which only the operator can.
func (s *site) becomesAdmin(t testing.TB, name string) {
	t.Helper()
	if _, err := s.App.SetRoles(t.Context(), name, []string{"admin"}); err != nil {
		t.Fatalf("make %s an admin: %v", name, err)
	}
}

func TestUserListAndGet(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	token := s.Admin(t, "").Token
	for query, want := range map[string]string{
		"":                     succeeded(`{"content":[` + guestUser + `,` + adminUser + `,` + aliceUser + `],"total":3}`),
		"?page=2&per_page=2":   succeeded(`{"content":[` + aliceUser + `],"total":3}`),
		"?page=0&per_page=-1":  succeeded(`{"content":[` + guestUser + `,` + adminUser + `,` + aliceUser + `],"total":3}`),
		"?page=9&per_page=2":   succeeded(`{"content":[],"total":3}`),
		"?page=x":              refusal(400, `query parameter "page" must be a whole number`),
		"?page=1&page=2":       refusal(400, `parameter "page" is given twice`),
		"?per_page=9999999999": succeeded(`{"content":[` + guestUser + `,` + adminUser + `,` + aliceUser + `],"total":3}`),
	} {
		wantBody(t, "list"+query, s.get(t, token, userListRoute+query), want)
	}
	wantBody(t, "get", s.get(t, token, userGetRoute+"?id=3"), succeeded(aliceUser))
}

// Ids are 1 to 2^63-1, in digits, once (I-04).
func TestAdminRoutesTakeOneID(t *testing.T) {
	s := open(t)
	token := s.App.AdminToken()
	const positive, twice = `query parameter "id" must be a positive whole number`, `parameter "id" is given twice`
	for path, tt := range map[string]struct{ method, absent string }{
		userGetRoute:    {http.MethodGet, noUser},
		userDeleteRoute: {http.MethodPost, noUser},
		cancelRoute:     {http.MethodPost, noUser},
		roleGetRoute:    {http.MethodGet, noRole},
		roleDeleteRoute: {http.MethodPost, noRole},
	} {
		for query, want := range map[string]string{
			"":                         positive,
			"?id=":                     positive,
			"?id=0":                    positive,
			"?id=-1":                   positive,
			"?id=+3":                   positive,
			"?id=03":                   positive,
			"?id=1.0":                  positive,
			"?id=x":                    positive,
			"?id=18446744073709551619": positive,
			"?id=3&id=4":               twice,
			"?ID=3":                    positive,
		} {
			got := s.Do(t, servertest.Request{Method: tt.method, Path: path + query, Token: token})
			wantRefused(t, path+query, got, http.StatusBadRequest, want)
		}
		for _, id := range []string{"77", "9223372036854775807"} {
			got := s.Do(t, servertest.Request{Method: tt.method, Path: path + "?id=" + id, Token: token})
			wantRefused(t, path+" of nobody", got, http.StatusNotFound, tt.absent)
		}
	}
	for query, want := range map[string]string{"": "user id format invalid", "?uid=x": "user id format invalid", "?id=3": "user id format invalid"} {
		wantRefused(t, "keys"+query, s.get(t, token, userKeysRoute+query), http.StatusBadRequest, want)
	}
	wantRefused(t, "keys of nobody", s.get(t, token, userKeysRoute+"?uid=77"), http.StatusNotFound, "user invalid")
	for _, query := range []string{"", "?id=x", "?uid=3", "?id=1&id=2"} {
		wantRefused(t, "key"+query, s.act(t, userKeyRoute+query, nil), http.StatusBadRequest, badKeyID)
	}
	wantRefused(t, "an unknown key", s.act(t, userKeyRoute+"?id=77", nil), http.StatusNotFound, noKey)
}

func TestUserCreate(t *testing.T) {
	s := open(t)
	wantDone(t, "a role", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "permission_scopes": []object{{"path": "a/b/", "permission": 264}}}))
	row := func(id int, name, base, role, rest string) string {
		return fmt.Sprintf(`{"id":%d,"username":"%s","password":"","base_path":"%s","role":%s,%s,"email":"","email_verified":false}`, id, name, base, role, rest)
	}
	const plain = `"disabled":false,"permission":0,"sso_id":"","max_devices":null,"session_ttl":null`
	for i, tt := range []struct {
		what, body, want string
	}{
		{"a name alone", `{"username":"u1"}`, row(3, "u1", "/", "[3]", plain)},
		{"as the frontend sends it", `{"id":0,"username":"u2","password":"orchard lantern","base_path":"/","role":[3],"permission":0,"disabled":false,"sso_id":"","role_info":[],"permissions":[]}`, row(4, "u2", "/", "[3]", plain)},
		{"everything", `{"username":"u3","role":[3],"permission":9,"disabled":true,"sso_id":"x","max_devices":2,"session_ttl":60}`, row(5, "u3", "/", "[3]", `"disabled":true,"permission":9,"sso_id":"x","max_devices":2,"session_ttl":60`)},
		{"a path is the role's", `{"username":"u4","role":[7],"base_path":"/zzz"}`, row(6, "u4", "/a/b", "[7]", plain)},
		{"the first role counts", `{"username":"u5","role":[3,7]}`, row(7, "u5", "/", "[3,7]", plain)},
		{"one number for a role", `{"username":"u6","role":7}`, row(8, "u6", "/a/b", "[7]", plain)},
		{"old AList's ordinary role", `{"username":"u7","role":0}`, row(9, "u7", "/", "[3]", plain)},
		{"null for roles and limits", `{"username":"u8","role":null,"max_devices":null,"session_ttl":null,"base_path":null,"sso_id":null}`, row(10, "u8", "/", "[3]", plain)},
		{"no roles", `{"username":"u9","role":[]}`, row(11, "u9", "/", "[3]", plain)},
		{"one role twice", `{"username":"u10","role":[7,3,7]}`, row(12, "u10", "/a/b", "[7,3]", plain)},
		{"a wished id", `{"id":50,"username":"u11"}`, row(50, "u11", "/", "[3]", plain)},
		{"no limit", `{"username":"u12","max_devices":0,"session_ttl":0}`, row(51, "u12", "/", "[3]", `"disabled":false,"permission":0,"sso_id":"","max_devices":0,"session_ttl":0`)},
	} {
		wantDone(t, tt.what, s.act(t, userCreateRoute, tt.body))
		wantUser(t, s, tt.what, s.stored(t, fmt.Sprintf("u%d", i+1)).ID, tt.want)
	}
	s.SignIn(t, "u2", "orchard lantern", "")
	for _, typed := range []string{"", " ", "u1"} {
		wantRefused(t, "an account without a password", s.signIn(t, object{"username": "u1", "password": typed}), http.StatusBadRequest, badLogin)
	}
	if a := s.stored(t, "u2"); !strings.HasPrefix(a.PasswordHash, "$argon2id$") || a.PasswordAt.Unix() != s.clock.Now().Unix() {
		t.Errorf("the password is stored as %.12q, at %v", a.PasswordHash, a.PasswordAt)
	}
}

func TestUserCreateRefuses(t *testing.T) {
	s := open(t)
	s.AddUser(t, "Alice")
	const reserved, field = "admin or guest user can not be created", "field %q must be %s"
	const limit = "a whole number of at least 0, or null"
	for what, tt := range map[string]struct {
		body    string
		code    int
		message string
	}{
		"no name":                   {`{}`, 400, `field "username" is required`},
		"a null name":               {`{"username":null}`, 400, `field "username" is required`},
		"a taken name":              {`{"username":"Alice"}`, 400, nameTaken},
		"a name in other case":      {`{"username":"aLICE"}`, 400, nameTaken},
		"a wide name":               {`{"username":"Ａlice"}`, 400, nameTaken},
		"a name with a slash":       {`{"username":"a/b"}`, 400, badName},
		"a name of 65 characters":   {`{"username":"` + strings.Repeat("x", 65) + `"}`, 400, badName},
		"an admin":                  {`{"username":"x","role":[2]}`, 400, reserved},
		"an admin among others":     {`{"username":"x","role":[3,2]}`, 400, reserved},
		"a guest":                   {`{"username":"x","role":1}`, 400, reserved},
		"an unknown role":           {`{"username":"x","role":[3,99]}`, 404, noRole},
		"no role":                   {`{"username":"x","role":[0]}`, 404, noRole},
		"a role that is text":       {`{"username":"x","role":"3"}`, 400, fmt.Sprintf(field, "role", "a whole number")},
		"a role that is text in it": {`{"username":"x","role":["3"]}`, 400, fmt.Sprintf(field, "role", "a whole number")},
		"a role that is an object":  {`{"username":"x","role":{}}`, 400, fmt.Sprintf(field, "role", "a whole number")},
		"a role that is half":       {`{"username":"x","role":[1.5]}`, 400, fmt.Sprintf(field, "role", "a whole number")},
		"a weak password":           {`{"username":"x","password":"short"}`, 400, "Password too weak: use at least 8 characters"},
		"a well-known password":     {`{"username":"x","password":"password1"}`, 400, "Password too weak: it is among the best-known passwords"},
		"a blank password":          {`{"username":"x","password":"          "}`, 400, "Password too weak: it is blank"},
		"a taken id":                {`{"id":3,"username":"x"}`, 400, "id already exists"},
		"a taken id and name":       {`{"id":3,"username":"alice"}`, 400, nameTaken},
		"a negative id":             {`{"id":-1,"username":"x"}`, 400, fmt.Sprintf(field, "id", "from 0 to 2147483647")},
		"the greatest id":           {`{"id":9223372036854775807,"username":"x"}`, 400, fmt.Sprintf(field, "id", "from 0 to 2147483647")},
		"a negative mask":           {`{"username":"x","permission":-1}`, 400, fmt.Sprintf(field, "permission", "a 32-bit mask")},
		"a mask of 33 bits":         {`{"username":"x","permission":4294967296}`, 400, fmt.Sprintf(field, "permission", "a 32-bit mask")},
		"text for a limit":          {`{"username":"x","max_devices":"2"}`, 400, fmt.Sprintf(field, "max_devices", limit)},
		"a negative limit":          {`{"username":"x","max_devices":-1}`, 400, fmt.Sprintf(field, "max_devices", limit)},
		"half a limit":              {`{"username":"x","session_ttl":0.5}`, 400, fmt.Sprintf(field, "session_ttl", limit)},
		"a list for a limit":        {`{"username":"x","session_ttl":[1]}`, 400, fmt.Sprintf(field, "session_ttl", limit)},
		"text for a switch":         {`{"username":"x","disabled":"true"}`, 400, fmt.Sprintf(field, "disabled", "true or false")},
		"a number for a path":       {`{"username":"x","base_path":1}`, 400, fmt.Sprintf(field, "base_path", "a string")},
		"a list":                    {`[]`, 400, "request body must be a JSON object"},
		"nothing":                   {``, 400, "request body is empty"},
		"a name twice":              {`{"username":"x","USERNAME":"y"}`, 400, "request body names a field twice"},
	} {
		wantRefused(t, what, s.act(t, userCreateRoute, tt.body), tt.code, tt.message)
	}
	wantBody(t, "the list", s.get(t, s.App.AdminToken(), userListRoute),
		succeeded(`{"content":[`+guestUser+`,`+adminUser+`,`+strings.Replace(aliceUser, "alice", "Alice", 1)+`],"total":3}`))
}

const badName = "username must be 1 to 64 characters without slashes, control characters or blanks at its ends"

// What an update does not name stays, and none of it touches a credential.
func TestUserUpdateChangesWhatItNames(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	wantDone(t, "a role", s.act(t, roleCreateRoute, object{"id": 7, "name": "team"}))
	in := s.SignIn(t, "alice", password, "laptop")
	secret := s.enrol(t, in.Token)
	before := s.stored(t, "alice")
	const head = `{"id":3,"username":"alice","password":"",`
	row := func(rest string) string { return head + rest + `,"email":"","email_verified":false}` }
	for _, tt := range []struct{ what, body, want string }{
		{"the name alone", `{"id":3,"username":"alice"}`, aliceUser},
		{"the form whole", `{"id":3,"username":"alice","password":"","base_path":"/","role":[3],"permission":0,"disabled":false,"sso_id":"","role_info":[],"permissions":[]}`, aliceUser},
		{"its own row", aliceUser, aliceUser},
		{"a path", `{"id":3,"username":"alice","base_path":"a/../b/"}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":0,"sso_id":"","max_devices":null,"session_ttl":null`)},
		{"rights", `{"id":3,"username":"alice","permission":264}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"","max_devices":null,"session_ttl":null`)},
		{"an SSO id", `{"id":3,"username":"alice","sso_id":"s"}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":null,"session_ttl":null`)},
		{"limits", `{"id":3,"username":"alice","max_devices":5,"session_ttl":60}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":5,"session_ttl":60`)},
		{"absent limits", `{"id":3,"username":"alice"}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":5,"session_ttl":60`)},
		{"a null limit", `{"id":3,"username":"alice","max_devices":null}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":null,"session_ttl":60`)},
		{"no limit", `{"id":3,"username":"alice","max_devices":0}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`)},
		{"roles", `{"id":3,"username":"alice","role":[7,3,7]}`, row(`"base_path":"/b","role":[7,3],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`)},
		{"null roles", `{"id":3,"username":"alice","role":null}`, row(`"base_path":"/b","role":[7,3],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`)},
		{"no roles", `{"id":3,"username":"alice","role":[]}`, row(`"base_path":"/b","role":[],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`)},
		{"one role", `{"id":3,"username":"alice","role":0}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`)},
		{"what is nobody's to send", `{"id":3,"username":"alice","otp_secret":"x","pwd_hash":"x","salt":"x","epoch":9,"key":"x","password_hash":"x"}`, row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`)},
		{"another case", `{"id":3,"username":"Alice"}`, strings.Replace(row(`"base_path":"/b","role":[3],"disabled":false,"permission":264,"sso_id":"s","max_devices":0,"session_ttl":60`), "alice", "Alice", 1)},
	} {
		wantDone(t, tt.what, s.act(t, userUpdateRoute, tt.body))
		wantUser(t, s, tt.what, 3, tt.want)
	}
	s.wantAlive(t, "her token", in.Token, "Alice")
	after := s.stored(t, "alice")
	type credentials struct {
		Key, Hash string
		At        time.Time
		Epoch     int64
	}
	of := func(a model.Account) credentials {
		return credentials{a.Key, a.PasswordHash, a.PasswordAt.Time, a.Epoch}
	}
	if diff := cmp.Diff(of(before), of(after)); diff != "" {
		t.Errorf("the credentials changed (-before +after):\n%s", diff)
	}
	wantRefused(t, "a sign-in without a code", s.signIn(t, object{"username": "alice", "password": password}), http.StatusPaymentRequired, needCode)
	if got := s.signIn(t, object{"username": "alice", "password": password, "otp_code": s.code(secret)}); got.Code != http.StatusOK {
		t.Errorf("sign in as before: %s", got.Text)
	}
}

func TestUserUpdateRefuses(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.AddUser(t, "bob")
	in := s.SignIn(t, "alice", password, "")
	for what, tt := range map[string]struct {
		body    string
		code    int
		message string
	}{
		"nobody":                    {`{"id":77,"username":"x"}`, 404, noUser},
		"no id":                     {`{"username":"x"}`, 404, noUser},
		"no name":                   {`{"id":3}`, 400, `field "username" is required`},
		"an id that is text":        {`{"id":"3","username":"x"}`, 400, `field "id" must be a whole number`},
		"a taken name":              {`{"id":3,"username":"BOB","permission":1}`, 400, nameTaken},
		"a name that is none":       {`{"id":3,"username":" alice","permission":1}`, 400, badName},
		"an admin's role":           {`{"id":3,"username":"alice","role":[2],"permission":1}`, 400, "cannot assign admin or guest role to user"},
		"an admin's role besides":   {`{"id":3,"username":"alice","role":[3,2]}`, 400, "cannot assign admin or guest role to user"},
		"a guest's role":            {`{"id":3,"username":"alice","role":1}`, 400, "cannot assign admin or guest role to user"},
		"an unknown role":           {`{"id":3,"username":"alice","role":[99],"permission":1}`, 404, noRole},
		"a weak password":           {`{"id":3,"username":"alice","password":"short","permission":1}`, 400, "Password too weak: use at least 8 characters"},
		"the admin's role":          {`{"id":2,"username":"admin","role":[3]}`, 403, "cannot change role of admin user"},
		"the admin's role, renamed": {`{"id":2,"username":"boss","role":[3]}`, 403, "cannot change role of admin user"},
		"more roles for the admin":  {`{"id":2,"username":"admin","role":[2,3]}`, 403, "cannot change role of admin user"},
		"the last admin, disabled":  {`{"id":2,"username":"admin","disabled":true}`, 400, lastAdmin},
		"the guest's role for more": {`{"id":1,"username":"guest","role":[1,3]}`, 400, "cannot assign admin or guest role to user"},
	} {
		wantRefused(t, what, s.act(t, userUpdateRoute, tt.body), tt.code, tt.message)
	}
	wantUser(t, s, "alice afterwards", 3, aliceUser)
	wantUser(t, s, "the admin afterwards", 2, adminUser)
	s.wantAlive(t, "alice", in.Token, "alice")
	wantDone(t, "the admin as it is", s.act(t, userUpdateRoute, adminUser))
	wantDone(t, "the guest as it is", s.act(t, userUpdateRoute, guestUser))
}

func TestCancelTwoFactor(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "laptop")
	wantDone(t, "without a factor", s.act(t, cancelRoute+"?id=3", nil))
	s.wantAlive(t, "without a factor", in.Token, "alice")
	s.enrol(t, in.Token)
	wantRefused(t, "sign in", s.signIn(t, object{"username": "alice", "password": password}), http.StatusPaymentRequired, needCode)
	wantDone(t, "cancel", s.act(t, cancelRoute+"?id=3", nil))
	s.wantDead(t, "her login", in.Token, inactive)
	s.SignIn(t, "alice", password, "laptop")

	own := s.Admin(t, "laptop").Token
	other := s.Admin(t, "phone").Token
	s.enrol(t, own)
	wantDone(t, "cancel the own one", s.post(t, own, cancelRoute+"?id=2", nil))
	s.wantAlive(t, "the caller", own, "admin")
	s.wantDead(t, "the other device", other, inactive)
}

func TestForgetUser(t *testing.T) {
	s := open(t)
	s.AddUser(t, "Jürgen 1")
	for query, want := range map[string]string{
		"?username=admin": done,
		"?username=ADMIN": done,
		"?username=" + url.QueryEscape("Jürgen 1"): done,
		"":                           refusal(400, "username is empty"),
		"?username=":                 refusal(400, "username is empty"),
		"?username=nobody":           refusal(404, "failed find user: record not found"),
		"?username=%25":              refusal(404, "failed find user: record not found"),
		"?username=a&username=admin": refusal(400, `parameter "username" is given twice`),
		"?username=a%00":             refusal(400, `parameter "username" must not contain control characters or broken text`),
		"?username=%zz":              refusal(400, `parameter "username" is malformed`),
	} {
		wantBody(t, query, s.act(t, forgetRoute+query, nil), want)
	}
}

func TestUserSSHKeys(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	alice := s.SignIn(t, "alice", password, "").Token
	line, _ := sshKey(t)
	wantDone(t, "add", s.post(t, alice, keyAddRoute, object{"title": "laptop", "key": line}))
	token := s.App.AdminToken()
	if own, got := s.get(t, alice, keyListRoute), s.get(t, token, userKeysRoute+"?uid=3"); own.Text != got.Text || !strings.Contains(got.Text, `"total":1`) {
		t.Errorf("the admin sees %s, its owner %s", got.Text, own.Text)
	}
	empty := succeeded(`{"content":[],"total":0}`)
	wantBody(t, "page 2", s.get(t, token, userKeysRoute+"?uid=3&page=2&per_page=1"), succeeded(`{"content":[],"total":1}`))
	wantBody(t, "the admin's own", s.get(t, token, userKeysRoute+"?uid=2"), empty)
	wantDone(t, "delete, whoever uid is", s.act(t, userKeyRoute+"?uid=2&id=1", nil))
	wantBody(t, "afterwards", s.get(t, alice, keyListRoute), empty)
	wantRefused(t, "delete again", s.act(t, userKeyRoute+"?uid=3&id=1", nil), http.StatusNotFound, noKey)
}

// Admin routes are closed to everybody else, in every spelling (H-10).
func TestEveryAdminRouteIsForAdmins(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.enableGuest(t)
	alice := s.SignIn(t, "alice", password, "").Token
	routes := 0
	for path, item := range s.Contract(t).Doc.Paths.Map() {
		if !strings.HasPrefix(path, "/api/admin/") {
			continue
		}
		for method := range item.Operations() {
			routes++
			for who, token := range map[string]string{"a user": alice, "a guest": ""} {
				got := s.Do(t, servertest.Request{Method: method, Path: path + "?id=2&uid=2&key=token&username=admin", Token: token})
				wantRefused(t, who+" at "+path, got, http.StatusForbidden, "You are not an admin")
			}
			rest := strings.TrimPrefix(path, "/api/admin/")
			for _, odd := range []string{
				"//api/admin/" + rest, "/api//admin/" + rest, "/api/./admin/" + rest, "/api/me/../admin/" + rest, "/api%2fadmin/" + rest,
				"/api/ADMIN/" + rest, "/api/admin;x/" + rest, "/api/admin/" + rest + "/", "/api/admin/" + rest + "%00", "/api/admin/" + rest + ";x=1",
				"/api/%61dmin/" + rest, "/api/admin%20/" + rest,
			} {
				got := s.Do(t, servertest.Request{Method: method, Path: odd, Token: alice})
				if got.Code != http.StatusForbidden && got.Code != http.StatusNotFound {
					t.Errorf("%s %s: %s", method, odd, got.Text)
				}
			}
		}
	}
	if routes < 23 {
		t.Errorf("%d routes of the admin are described, want all 23", routes)
	}
}
