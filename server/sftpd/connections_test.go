package sftpd_test

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

//
func TestProxyHeader(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted []netip.Prefix
		header  string
		ip      string // masked; empty: refused
	}{
		"a header of nobody's":              {nil, "PROXY TCP4 203.0.113.9 127.0.0.1 4711 22\r\n", "127.*.*.1"},
		"no header":                         {nil, "", "127.*.*.1"},
		"a trusted proxy's":                 {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "PROXY TCP4 203.0.113.9 127.0.0.1 4711 22\r\n", "203.*.*.9"},
		"a trusted proxy's of IPv6":         {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "PROXY TCP6 2001:db8::7 ::1 4711 22\r\n", "2001:*::7"},
		"a trusted proxy's without one":     {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "", "127.*.*.1"},
		"a trusted proxy's own health":      {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "PROXY UNKNOWN\r\n", "127.*.*.1"},
		"a trusted proxy's that is broken":  {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "PROXY TCP4 nonsense\r\n", ""},
		"another peer's, as if it were one": {[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, "PROXY TCP4 203.0.113.9 127.0.0.1 4711 22\r\n", "127.*.*.1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(c *config.Config, _ *server.Options) { c.TrustedProxies = tt.trusted })
			d.member(t, "ann")
			conn := d.raw(t)
			_, _ = io.WriteString(conn, tt.header)
			sshConn, _, _, err := ssh.NewClientConn(conn, d.addr, clientConfig("ann", pass(servertest.AdminPassword)))
			if err != nil {
				if tt.ip != "" {
					t.Errorf("refused: %v", err)
				}
				return
			}
			defer sshConn.Close()
			if tt.ip == "" {
				t.Fatal("let in")
			}
			var rows []struct {
				IP string `json:"ip"`
			}
			for begin := time.Now(); len(rows) == 0 && time.Since(begin) < patience; {
				d.ok(t, servertest.Request{Path: "/api/admin/connections", Token: d.admin}).Into(t, &rows)
			}
			if len(rows) != 1 || rows[0].IP != tt.ip {
				t.Errorf("connections %+v, want one from %s", rows, tt.ip)
			}
		})
	}
}

func TestConnectionsShowTransfers(t *testing.T) {
	d := open(t)
	files, folder := ann(t, d)
	if err := os.WriteFile(filepath.Join(folder, "down"), bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Minute)
	up, err := files.Create("/up")
	if err != nil {
		t.Fatal(err)
	}
	down, err := files.Open("/down")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = up.Write([]byte("12345"))
	_, _ = io.CopyN(io.Discard, down, 10)
	var rows []struct {
		ID         string    `json:"id"`
		SessionID  string    `json:"session_id"`
		Client     string    `json:"client"`
		KeyTitle   string    `json:"key_title"`
		LastActive time.Time `json:"last_active"`
		Transfers  []struct {
			Path, Direction string
			Bytes           int64
		}
	}
	token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
	d.ok(t, servertest.Request{Path: "/api/me/connections", Token: token}).Into(t, &rows)
	if len(rows) != 1 || len(rows[0].Transfers) != 2 {
		t.Fatalf("connections %+v, want one with two transfers", rows)
	}
	row := rows[0]
	if got := fmt.Sprint(row.Transfers[0]); got != "{/up upload 5}" {
		t.Errorf("upload %s", got)
	}
	if row.Transfers[1].Direction != "download" || row.Transfers[1].Bytes < 10 {
		t.Errorf("download %+v", row.Transfers[1])
	}
	if row.SessionID != d.sftpDevice(t, token) || row.Client != "TestClient_1" || !row.LastActive.Equal(d.clock.Now()) || row.KeyTitle != "" {
		t.Errorf("connection %+v", row)
	}
	_, _ = up.Close(), down.Close()
	d.ok(t, servertest.Request{Path: "/api/me/connections", Token: token}).Into(t, &rows)
	if len(rows[0].Transfers) != 0 {
		t.Errorf("closed files are open: %+v", rows[0].Transfers)
	}
	d.member(t, "bob")
	d.ok(t, servertest.Request{Path: "/api/me/connections", Token: d.SignIn(t, "bob", servertest.AdminPassword, "").Token}).Into(t, &rows)
	if len(rows) != 0 {
		t.Errorf("bob sees %+v", rows)
	}
}
