package server_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/alistdb/alistdbtest"
	"latchkey/model/sqlstore"
	"latchkey/server/servertest"
	"latchkey/service/importer"
	"latchkey/service/totp/totptest"
)

// chapters are the story after which no secret may be found in the data folder:
// each uses some and adds them to told. Whoever brings a new kind of secret
// adds a chapter.
func chapters() []func(t *testing.T, s *served, told secretsOf) {
	return []func(*testing.T, *served, secretsOf){
		passwordsAreUsed, factorsAreUsed, staticTokenIsUsed, sshKeyIsAdded, settingsAreSaved, controlIsUsed, pairsAreUsed, appIsGranted,
	}
}

// token notes a session token.
func (s secretsOf) token(name, token string) string {
	s[name] = token
	s[name+", signature"] = token[strings.LastIndex(token, ".")+1:]
	return token
}

// raw notes bytes, in the forms in which somebody might store them.
func (s secretsOf) raw(name string, secret []byte) {
	s[name+", bytes"] = string(secret)
	s[name+", hex"] = hex.EncodeToString(secret)
	s[name+", upper-case hex"] = strings.ToUpper(hex.EncodeToString(secret))
	s[name+", base64"] = base64.RawStdEncoding.EncodeToString(secret)
	s[name+", base64url"] = base64.RawURLEncoding.EncodeToString(secret)
}

// factor notes a TOTP secret.
func (s secretsOf) factor(t *testing.T, name, secret string) string {
	t.Helper()
	raw, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	s[name] = secret
	s.raw(name, raw)
	return secret
}

func passwordsAreUsed(t *testing.T, s *served, told secretsOf) {
	told.add("the admin's password", servertest.AdminPassword)
	told.token("the admin's token", s.Admin(t, "desk").Token)
	s.AddUser(t, "ann")
	hers := told.token("ann's token", s.SignIn(t, "ann", servertest.AdminPassword, "phone").Token)
	hashed := s.Do(t, servertest.Request{Path: "/api/auth/login/hash", Body: map[string]string{
		"username": "ann", "password": staticHash(servertest.AdminPassword),
	}})
	var in servertest.SignedIn
	hashed.Into(t, &in)
	told.token("the token of a hash", in.Token)
	wrong := told.add("a wrong password", "Tr0ub4dor&3-wrong")
	s.Do(t, servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": "ann", "password": wrong}})
	s.Do(t, servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": wrong, "password": wrong}})
	next := told.add("ann's next password", "nine lives of a cat")
	done := s.Do(t, servertest.Request{
		Path: "/api/me/update", Token: hers, ClientID: "phone", Body: map[string]string{"username": "ann", "password": next},
	})
	if done.Code != http.StatusOK {
		t.Fatalf("change of password: %s", done.Text)
	}
}

// issue has the account be issued a TOTP secret.
func issue(t *testing.T, s *servertest.Server, token string) string {
	t.Helper()
	made := s.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token})
	var issued struct{ Secret string }
	made.Into(t, &issued)
	return issued.Secret
}

// enrol turns the account's second factor on with the code of that moment.
func enrol(t *testing.T, s *servertest.Server, token, secret string, at time.Time) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: map[string]string{
		"code": totptest.Code(secret, at), "secret": secret,
	}})
}

func factorsAreUsed(t *testing.T, s *served, told secretsOf) {
	for _, name := range []string{"bea", "cid"} {
		s.AddUser(t, name)
		token := told.token(name+"'s token", s.SignIn(t, name, servertest.AdminPassword, "").Token)
		secret := told.factor(t, name+"'s factor", issue(t, s.Server, token))
		if name == "cid" {
			continue // it stays pending
		}
		if r := enrol(t, s.Server, token, secret, time.Now()); r.Code != http.StatusOK {
			t.Fatalf("enrol: %s", r.Text)
		}
		var made struct{ Codes []string }
		s.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/recovery_codes", Token: token}).Into(t, &made)
		for i, code := range made.Codes {
			told[fmt.Sprintf("recovery code %d", i)] = code
			told[fmt.Sprintf("recovery code %d, plain", i)] = strings.ReplaceAll(code, "-", "")
		}
	}
}

// mailWaits has a link posted that cannot be mailed yet: its message rests in
// the database.
func mailWaits(t *testing.T, s *served, posts *hook, told secretsOf) {
	t.Helper()
	told["the webhook's secret"] = hookSecret
	s.AddUser(t, "eve")
	if _, err := s.App.SetEmail(t.Context(), "eve", "eve@example.org", true); err != nil {
		t.Fatal(err)
	}
	told.token("eve's token", s.SignIn(t, "eve", servertest.AdminPassword, "laptop").Token)
	told.token("eve's other token", s.SignIn(t, "eve", servertest.AdminPassword, "phone").Token)
	if err := s.App.Outbox.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range posts.take() {
		if link := p.event.Links["not_me"]; link != "" {
			told["a link's token"] = link[strings.LastIndex(link, "=")+1:]
		}
	}
	if told["a link's token"] == "" {
		t.Fatal("no link was posted")
	}
}

func staticTokenIsUsed(t *testing.T, s *served, told secretsOf) {
	told["the static token"] = s.App.AdminToken()
	r := s.Do(t, servertest.Request{Path: "/api/admin/session/list", Token: s.App.AdminToken()})
	if r.Code != http.StatusOK {
		t.Fatalf("static token: %s", r.Text)
	}
}

func sshKeyIsAdded(t *testing.T, s *served, told secretsOf) {
	told["a private SSH key"] = privateKeyLine
	token := told.token("dan's token", func() string {
		s.AddUser(t, "dan")
		return s.SignIn(t, "dan", servertest.AdminPassword, "").Token
	}())
	for _, key := range []string{privateKey, alistdbtest.KeyText(7)} {
		s.Do(t, servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: map[string]string{"title": "laptop", "key": key}})
	}
}

