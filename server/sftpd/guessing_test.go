package sftpd_test

import (
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// dialFrom is dial from an address that a trusted proxy tells.
func (d *door) dialFrom(t testing.TB, address, name string, auth ssh.AuthMethod) error {
	t.Helper()
	conn := d.raw(t)
	defer conn.Close()
	_, _ = io.WriteString(conn, "PROXY TCP4 "+address+" 127.0.0.1 4711 22\r\n")
	sshConn, _, _, err := ssh.NewClientConn(conn, d.addr, clientConfig(name, auth))
	if err == nil {
		_ = sshConn.Close()
	}
	return err
}

// that the owner uses a password here makes no stranger who guesses
// here a known source.
func TestGuessingHereIsNotLikeTheOwner(t *testing.T) {
	d := open(t, func(c *config.Config, _ *server.Options) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	d.member(t, "ann")
	const home = "203.0.113.9"
	right := pass(servertest.AdminPassword)
	if err := d.dialFrom(t, home, "ann", right); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		if err := d.dialFrom(t, fmt.Sprintf("198.51.100.%d", i+1), "ann", pass("wrong horse battery")); err == nil {
			t.Fatal("a wrong password is let in")
		}
	}
	d.clock.Advance(5*time.Minute + 30*time.Second) // the budget of a known source is whole again
	if err := d.dialFrom(t, "198.51.100.100", "ann", right); err == nil {
		t.Error("strangers guess on as if they were known")
	}
	if err := d.dialFrom(t, home, "ann", right); err != nil {
		t.Errorf("the owner: %v", err)
	}
}
