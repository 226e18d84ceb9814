package sftpd_test

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server/servertest"
	"latchkey/service/password"
	"latchkey/service/totp/totptest"
)

func TestKeySignsIn(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	key := newKey(t)
	d.addKey(t, "ann", "laptop", key)
	files := d.files(t, "ann", ssh.PublicKeys(key))
	if err := files.Mkdir("/made"); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		SessionID string `json:"session_id"`
		Kind      string `json:"kind"`
		UserAgent string `json:"ua"`
		IP        string `json:"ip"`
	}
	d.ok(t, servertest.Request{Path: "/api/me/sessions", Token: d.SignIn(t, "ann", servertest.AdminPassword, "web").Token}).Into(t, &rows)
	found := 0
	for _, row := range rows {
		if row.Kind == "sftp" {
			found++
			if row.UserAgent != "TestClient_1" || row.IP != "127.*.*.1" {
				t.Errorf("device %+v", row)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d devices of kind sftp in %+v, want 1", found, rows)
	}
}

//
func TestDoorRefuses(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	d.user(t, "bob", "/") // without the right
	d.member(t, "off")
	key, foreign, deleted, unused := newKey(t), newKey(t), newKey(t), newKey(t)
	d.addKey(t, "ann", "own", key)
	d.addKey(t, "bob", "bob's", foreign)
	d.addKey(t, "off", "off's", unused)
	d.addKey(t, "ann", "deleted", deleted)
	token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
	for _, row := range d.keys(t, "ann") {
		if row.Title == "deleted" {
			d.ok(t, servertest.Request{Path: "/api/me/sshkey/delete", Token: token, Body: map[string]int64{"id": row.ID}})
		}
	}
	if _, err := d.App.SetDisabled(t.Context(), "off", true); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what, name string
		auth       []ssh.AuthMethod
	}{
		{"none", "ann", nil},
		{"an unregistered key", "ann", []ssh.AuthMethod{ssh.PublicKeys(newKey(t))}},
		{"somebody else's key", "ann", []ssh.AuthMethod{ssh.PublicKeys(foreign)}},
		{"a deleted key", "ann", []ssh.AuthMethod{ssh.PublicKeys(deleted)}},
		{"an unknown name", "nobody", []ssh.AuthMethod{ssh.PublicKeys(key)}},
		{"a key without the right", "bob", []ssh.AuthMethod{ssh.PublicKeys(foreign)}},
		{"a key of a disabled account", "off", []ssh.AuthMethod{ssh.PublicKeys(unused)}},
		{"the guest", "guest", []ssh.AuthMethod{pass("guest")}},
		{"an empty password", "ann", []ssh.AuthMethod{pass("")}},
		{"empty answers", "ann", []ssh.AuthMethod{answers("", "")}},
		{"a wrong password", "ann", []ssh.AuthMethod{pass("wrong horse battery")}},
		{"the static hash", "ann", []ssh.AuthMethod{pass(password.Static(servertest.AdminPassword))}},
		{"a session token", "ann", []ssh.AuthMethod{pass(token)}},
		{"the static token", "admin", []ssh.AuthMethod{pass(d.App.AdminToken())}},
		{"a password without the right", "bob", []ssh.AuthMethod{pass(servertest.AdminPassword)}},
		{"a password of a disabled account", "off", []ssh.AuthMethod{pass(servertest.AdminPassword)}},
		{"an empty name", "", []ssh.AuthMethod{pass(servertest.AdminPassword)}},
		{"a name that is no text", "ann\xff", []ssh.AuthMethod{pass(servertest.AdminPassword)}},
	} {
		d.wantRefused(t, tt.what, tt.name, tt.auth...)
	}
	d.files(t, "ann", ssh.PublicKeys(key))
	d.files(t, "ann", pass(servertest.AdminPassword))
	d.files(t, "ann", answers(servertest.AdminPassword))
}

// A deleted account's name, given to somebody else, brings its keys to nobody.
func TestReCreatedAccountHasNoKeys(t *testing.T) {
	d := open(t)
	account := d.member(t, "ann")
	key := newKey(t)
	d.addKey(t, "ann", "own", key)
	if err := d.App.Accounts.Delete(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	d.wantRefused(t, "a deleted account", "ann", ssh.PublicKeys(key))
	if _, err := d.App.Profile.Create(t.Context(), "ann", servertest.AdminPassword); err != nil {
		t.Fatal(err)
	}
	d.wantRefused(t, "the next account of the name", "ann", ssh.PublicKeys(key))
}

func TestSecondFactorHoldsAtTheDoor(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	key := newKey(t)
	d.addKey(t, "ann", "own", key)
	token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
	var made struct{ Secret string }
	d.ok(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(t, &made)
	d.ok(t, servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: map[string]string{
		"code": totptest.Code(made.Secret, d.clock.Now()), "secret": made.Secret,
	}})
	d.clock.Advance(time.Minute)
	code := totptest.Code(made.Secret, d.clock.Now())
	d.wantRefused(t, "the password alone", "ann", pass(servertest.AdminPassword))
	d.wantRefused(t, "the password without a code", "ann", answers(servertest.AdminPassword, ""))
	d.wantRefused(t, "a wrong code", "ann", answers(servertest.AdminPassword, "000000"))
	d.wantRefused(t, "a wrong password", "ann", answers("wrong horse battery", code))
	d.files(t, "ann", answers(servertest.AdminPassword, " "+code+" "))
	d.wantRefused(t, "the same code again", "ann", answers(servertest.AdminPassword, code))
	d.files(t, "ann", ssh.PublicKeys(key)) // a key is a strong factor of its own
}

// liar offers a public key and signs with another private one.
type liar struct {
	ssh.PublicKey

	signer ssh.Signer
}

func (l liar) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	return l.signer.Sign(random, data)
}

