package sftpd_test

import (
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/server/sftpd"
)

// F-03: an open file is finished, and nobody else is let in meanwhile.
func TestStoppingWaitsForOpenFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		drain  time.Duration
		finish bool
	}{
		"a transfer that finishes": {patience, true},
		"one that does not":        {50 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(_ *config.Config, o *server.Options) { o.SFTP = func(c *sftpd.Config) { c.Drain = tt.drain } })
			d.member(t, "ann")
			files := d.files(t, "ann", pass(servertest.AdminPassword))
			f, err := files.Create("/big")
			if err != nil {
				t.Fatal(err)
			}
			idle := d.connect(t, "ann", pass(servertest.AdminPassword))
			d.await(t, 2)
			d.stop()
			wantClosed(t, "an idle connection", idle)
			if _, err := ssh.Dial("tcp", d.addr, clientConfig("ann", pass(servertest.AdminPassword))); err == nil {
				t.Error("somebody is let in while the server stops")
			}
			if tt.finish {
				if _, err := f.Write(make([]byte, 100_000)); err != nil {
					t.Errorf("write while the server stops: %v", err)
				}
				if err := f.Close(); err != nil {
					t.Errorf("close while the server stops: %v", err)
				}
			}
			select {
			case err := <-d.ended:
				if err != nil {
					t.Errorf("ServeSFTP = %v", err)
				}
				d.ended <- nil
			case <-time.After(patience):
				t.Fatal("the server does not stop")
			}
		})
	}
}
