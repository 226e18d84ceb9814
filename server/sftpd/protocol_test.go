package sftpd_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"latchkey/server/servertest"
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
	for _, name := range append(insecure.MACs, ssh.HMACSHA1) {
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
