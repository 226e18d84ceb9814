package sftpd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
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
	"latchkey/service/setting"
)

//
func TestOnlyModernAlgorithms(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	insecure := ssh.InsecureAlgorithms()
	try := func(change func(*ssh.ClientConfig)) error {
		c := clientConfig("ann", pass(servertest.AdminPassword))
		change(c)
		conn, err := ssh.Dial("tcp", d.addr, c)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	old := map[string]func(*ssh.ClientConfig){"SHA-1 host key": func(c *ssh.ClientConfig) { c.HostKeyAlgorithms = []string{ssh.KeyAlgoRSA} }}
	for _, name := range append(insecure.KeyExchanges, ssh.KeyExchangeDH14SHA256, ssh.KeyExchangeDH16SHA512) {
		old[name] = func(c *ssh.ClientConfig) { c.KeyExchanges = []string{name} }
	}
	for _, name := range insecure.Ciphers {
		old[name] = func(c *ssh.ClientConfig) { c.Ciphers = []string{name} }
	}
	for _, name := range append(insecure.MACs, ssh.HMACSHA1) { //nolint:staticcheck // that it is old is the point
		old[name] = func(c *ssh.ClientConfig) { c.MACs, c.Ciphers = []string{name}, []string{ssh.CipherAES128CTR} }
	}
	for name, change := range old {
		if err := try(change); err == nil || !strings.Contains(err.Error(), "no common algorithm") {
			t.Errorf("%s: %v, want no common algorithm", name, err)
		}
	}
	for _, name := range []string{ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, ssh.KeyExchangeECDHP256} {
		if err := try(func(c *ssh.ClientConfig) { c.KeyExchanges = []string{name} }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512} {
		if err := try(func(c *ssh.ClientConfig) { c.HostKeyAlgorithms = []string{name} }); err != nil {
			t.Errorf("host key %s: %v", name, err)
		}
	}
	conn := d.connect(t, "ann", pass(servertest.AdminPassword))
	if got := string(conn.ServerVersion()); got != "SSH-2.0-Latchkey" {
		t.Errorf("the server calls itself %q", got)
	}
}

// Strict key exchange is offered (CVE-2023-48795).
func TestStrictKeyExchangeIsOffered(t *testing.T) {
	d := open(t)
	conn := d.raw(t)
	_, _ = io.WriteString(conn, "SSH-2.0-Probe\r\n")
	text, err := bufio.NewReaderSize(conn, 8<<10).Peek(700)
	if err != nil && len(text) == 0 {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("kex-strict-s-v00@openssh.com")) {
		t.Errorf("no kex-strict-s-v00@openssh.com in %q", text)
	}
}

// raw is a TCP connection that has signed in to nothing.
func (d *door) raw(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

//
func TestOnlyTheSubsystemIsServed(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	conn := d.connect(t, "ann", pass(servertest.AdminPassword))
	begin := time.Now()
	for name, payload := range map[string]any{
		"exec": struct{ Command string }{"id"}, "shell": struct {
			None []byte `ssh:"rest"`
		}{}, "env": struct{ Name, Value string }{"LANG", "C"},
		"subsystem": struct{ Name string }{"netconf"}, "auth-agent-req@openssh.com": struct {
			None []byte `ssh:"rest"`
		}{},
		"pty-req": struct {
			Term             string
			Cols, Rows, W, H uint32
			Modes            string
		}{"xterm", 80, 24, 0, 0, ""},
		"x11-req": struct {
			Single         bool
			Protocol, Data string
			Screen         uint32
		}{true, "MIT-MAGIC-COOKIE-1", "00", 0},
	} {
		channel, requests, err := conn.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(requests)
		done, err := channel.SendRequest(name, true, ssh.Marshal(payload))
		if done || err != nil {
			t.Errorf("%s: %v, %v, want it refused", name, done, err)
		}
		_ = channel.Close()
	}
	forward := ssh.Marshal(struct {
		Host       string
		Port       uint32
		Origin     string
		OriginPort uint32
	}{"127.0.0.1", 22, "127.0.0.1", 1})
	for _, kind := range []string{"direct-tcpip", "x11", "auth-agent@openssh.com", "forwarded-tcpip", "direct-streamlocal@openssh.com", "tun@openssh.com"} {
		if channel, _, err := conn.OpenChannel(kind, forward); err == nil {
			_ = channel.Close()
			t.Errorf("a channel of kind %s was opened", kind)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "hostkeys-prove-00@openssh.com", "no-more-sessions@openssh.com"} {
		if done, _, err := conn.SendRequest(kind, true, ssh.Marshal(struct {
			Host string
			Port uint32
		}{"", 0})); done || err != nil {
			t.Errorf("%s: %v, %v, want it refused", kind, done, err)
		}
	}
	if done, _, err := conn.SendRequest("keepalive@openssh.com", true, nil); !done || err != nil {
		t.Errorf("keepalive: %v, %v", done, err)
	}
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := sftp.NewClient(conn); err != nil {
		t.Errorf("the connection is of no use after all that: %v", err)
	}
}

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

func TestBannerIsText(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	if err := d.App.Settings.Save(t.Context(), map[string]string{setting.KeySFTPBanner: "Wilkommen\x1b[2J\u202e,\r\nwelcome\x07\n\n"}); err != nil {
		t.Fatal(err)
	}
	var got string
	c := clientConfig("ann", pass(servertest.AdminPassword))
	c.BannerCallback = func(text string) error {
		got = text
		return nil
	}
	conn, err := ssh.Dial("tcp", d.addr, c)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if want := "Wilkommen[2J,\r\nwelcome\r\n"; got != want {
		t.Errorf("banner %q, want %q", got, want)
	}
}

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
