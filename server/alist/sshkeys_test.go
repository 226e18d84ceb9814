package alist_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server/servertest"
)

const (
	keyListRoute   = "/api/me/sshkey/list"
	keyAddRoute    = "/api/me/sshkey/add"
	keyDeleteRoute = "/api/me/sshkey/delete"
	noKey          = "failed to get public key"
	badKeyID       = "id format invalid"
	badKeyRequest  = "request invalid"
)

// sshKey makes a key and returns its authorized_keys line and fingerprint.
func sshKey(t *testing.T) (line, fingerprint string) {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("make key: %v", err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatalf("make key: %v", err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), ssh.FingerprintSHA256(key)
}

func TestSSHKeyListIsWrittenAsAListWritesIt(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	wantBody(t, "an empty list", s.get(t, token, keyListRoute), `{"code":200,"message":"success","data":{"content":[],"total":0}}`)
	rows := make([]string, 3)
	for i := range rows {
		line, fingerprint := sshKey(t)
		wantDone(t, "add", s.post(t, token, keyAddRoute, object{"title": fmt.Sprintf("key %d", i+1), "key": "  " + line + " comment \n"}))
		at := s.clock.Now().Format(time.RFC3339)
		rows[i] = fmt.Sprintf(`{"id":%d,"title":"key %d","fingerprint":"%s","added_time":"%s","last_used_time":"%s",`+
			`"expires_at":null,"allowed_ips":[],"read_only":false,"path":"","verified":false,"suspended":false,"advice":[]}`,
			i+1, i+1, fingerprint, at, at)
		s.clock.Advance(time.Minute)
	}
	list := func(rows ...string) string {
		return `{"code":200,"message":"success","data":{"content":[` + strings.Join(rows, ",") + `],"total":3}}`
	}
	for query, want := range map[string]string{
		"":                         list(rows...),
		"?page=1&per_page=2":       list(rows[:2]...),
		"?page=2&per_page=2":       list(rows[2:]...),
		"?page=3&per_page=2":       list(),
		"?page=0&per_page=1":       list(rows[0]),
		"?page=-5&per_page=0":      list(rows...),
		"?per_page=-1":             list(rows...),
		"?page=&per_page=":         list(rows...),
		"?page=99999999999999":     list(),
		"?per_page=99999999999999": list(rows...),
	} {
		if strings.HasPrefix(query, "?page=9") {
			query += "&per_page=2"
		}
		wantBody(t, "page "+query, s.get(t, token, keyListRoute+query), want)
	}
	for query, name := range map[string]string{"?page=x": "page", "?per_page=1.5": "per_page", "?page=0x10": "page"} {
		wantRefused(t, query, s.get(t, token, keyListRoute+query), http.StatusBadRequest,
			fmt.Sprintf("query parameter %q must be a whole number", name))
	}
}

func TestSSHKeyRefusals(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	line, _ := sshKey(t)
	other, _ := sshKey(t)
	wantDone(t, "the first key", s.post(t, token, keyAddRoute, object{"title": "laptop", "key": line}))
	const bad = "provided key invalid: "
	for name, tt := range map[string]struct {
		body    any
		message string
	}{
		"no title":                 {object{"key": other}, badKeyRequest},
		"an empty title":           {object{"title": "", "key": other}, badKeyRequest},
		"no key":                   {object{"title": "t"}, badKeyRequest},
		"an empty key":             {object{"title": "t", "key": ""}, badKeyRequest},
		"a number for a key":       {object{"title": "t", "key": 1}, badKeyRequest},
		"half an object":           {`{"title":"t"`, badKeyRequest},
		"no body":                  {nil, badKeyRequest},
		"a blank title":            {object{"title": "  ", "key": other}, "title must be 1 to 255 printable characters"},
		"the same title":           {object{"title": "laptop", "key": other}, "key with the same title already exists"},
		"the same title, bad key":  {object{"title": "laptop", "key": "x"}, "key with the same title already exists"},
		"the same key":             {object{"title": "t", "key": line}, bad + "this key is already on your account"},
		"the same key, commented":  {object{"title": "t", "key": line + " me@home"}, bad + "this key is already on your account"},
		"options before the key":   {object{"title": "t", "key": `command="sh" ` + other}, bad + "options are fields here, not part of the key"},
		"a second line":            {object{"title": "t", "key": other + "\n" + line}, bad + "paste exactly one key on one line, with nothing before or after it"},
		"a comment before the key": {object{"title": "t", "key": "# mine\n" + other}, bad + "paste exactly one key on one line, with nothing before or after it"},
		"a blank key":              {object{"title": "t", "key": " "}, bad + "the text is empty"},
		"a DSA key":                {object{"title": "t", "key": "ssh-dss AAAAB3NzaC1kc3M="}, bad + "DSA keys are too weak, use Ed25519"},
		"a key cut short":          {object{"title": "t", "key": other[:len(other)-8]}, bad + "the key data is damaged"},
		"an unknown type":          {object{"title": "t", "key": "ssh-future AAAA"}, bad + "unknown key type; use Ed25519, ECDSA, RSA or a security key, the type spelled in lower case"},
	} {
		wantRefused(t, name, s.post(t, token, keyAddRoute, tt.body), http.StatusBadRequest, tt.message)
	}
	if got := s.get(t, token, keyListRoute); !strings.Contains(got.Text, `"total":1`) {
		t.Errorf("afterwards the list is %s", got.Text)
	}
	wantDone(t, "the alias of a published client", s.post(t, token, keyAddRoute, object{"title": "phone", "public_key": other}))
	s.AddUser(t, "alice")
	wantDone(t, "the same key and title for somebody else",
		s.post(t, s.SignIn(t, "alice", password, "").Token, keyAddRoute, object{"title": "laptop", "key": line}))
}

func TestSSHKeyDeletion(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	token, alice := s.Admin(t, "").Token, s.SignIn(t, "alice", password, "").Token
	for i := range 3 {
		line, _ := sshKey(t)
		wantDone(t, "add", s.post(t, token, keyAddRoute, object{"title": strconv.Itoa(i), "key": line}))
	}
	for name, tt := range map[string]struct {
		token, query string
		body         any
		code         int
		message      string
	}{
		"somebody else's key":         {alice, "?id=1", nil, 404, noKey},
		"somebody else's, by body":    {alice, "", object{"id": 1}, 404, noKey},
		"an unknown key":              {token, "?id=99", nil, 404, noKey},
		"the greatest id":             {token, "?id=9223372036854775807", nil, 404, noKey},
		"an id beyond it":             {token, "?id=9223372036854775808", nil, 400, badKeyID},
		"no id":                       {token, "", nil, 400, badKeyID},
		"an empty id":                 {token, "?id=", nil, 400, badKeyID},
		"zero":                        {token, "?id=0", nil, 400, badKeyID},
		"a negative id":               {token, "?id=-1", nil, 400, badKeyID},
		"a text":                      {token, "?id=x", nil, 400, badKeyID},
		"a sign":                      {token, "?id=%2B1", nil, 400, badKeyID},
		"two ids":                     {token, "?id=1&id=2", nil, 400, badKeyID},
		"no id in a body":             {token, "", object{}, 400, badKeyID},
		"a text in a body":            {token, "", object{"id": "1"}, 400, badKeyID},
		"a bad id beside a good body": {token, "?id=x", object{"id": 1}, 400, badKeyID},
	} {
		wantRefused(t, name, s.post(t, tt.token, keyDeleteRoute+tt.query, tt.body), tt.code, tt.message)
	}
	wantDone(t, "by query", s.post(t, token, keyDeleteRoute+"?id=1", nil))
	wantRefused(t, "again", s.post(t, token, keyDeleteRoute+"?id=1", nil), 404, noKey)
	wantDone(t, "by body", s.post(t, token, keyDeleteRoute, object{"id": 2}))
	wantDone(t, "by query beside a body", s.post(t, token, keyDeleteRoute+"?id=3", object{"id": 99}))
	wantBody(t, "the list", s.get(t, token, keyListRoute), `{"code":200,"message":"success","data":{"content":[],"total":0}}`)
}

func TestGuestsHaveNoSSHKeys(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	line, _ := sshKey(t)
	for _, r := range []servertest.Request{
		{Path: keyListRoute},
		{Path: keyListRoute + "?page=x"},
		{Path: keyAddRoute, Body: object{"title": "t", "key": line}},
		{Path: keyAddRoute, Body: `{`},
		{Path: keyDeleteRoute + "?id=1", Method: http.MethodPost},
		{Path: keyDeleteRoute + "?id=x", Method: http.MethodPost},
	} {
		wantRefused(t, r.Path, s.Do(t, r), http.StatusUnauthorized, "user invalid")
		r.Token = "garbage"
		wantRefused(t, r.Path+" with garbage", s.Do(t, r), http.StatusUnauthorized, invalid)
	}
}