func settingsAreSaved(t *testing.T, s *served, _ secretsOf) {
	if err := s.App.SetSetting(t.Context(), "announcement", "v1: what is new"); err != nil {
		t.Fatal(err)
	}
}

func controlIsUsed(t *testing.T, s *served, told secretsOf) {
	text, err := os.ReadFile(filepath.Join(s.folder, "control.json"))
	if err != nil {
		t.Fatal(err)
	}
	var note struct{ Secret string }
	if err := json.Unmarshal(text, &note); err != nil || note.Secret == "" {
		t.Fatalf("control.json: %v", err)
	}
	told["the control's secret"] = note.Secret
	if got := tellControl(t, s.folder, "{}"); got != http.StatusNoContent {
		t.Fatalf("control: %d", got)
	}
}

// importIvy takes over an account of AList's with password and second factor.
// No server is running, so the password stays sealed.
func importIvy(t *testing.T, folder string, told secretsOf) {
	t.Helper()
	const plain, factor = "An-Imported-Pa55word", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	db.Insert(t, "roles", alistdbtest.Roles()...)
	ivy := alistdbtest.User(5, "ivy", plain, []byte("[3]")).With("otp_secret", factor)
	db.Insert(t, "users", ivy)
	db.Insert(t, "setting_items", alistdbtest.Setting("token", "alist-of-the-old-installation"))
	db.Done(t)
	told.add("ivy's password", plain)
	told.factor(t, "ivy's factor", factor)
	if hash, ok := ivy["pwd_hash"].(string); ok {
		told["AList's hash of ivy's password"] = hash
	}
	app := attach(t, folder)
	if _, _, err := app.ImportAList(t.Context(), db.Path, db.Prefix, importer.Options{Settings: true}); err != nil {
		t.Fatal(err)
	}
	if err := app.Close(); err != nil {
		t.Fatal(err)
	}
}

// tellWholeStory is a folder after all chapters, and the secrets of them.
func tellWholeStory(t *testing.T) (folder string, told secretsOf) {
	t.Helper()
	folder, told = t.TempDir(), secretsOf{}
	mail, posts := servertest.NewMailServer(t, nil), newHook(t)
	mail.Refuse("RCPT", "451 later")
	s := serve(t, folder, nil, mail.Use, posts.use)
	for _, chapter := range chapters() {
		chapter(t, s, told)
	}
	mailWaits(t, s, posts, told)
	told.raw("the master key", masterKeyOf(t, folder))
	maps.Copy(told, keysOf(t, folder))
	while := maps.Clone(told)
	delete(while, "the control's secret") // control.json is its place, as long as the server runs
	wantNowhere(t, folder, while)
	s.end(t)
	importIvy(t, folder, told)
	return folder, told
}

// found is where in the folder's files but the master key's own the secrets
// are, by name of secret.
func found(t *testing.T, folder string, told secretsOf) map[string]string {
	t.Helper()
	places := map[string]string{}
	err := filepath.WalkDir(copied(t, folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "master.key" {
			return err
		}
		text, err := os.ReadFile(path)
		for name, secret := range told {
			if bytes.Contains(text, []byte(secret)) {
				places[name] = entry.Name()
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// copied is a copy of the folder that another process makes: to close a file of
// a database drops the locks that this process holds on it
// (https://sqlite.org/howtocorrupt.html §2.2).
func copied(t *testing.T, folder string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs cp")
	}
	to := filepath.Join(t.TempDir(), "copy")
	if out, err := exec.CommandContext(t.Context(), "cp", "-R", folder, to).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v\n%s", err, out)
	}
	return to
}

func wantNowhere(t *testing.T, folder string, told secretsOf) {
	t.Helper()
	for name, secret := range told {
		if len(secret) < 10 {
			t.Errorf("%s is too short to be looked for", name)
		}
	}
	for name, file := range found(t, folder, told) {
		t.Errorf("%s stands in %s", name, file)
	}
}

// T-06, K-12: what an attacker reads in a copy of the folder without the master
// key is no credential.
func TestNoSecretRestsInTheClear(t *testing.T) {
	folder, told := tellWholeStory(t)
	wantNowhere(t, folder, told)
	app := attach(t, folder)
	for range 2 {
		if _, err := app.RotateKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
		maps.Copy(told, keysOf(t, folder))
		wantNowhere(t, folder, told)
	}
	old := sealedTexts(t, folder)["keys.sealed"]
	if _, err := app.ChangeMaster(t.Context()); err != nil {
		t.Fatal(err)
	}
	told.raw("the new master key", masterKeyOf(t, folder))
	for i, text := range old {
		told[fmt.Sprintf("key %d under the old master key", i)] = text // who has that one would open it
	}
	wantNowhere(t, folder, told)
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	wantNowhere(t, folder, told)
	t.Logf("%d forms of secrets looked for", len(told))
}

// The scan is worth something: it finds every secret that is stored as it is.
func TestScanFindsWhatRestsInTheClear(t *testing.T) {
	folder, told := tellWholeStory(t)
	db, err := sqlstore.Open(filepath.Join(folder, "latchkey.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rows []model.Setting
	for name, secret := range told {
		rows = append(rows, model.Setting{Key: name, Value: secret})
	}
	if err := db.Settings().SaveSettings(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"the database is open", "it is closed"} {
		places := found(t, folder, told)
		for _, name := range slices.Sorted(maps.Keys(told)) {
			if places[name] == "" {
				t.Errorf("while %s, %s was not found", when, name)
			}
		}
		_ = db.Close()
	}
}
