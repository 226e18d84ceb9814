package servertest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
)

// Letter is a message as a mail server took it.
type Letter struct {
	From, To string // of the envelope
	Header   mail.Header
	Subject  string // decoded
	Text     string // decoded
	Raw      string
	Secure   bool   // it came over TLS
	Auth     string // what the client signed in with: user NUL password
}

// MailServer is a small mail server on this machine. It speaks EHLO, STARTTLS,
// AUTH PLAIN and DATA.
type MailServer struct {
	Host string
	Port int

	mu      sync.Mutex
	letters []Letter
	refuse  map[string]string // by command: what it answers instead
	cert    *tls.Certificate  // nil: no STARTTLS
	at      net.Listener
}

// NewMailServer starts a mail server that ends with the test. With a
// certificate it offers STARTTLS.
func NewMailServer(t testing.TB, cert *tls.Certificate) *MailServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, _ := listener.Addr().(*net.TCPAddr)
	m := &MailServer{Host: "127.0.0.1", Port: addr.Port, cert: cert, at: listener, refuse: map[string]string{}}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { m.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return m
}

// Refuse has the server answer a command, such as RCPT, with a line of its own;
// an empty one lets it through again.
func (m *MailServer) Refuse(command, line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse[command] = line
}

// Letters are the messages so far.
func (m *MailServer) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Letter(nil), m.letters...)
}

// Use has a server of ours send its mail here.
func (m *MailServer) Use(c *config.Config, _ *server.Options) {
	c.SMTPHost, c.SMTPPort, c.SMTPTLS, c.SMTPFrom = m.Host, m.Port, "none", "latchkey@example.org"
	c.SiteURL = "https://login.example.org"
}

// dialogue is one connection.
type dialogue struct {
	conn   net.Conn
	in     *bufio.Reader
	letter Letter
}

func (d *dialogue) say(line string) { _, _ = fmt.Fprint(d.conn, line+"\r\n") }

func (m *MailServer) talk(conn net.Conn) {
	d := &dialogue{conn: conn, in: bufio.NewReader(conn)}
	defer func() { _ = d.conn.Close() }()
	d.say("220 here")
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		command, rest, _ := strings.Cut(line, " ")
		m.mu.Lock()
		refusal := m.refuse[command]
		m.mu.Unlock()
		if refusal != "" {
			d.say(refusal)
			continue
		}
		if !m.obey(d, command, rest) {
			return
		}
	}
}

// obey does one command and reports whether the dialogue goes on.
func (m *MailServer) obey(d *dialogue, command, rest string) bool {
	switch command {
	case "EHLO":
		d.say("250-here")
		if m.cert != nil && !d.letter.Secure {
			d.say("250-STARTTLS")
		}
		d.say("250 AUTH PLAIN")
	case "STARTTLS":
		d.say("220 go")
		d.conn = tls.Server(d.conn, &tls.Config{Certificates: []tls.Certificate{*m.cert}, MinVersion: tls.VersionTLS12})
		d.in, d.letter = bufio.NewReader(d.conn), Letter{Secure: true}
	case "AUTH":
		text, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
		d.letter.Auth = strings.TrimPrefix(string(text), "\x00")
		d.say("235 welcome")
	case "MAIL":
		d.letter.From = between(rest)
		d.say("250 fine")
	case "RCPT":
		d.letter.To = between(rest)
		d.say("250 fine")
	case "DATA":
		d.say("354 go on")
		if !m.take(d) {
			return false
		}
		d.say("250 taken")
	case "QUIT":
		d.say("221 bye")
		return false
	default:
		d.say("250 fine")
	}
	return true
}

func between(path string) string {
	_, path, _ = strings.Cut(path, "<")
	path, _, _ = strings.Cut(path, ">")
	return path
}

func (m *MailServer) take(d *dialogue) bool {
	var raw strings.Builder
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		raw.WriteString(strings.TrimPrefix(line, "."))
	}
	d.letter.Raw = raw.String()
	if read, err := mail.ReadMessage(strings.NewReader(d.letter.Raw)); err == nil {
		d.letter.Header = read.Header
		d.letter.Subject, _ = new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
		text, _ := io.ReadAll(quotedprintable.NewReader(read.Body))
		d.letter.Text = string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, d.letter)
	return true
}

// Mailed has the server deliver what is due, and returns the messages that the
// mail server took since the count.
func (s *Server) Mailed(t testing.TB, m *MailServer, since int) []Letter {
	t.Helper()
	if err := s.App.Outbox.Deliver(t.Context()); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	return m.Letters()[since:]
}

// Token is the token of the one link in a message, with that path before it.
func (l Letter) Token(t testing.TB, path string) string {
	t.Helper()
	_, rest, found := strings.Cut(l.Text, path+"?token=")
	token, _, _ := strings.Cut(rest, "\n")
	if !found || len(token) != 64 {
		t.Fatalf("no link to %s in:\n%s", path, l.Text)
	}
	return token
}
