package sftpd_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	_ "modernc.org/sqlite" // its driver, for what no route sets yet

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/server/sftpd"
	"latchkey/service/access"
)

const (
	read  = access.RightSFTP
	write = access.RightSFTPManage
	full  = read | write

	// patience is how long anything may take. Nothing takes as long; it turns a
	// hanging test into a failing one.
	patience = 30 * time.Second
)

// hostKeys are made once: an RSA key takes a second.
var hostKeys = sync.OnceValues(func() (map[string][]byte, error) {
	folder, err := os.MkdirTemp("", "latchkey-host-keys-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	keys, err := sftpd.HostKeys(folder)
	texts := map[string][]byte{}
	for _, key := range keys {
		text, readErr := os.ReadFile(key.File)
		texts[filepath.Base(key.File)], err = text, errors.Join(err, readErr)
	}
	return texts, err
})

// door is a whole server with an SFTP door on loopback.
type door struct {
	*servertest.Server

	addr  string
	data  string
	root  string // where files lie
	clock *servertest.Clock
	admin string // a token
	stop  func() // what SIGTERM does to the door
	ended chan error
	roles int
}

// open opens a door. Its clock stands still unless it is advanced.
func open(t testing.TB, changes ...func(*config.Config, *server.Options)) *door {
	t.Helper()
	return openAt(t, t.TempDir(), servertest.NewClock(), changes...)
}

func openAt(t testing.TB, data string, clock *servertest.Clock, changes ...func(*config.Config, *server.Options)) *door {
	t.Helper()
	d := &door{data: data, clock: clock, root: filepath.Join(data, "files")}
	texts, err := hostKeys()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(d.data, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(d.data, 0o700); err != nil {
		t.Fatal(err)
	}
	base := func(cfg *config.Config, opts *server.Options) { cfg.Data, opts.Now = d.data, d.clock.Now }
	d.Server = servertest.Open(t, append([]func(*config.Config, *server.Options){base}, changes...)...)
	d.addr = d.serve(t)
	d.admin = d.Admin(t, "admin's").Token
	return d
}

// serve serves until the test ends.
func (d *door) serve(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	d.stop, d.ended = stop, make(chan error, 1)
	go func() { d.ended <- d.App.ServeSFTP(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-d.ended:
			if err != nil {
				t.Errorf("ServeSFTP = %v", err)
			}
		case <-time.After(patience):
			t.Error("the door does not close")
		}
	})
	return listener.Addr().String()
}

// user makes an account that has the scopes, and returns its key.
func (d *door) user(t testing.TB, name, base string, scopes ...model.PathScope) string {
	t.Helper()
	d.roles++
	role, err := d.App.Accounts.AddRole(t.Context(), model.Role{Name: "role of " + name, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	key := d.AddUser(t, name)
	account, err := d.App.Accounts.Snapshot(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	d.ok(t, servertest.Request{Path: "/api/admin/user/update", Token: d.admin, Body: map[string]any{
		"id": account.ID, "username": name, "role": []int64{role.ID}, "base_path": base,
	}})
	return key
}

// member is a user of everything below /NAME.
func (d *door) member(t testing.TB, name string) string {
	t.Helper()
	return d.user(t, name, "/"+name, model.PathScope{Path: "/", Permission: full})
}

// ok sends a request that must succeed.
func (d *door) ok(t testing.TB, r servertest.Request) servertest.Reply {
	t.Helper()
	reply := d.Do(t, r)
	if reply.Code != http.StatusOK {
		t.Fatalf("%s: %s", r.Path, reply.Text)
	}
	return reply
}

// newKey is a key pair of a client.
func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// addKey gives the user one more key.
func (d *door) addKey(t testing.TB, name, title string, key ssh.Signer) {
	t.Helper()
	token := d.SignIn(t, name, servertest.AdminPassword, "the owner's").Token
	d.ok(t, servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: map[string]string{
		"title": title, "key": string(ssh.MarshalAuthorizedKey(key.PublicKey())),
	}})
}

// keys is the user's keys as the database has them.
func (d *door) keys(t testing.TB, name string) []sshKey {
	t.Helper()
	token := d.SignIn(t, name, servertest.AdminPassword, "the owner's").Token
	var page struct{ Content []sshKey }
	d.ok(t, servertest.Request{Path: "/api/me/sshkey/list", Token: token}).Into(t, &page)
	return page.Content
}

type sshKey struct {
	ID         int64     `json:"id"`
	Title      string    `json:"title"`
	AddedAt    time.Time `json:"added_time"`
	LastUsedAt time.Time `json:"last_used_time"`
}

// config is a client's side.
func clientConfig(name string, auth ...ssh.AuthMethod) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User: name, Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: patience,
		ClientVersion: "SSH-2.0-TestClient_1",
	}
}

// dial connects, or says why not.
func (d *door) dial(name string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", d.addr, clientConfig(name, auth...))
}

// connect is dial that must succeed.
func (d *door) connect(t testing.TB, name string, auth ...ssh.AuthMethod) *ssh.Client {
	t.Helper()
	c, err := d.dial(name, auth...)
	if err != nil {
		t.Fatalf("connect as %s: %v", name, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// files is connect with the subsystem.
func (d *door) files(t testing.TB, name string, auth ...ssh.AuthMethod) *sftp.Client {
	t.Helper()
	c, err := sftp.NewClient(d.connect(t, name, auth...))
	if err != nil {
		t.Fatalf("sftp as %s: %v", name, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// wantRefused fails unless nobody is let in.
func (d *door) wantRefused(t testing.TB, what, name string, auth ...ssh.AuthMethod) {
	t.Helper()
	c, err := d.dial(name, auth...)
	if err == nil {
		_ = c.Close()
		t.Errorf("%s: was let in", what)
		return
	}
	if !strings.Contains(err.Error(), "unable to authenticate") && !strings.Contains(err.Error(), "too many authentication failures") {
		t.Errorf("%s: %v, want a refusal", what, err)
	}
}

func pass(text string) ssh.AuthMethod { return ssh.Password(text) }

// answers is keyboard-interactive with these texts in turn.
func answers(texts ...string) ssh.AuthMethod {
	return ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		var out []string
		for range questions {
			if len(texts) == 0 {
				return nil, errors.New("one question too many")
			}
			out, texts = append(out, texts[0]), texts[1:]
		}
		return out, nil
	})
}

// wantClosed fails unless the server closes the connection soon.
func wantClosed(t testing.TB, what string, c *ssh.Client) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Errorf("%s: the connection lives", what)
	}
}

// forgetKeys deletes the user's keys.
func (d *door) forgetKeys(t testing.TB, name string) {
	t.Helper()
	token := d.SignIn(t, name, servertest.AdminPassword, "the owner's").Token
	for _, row := range d.keys(t, name) {
		d.ok(t, servertest.Request{Path: "/api/me/sshkey/delete", Token: token, Body: map[string]int64{"id": row.ID}})
	}
}

// connections is how many connections are served.
func (d *door) connections(t testing.TB) int {
	t.Helper()
	var rows []struct{}
	d.ok(t, servertest.Request{Path: "/api/admin/connections", Token: d.admin}).Into(t, &rows)
	return len(rows)
}

// await returns when so many connections are served. A client learns that it is
// let in a little before the server serves it, and has gone a little before the
// server knows.
func (d *door) await(t testing.TB, want int) {
	t.Helper()
	d.awaitAtMost(t, want, patience)
}

func (d *door) awaitAtMost(t testing.TB, want int, wait time.Duration) {
	t.Helper()
	for begin := time.Now(); d.connections(t) != want; {
		if time.Since(begin) > wait {
			t.Fatalf("%d connections are served, want %d", d.connections(t), want)
		}
	}
}

// edit stops the server, changes its database, and starts another one on it.
func (d *door) edit(t testing.TB, updates ...string) *door {
	t.Helper()
	d.stop()
	if err := <-d.ended; err != nil {
		t.Fatal(err)
	}
	d.ended <- nil // for who cleans up
	if err := d.App.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(d.data, "latchkey.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, update := range updates {
		if _, err := db.ExecContext(t.Context(), update); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return openAt(t, d.data, d.clock)
}
