package sftpd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"latchkey/server/servertest"
	"latchkey/service/racetest"
)

// sftpDevice is the user's one device of kind sftp.
func (d *door) sftpDevice(t testing.TB, token string) string {
	t.Helper()
	var rows []struct {
		SessionID string `json:"session_id"`
		Kind      string `json:"kind"`
	}
	d.ok(t, servertest.Request{Path: "/api/me/sessions", Token: token}).Into(t, &rows)
	for _, row := range rows {
		if row.Kind == "sftp" {
			return row.SessionID
		}
	}
	t.Fatalf("no device of kind sftp in %+v", rows)
	return ""
}

// whatever ends the login ends its connections before it is answered.
func TestEndingsCloseConnections(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, d *door, token, account string){
		"evicting the device": func(t *testing.T, d *door, token, _ string) {
			d.ok(t, servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: map[string]string{"session_id": d.sftpDevice(t, token)}})
		},
		"deleting the key": func(t *testing.T, d *door, token, _ string) {
			d.ok(t, servertest.Request{Path: "/api/me/sshkey/delete", Token: token, Body: map[string]int64{"id": d.keys(t, "ann")[0].ID}})
		},
		"disabling the account": func(t *testing.T, d *door, _, account string) {
			if err := d.App.Accounts.SetDisabled(t.Context(), account, true); err != nil {
				t.Fatal(err)
			}
		},
		"deleting the account": func(t *testing.T, d *door, _, account string) {
			if err := d.App.Accounts.Delete(t.Context(), account); err != nil {
				t.Fatal(err)
			}
		},
		"changing the password": func(t *testing.T, d *door, _, account string) {
			if err := d.App.Profile.SetPassword(t.Context(), account, "another horse battery"); err != nil {
				t.Fatal(err)
			}
		},
		"taking the role's rights away": func(t *testing.T, d *door, _, account string) {
			a, err := d.App.Accounts.Snapshot(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			d.ok(t, servertest.Request{Path: "/api/admin/role/update", Token: d.admin, Body: map[string]any{
				"id": a.RoleIDs[0], "name": "less", "permission_scopes": []any{},
			}})
		},
		"binding the key to other addresses": func(t *testing.T, d *door, token, _ string) {
			d.ok(t, servertest.Request{Path: "/api/me/sshkey/update", Token: token, Body: map[string]any{
				"id": d.keys(t, "ann")[0].ID, "allowed_ips": []string{"192.0.2.0/24"},
			}})
		},
		"making the key read-only": func(t *testing.T, d *door, token, _ string) {
			d.ok(t, servertest.Request{Path: "/api/me/sshkey/update", Token: token, Body: map[string]any{
				"id": d.keys(t, "ann")[0].ID, "read_only": true,
			}})
		},
		"requiring a second factor of the role": func(t *testing.T, d *door, _, account string) {
			a, err := d.App.Accounts.Snapshot(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			d.ok(t, servertest.Request{Path: "/api/admin/role/require_2fa", Token: d.admin, Body: map[string]any{
				"id": a.RoleIDs[0], "require": true,
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			account := d.member(t, "ann")
			key := newKey(t)
			d.addKey(t, "ann", "own", key)
			token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
			idle, busy := d.connect(t, "ann", ssh.PublicKeys(key)), d.connect(t, "ann", ssh.PublicKeys(key))
			files, err := sftp.NewClient(busy)
			if err != nil {
				t.Fatal(err)
			}
			stop := d.upload(t, files)
			begin := time.Now()
			end(t, d, token, account)
			took := time.Since(begin)
			// Nothing more is written from here on.
			size := sizeOf(t, filepath.Join(d.root, "ann", "big"))
			err = <-stop
			if err == nil {
				t.Error("the upload went on")
			}
			if later := sizeOf(t, filepath.Join(d.root, "ann", "big")); later != size {
				t.Errorf("%d bytes were written after the answer", later-size)
			}
			wantClosed(t, "an idle one", idle)
			wantClosed(t, "one in the middle of an upload", busy)
			t.Logf("answered after %v, with the connections closed", took)
		})
	}
}

// upload writes to /big until it cannot, and returns when bytes arrive.
func (d *door) upload(t testing.TB, files *sftp.Client) <-chan error {
	t.Helper()
	f, err := files.Create("/big")
	if err != nil {
		t.Fatal(err)
	}
	var sent atomic.Int64
	arrived := make(chan struct{})
	stop := make(chan error, 1)
	go func() {
		var once sync.Once
		block := bytes.Repeat([]byte("x"), 32<<10)
		for {
			if _, err := f.Write(block); err != nil {
				stop <- err
				return
			}
			if sent.Add(1) == 8 {
				once.Do(func() { close(arrived) })
			}
		}
	}()
	<-arrived
	return stop
}

func sizeOf(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Ruling 28.
func TestEvictedKeyStaysOut(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	key := newKey(t)
	d.addKey(t, "ann", "own", key)
	token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
	evict := func() {
		d.ok(t, servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: map[string]string{"session_id": d.sftpDevice(t, token)}})
	}
	d.files(t, "ann", ssh.PublicKeys(key))
	evict()
	d.wantRefused(t, "an evicted key", "ann", ssh.PublicKeys(key))
	c := d.connect(t, "ann", pass(servertest.AdminPassword))
	evict()
	wantClosed(t, "a password's connection", c)
	d.files(t, "ann", pass(servertest.AdminPassword)) // a password can sign in again
}

// Parallel connections share a login: none of them ends another.
func TestManyConnectionsOfOneKey(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	key := newKey(t)
	d.addKey(t, "ann", "own", key)
	all := make([]*ssh.Client, 30)
	racetest.AtOnce(len(all), func(i int) {
		c, err := d.dial("ann", ssh.PublicKeys(key))
		if err != nil {
			t.Errorf("connection %d: %v", i, err)
			return
		}
		all[i] = c
	})
	for i, c := range all {
		if c == nil {
			continue
		}
		if _, err := sftp.NewClient(c); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
		defer c.Close()
	}
}

// Whatever ends beats sign-ins that race it: after its answer no connection is
// served.
func TestEndingBeatsRacingSignIns(t *testing.T) {
	const rounds, racers = 50, 24
	d := open(t)
	account := d.member(t, "ann")
	for name, end := range map[string]func() error{
		"key deleted": func() error {
			token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
			for _, row := range d.keys(t, "ann") {
				reply := d.Do(t, servertest.Request{Path: "/api/me/sshkey/delete", Token: token, Body: map[string]int64{"id": row.ID}})
				if reply.Code != http.StatusOK {
					return errors.New(reply.Text)
				}
			}
			return nil
		},
		"account disabled": func() error { return d.App.Accounts.SetDisabled(context.Background(), account, true) },
	} {
		t.Run(name, func(t *testing.T) {
			served := 0
			for range rounds {
				key := newKey(t)
				d.addKey(t, "ann", "own", key)
				served += d.race(t, key, racers, end)
				if err := d.App.Accounts.SetDisabled(t.Context(), account, false); err != nil {
					t.Fatal(err)
				}
				d.forgetKeys(t, "ann")
			}
			t.Logf("%d of %d connections were served before the end", served, rounds*racers)
		})
	}
}

// race lets racers sign in while the end comes, and checks that none of them can
// do anything after its answer. It returns how many could before.
func (d *door) race(t testing.TB, key ssh.Signer, racers int, end func() error) int {
	t.Helper()
	var answered atomic.Bool
	var served, late atomic.Int64
	racetest.AtOnce(racers+1, func(i int) {
		if i == racers {
			if err := end(); err != nil {
				t.Error(err)
			}
			answered.Store(true)
			return
		}
		c, err := d.dial("ann", ssh.PublicKeys(key))
		if err != nil {
			return
		}
		defer c.Close()
		files, err := sftp.NewClient(c)
		if err != nil {
			return
		}
		for {
			begunAfter := answered.Load()
			if _, err := files.Getwd(); err != nil {
				return
			}
			if _, err := files.Stat("/"); err != nil {
				return
			}
			if begunAfter {
				late.Add(1)
				return
			}
			served.Add(1)
		}
	})
	if n := late.Load(); n > 0 {
		t.Fatalf("%d connections were served after the answer", n)
	}
	// One that signs in at this moment is let go without being served.
	d.await(t, 0)
	return int(min(served.Load(), int64(racers)))
}

// A client that stops in the middle of signing in is cut off, and so is a crowd.
func TestServerStopsInTheMiddleOfEverything(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	silent, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := io.ReadAll(io.LimitReader(silent, 5)); err != nil {
		t.Fatal(err)
	}
	d.files(t, "ann", pass(servertest.AdminPassword)) // the fixture waits for the end
}
