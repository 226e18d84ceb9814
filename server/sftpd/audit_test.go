package sftpd_test

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server/servertest"
)

// Whatever the method, an event names the door, the device and the address.
func TestSignInsAreNotedAlike(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	d.user(t, "bob", "/") // without the right
	key, unknown, bobs := newKey(t), newKey(t), newKey(t)
	d.addKey(t, "ann", "own", key)
	d.addKey(t, "bob", "bob's", bobs)
	d.files(t, "ann", ssh.PublicKeys(key))
	d.files(t, "ann", pass(servertest.AdminPassword))
	d.wantRefused(t, "a wrong password", "ann", pass("wrong horse battery"))
	d.wantRefused(t, "an unknown key", "ann", ssh.PublicKeys(unknown))
	d.wantRefused(t, "a key without the right", "bob", ssh.PublicKeys(bobs))

	type shape struct {
		event, username, reason string
		device, key             bool
	}
	want := []shape{
		{"signed_in", "ann", "", true, true},
		{"signed_in", "ann", "", true, false},
		{"sign_in_refused", "ann", "credentials_wrong", true, false},
		{"sign_in_refused", "ann", "ssh_key_unknown", false, false},
		{"sign_in_refused", "bob", "sftp_forbidden", true, true},
	}
	var got map[shape]int
	for begin := time.Now(); len(got) < len(want) && time.Since(begin) < patience; { // refusals are noted after they are heard
		got = map[shape]int{}
		for _, e := range d.sftpEvents(t) {
			if e.Address != "127.0.0.1" {
				t.Errorf("%s from %q", e.Event, e.Address)
			}
			got[shape{e.Event, e.Username, e.Reason, e.Device != "", e.Detail.KeyID != 0}]++
		}
	}
	for _, w := range want {
		if got[w] != 1 {
			t.Errorf("%d events %+v, want one; got %+v", got[w], w, got)
		}
	}
}

type event struct {
	Event    string
	Username string
	Device   string
	Address  string
	Reason   string
	Detail   struct {
		Door  string
		KeyID int64 `json:"ssh_key_id"`
	}
}

// sftpEvents are the stored events that say that they happened here.
func (d *door) sftpEvents(t testing.TB) []event {
	t.Helper()
	var page struct{ Content []event }
	d.ok(t, servertest.Request{Path: "/api/admin/audit", Token: d.admin}).Into(t, &page)
	return slices.DeleteFunc(page.Content, func(e event) bool { return e.Detail.Door != "sftp" })
}
