package sftpd_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/server/sftpd"
)

func TestChannelsAreLimited(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	conn := d.connect(t, "ann", pass(servertest.AdminPassword))
	opened := 0
	for range 70 {
		_, requests, err := conn.OpenChannel("session", nil)
		if err != nil {
			break
		}
		go ssh.DiscardRequests(requests)
		opened++
	}
	if opened != sftpd.Defaults().Channels {
		t.Errorf("%d channels were opened, want %d", opened, sftpd.Defaults().Channels)
	}
}

func TestOpenFilesAreLimited(t *testing.T) {
	d := open(t)
	files, _ := ann(t, d)
	var all []*sftp.File
	for range 300 {
		f, err := files.OpenFile("/one", os.O_WRONLY|os.O_CREATE)
		if err != nil {
			break
		}
		all = append(all, f)
	}
	if len(all) != sftpd.Defaults().Open {
		t.Errorf("%d files are open, want %d", len(all), sftpd.Defaults().Open)
	}
	for _, f := range all {
		_ = f.Close()
	}
	if f, err := files.Open("/one"); err != nil {
		t.Errorf("after closing them: %v", err)
	} else {
		_ = f.Close()
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	d := open(t, func(c *config.Config, _ *server.Options) { c.SFTPMax, c.SFTPMaxAccount = 3, 2 })
	d.member(t, "ann")
	d.member(t, "bob")
	login := pass(servertest.AdminPassword)
	d.files(t, "ann", login)
	second := d.connect(t, "ann", login)
	third, err := d.dial("ann", login)
	if err == nil {
		wantClosed(t, "ann's third", third)
	}
	d.files(t, "bob", login)
	if fourth, err := d.dial("bob", login); err == nil {
		wantClosed(t, "the fourth of all", fourth)
	}
	_ = second.Close()
	d.await(t, 2)
	d.files(t, "bob", login)
}

// a crowd of connections that never sign in keeps nobody out.
func TestCrowdKeepsNobodyOut(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	var crowd []net.Conn
	for range 150 {
		crowd = append(crowd, d.raw(t))
	}
	d.files(t, "ann", pass(servertest.AdminPassword))
	alive := 0
	for _, conn := range crowd {
		// Who still has a place gets the server's name, and then nothing.
		_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
			alive++
		}
	}
	if most := sftpd.Defaults().WaitingPerSource; alive > most {
		t.Errorf("%d of 150 silent connections live, want at most %d", alive, most)
	}
}

func TestSlowSignInIsCutOff(t *testing.T) {
	d := open(t, func(_ *config.Config, o *server.Options) {
		o.SFTP = func(c *sftpd.Config) { c.Grace = 100 * time.Millisecond }
	})
	for name, say := range map[string]string{"silent": "", "talking": "SSH-2.0-Slow\r\n"} {
		conn := d.raw(t)
		_, _ = io.WriteString(conn, say)
		if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("a %s connection is not cut off", name)
		}
	}
}

// hold has connections looked after all the time.
func hold(_ *config.Config, o *server.Options) {
	o.SFTP = func(c *sftpd.Config) { c.HoldEvery = 5 * time.Millisecond }
}

func TestIdleConnectionEnds(t *testing.T) {
	d := open(t, hold)
	files, _ := ann(t, d)
	idle := d.connect(t, "ann", pass(servertest.AdminPassword))
	f, err := files.Create("/open")
	if err != nil {
		t.Fatal(err)
	}
	d.await(t, 2)
	d.clock.Advance(31 * time.Minute)
	wantClosed(t, "an idle connection", idle)
	if _, err := f.Write([]byte("still here")); err != nil {
		t.Errorf("a connection with an open file: %v", err)
	}
}

// A connection outlives the lifetime of a login by proving that it lives.
func TestLongConnectionKeepsItsLogin(t *testing.T) {
	d := open(t, hold)
	files, _ := ann(t, d)
	f, err := files.Create("/open")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		before := d.expiry(t)
		d.clock.Advance(20 * time.Hour)
		for begin := time.Now(); !d.expiry(t).After(before); {
			if time.Since(begin) > patience {
				t.Fatalf("the login still expires at %v", before)
			}
		}
	}
	if _, err := f.Write([]byte("still here")); err != nil {
		t.Errorf("after 100 hours: %v", err)
	}
}

// expiry is when the one device of kind sftp expires; zero if there is none.
func (d *door) expiry(t testing.TB) time.Time {
	t.Helper()
	list, err := d.App.Sessions.ListAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range list {
		if device.Kind == model.DeviceSFTP {
			return device.ExpiresAt.Time
		}
	}
	return time.Time{}
}