func (l liar) signed() ssh.Signer { return liarSigner{l} }

type liarSigner struct{ liar }

func (l liarSigner) PublicKey() ssh.PublicKey { return l.liar.PublicKey }

// only a verified signature counts.
func TestOfferedKeyActsForNobody(t *testing.T) {
	d := open(t)
	d.member(t, "victim")
	d.member(t, "mallory")
	victims, mallorys, spare := newKey(t), newKey(t), newKey(t)
	d.addKey(t, "victim", "victim's", victims)
	d.addKey(t, "victim", "spare", spare)
	d.addKey(t, "mallory", "mallory's", mallorys)
	d.clock.Advance(time.Hour)
	stolen := liar{victims.PublicKey(), mallorys}.signed()
	for _, name := range []string{"victim", "mallory"} {
		c, err := d.dial(name, ssh.PublicKeys(stolen))
		if err == nil {
			_ = c.Close()
			t.Fatalf("a key that did not sign let somebody in as %s", name)
		}
	}
	// Offered first, then signed with one's own: whoever it is, it is not the victim.
	d.files(t, "mallory", ssh.PublicKeys(offerOnly{victims.PublicKey()}, mallorys))
	d.wantRefused(t, "as the victim with one's own key", "victim", ssh.PublicKeys(mallorys))
	for _, row := range d.keys(t, "victim") {
		if !row.LastUsedAt.Equal(row.AddedAt) {
			t.Errorf("key %s is marked as used at %v, and nobody signed with it", row.Title, row.LastUsedAt)
		}
	}
	if row := d.keys(t, "mallory")[0]; !row.LastUsedAt.Equal(d.clock.Now()) {
		t.Errorf("mallory's key was last used at %v, want %v", row.LastUsedAt, d.clock.Now())
	}
	d.files(t, "victim", ssh.PublicKeys(victims))
	for _, row := range d.keys(t, "victim") {
		if used := !row.LastUsedAt.Equal(row.AddedAt); used != (row.Title == "victim's") {
			t.Errorf("key %s used: %v", row.Title, used)
		}
	}
}

// offerOnly offers a key of somebody else's and cannot sign.
type offerOnly struct{ key ssh.PublicKey }

func (o offerOnly) PublicKey() ssh.PublicKey { return o.key }

func (offerOnly) Sign(io.Reader, []byte) (*ssh.Signature, error) {
	return nil, errors.New("no private key")
}

// An agent may offer nine keys before the right one.
func TestAgentWithManyKeys(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	right := newKey(t)
	d.addKey(t, "ann", "own", right)
	var all []ssh.Signer
	for range 9 {
		all = append(all, newKey(t))
	}
	d.files(t, "ann", ssh.PublicKeys(append(all, right)...))
	d.wantRefused(t, "ten wrong ones", "ann", ssh.PublicKeys(append(all, newKey(t), right)...))
}

//
func TestPasswordGuessesAreFew(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	d.SignIn(t, "ann", servertest.AdminPassword, "phone") // a known device, for later
	guesses := 0
	auth := ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		guesses++
		return "wrong horse " + rand.Text(), nil
	}), 50)
	d.wantRefused(t, "fifty guesses", "ann", auth)
	if guesses > 10 {
		t.Errorf("%d guesses on one connection, want at most 10", guesses)
	}
	for range 3 {
		_, _ = d.dial("ann", auth)
	}
	// The same budget as HTTP's: unknown sources have used it up there, too, and
	// the victim's known device has its own.
	other := d.Do(t, servertest.Request{Path: "/api/auth/login", From: "198.51.100.7", Body: map[string]string{
		"username": "ann", "password": servertest.AdminPassword,
	}})
	if other.Code != http.StatusTooManyRequests {
		t.Errorf("HTTP from an unknown place: %s, want 429", other.Text)
	}
	if reply := d.Do(t, servertest.Request{
		Path: "/api/auth/login", ClientID: "phone", Body: map[string]string{"username": "ann", "password": servertest.AdminPassword},
	}); reply.Code != http.StatusOK {
		t.Errorf("the victim: %s", reply.Text)
	}
}
