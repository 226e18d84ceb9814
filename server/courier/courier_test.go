package courier_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/server/courier"
	"latchkey/server/servertest"
	"latchkey/service/outbox"
)

// certificate is one for 127.0.0.1, and who trusts it.
func certificate(t testing.TB, host string) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func config(m *servertest.MailServer) courier.MailConfig {
	return courier.MailConfig{Host: m.Host, Port: m.Port, From: "latchkey@example.org", TLS: courier.None, Hello: "login.example.org"}
}

func hello() outbox.Mail {
	return outbox.Mail{To: "ann@example.org", Subject: "Hello", Text: "A line.\n.\n.. and dots, ümläuts and a " + strings.Repeat("long ", 300) + "line.\n"}
}

func TestMailGoesByStartTLSWithAPassword(t *testing.T) {
	cert, roots := certificate(t, "127.0.0.1")
	m := servertest.NewMailServer(t, cert)
	cfg := config(m)
	cfg.TLS, cfg.Roots, cfg.User, cfg.Password = courier.StartTLS, roots, "user", "pass word"
	if err := courier.NewMailer(cfg, time.Now).Send(t.Context(), "0123", hello()); err != nil {
		t.Fatal(err)
	}
	got := m.Letters()[0]
	if !got.Secure || got.Auth != "user\x00pass word" || got.Text != hello().Text {
		t.Errorf("taken: secure %t, auth %q, text %q", got.Secure, got.Auth, got.Text)
	}
	if id := got.Header.Get("Message-Id"); id != "<0123@example.org>" {
		t.Errorf("Message-ID %q", id)
	}
}

func TestWhatGoesWrongIsSaidInWords(t *testing.T) {
	cert, _ := certificate(t, "127.0.0.1")
	otherCert, otherRoots := certificate(t, "mail.example.org")
	plain, secure, other := servertest.NewMailServer(t, nil), servertest.NewMailServer(t, cert), servertest.NewMailServer(t, otherCert)
	refusing := func(command, line string) *servertest.MailServer {
		m := servertest.NewMailServer(t, nil)
		m.Refuse(command, line)
		return m
	}
	for name, tt := range map[string]struct {
		server *servertest.MailServer
		change func(*courier.MailConfig)
		want   string
	}{
		"no STARTTLS":         {plain, func(c *courier.MailConfig) { c.TLS = courier.StartTLS }, "offers no STARTTLS: try --smtp-tls tls with port 465"},
		"no TLS":              {plain, func(c *courier.MailConfig) { c.TLS = courier.TLS }, "does not begin with TLS: try --smtp-tls starttls with port 587"},
		"an unknown issuer":   {secure, func(c *courier.MailConfig) { c.TLS = courier.StartTLS }, "is not trusted by this machine"},
		"another name":        {other, func(c *courier.MailConfig) { c.TLS, c.Roots = courier.StartTLS, otherRoots }, "is for another name than 127.0.0.1"},
		"nobody there":        {plain, func(c *courier.MailConfig) { c.Port = 1 }, "127.0.0.1:1 cannot be reached"},
		"a wrong password":    {refusing("AUTH", "535 5.7.8 no"), func(c *courier.MailConfig) { c.User, c.Password = "user", "wrong" }, "does not accept the user name and password"},
		"a refused sender":    {refusing("MAIL", "550 not you"), nil, "does not take mail from that address (--smtp-from), or wants a user name (550)"},
		"a refused recipient": {refusing("RCPT", "550 who?"), nil, "does not take mail to that address (550)"},
		"a refused message":   {refusing("DATA", "554 spam: A line"), nil, "refused the message (554)"},
		"no mail server":      {refusing("EHLO", "421 busy"), nil, "broke off, or does not speak SMTP"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(tt.server)
			if tt.change != nil {
				tt.change(&cfg)
			}
			tt.server.Refuse("HELO", "500 what?")
			err := courier.NewMailer(cfg, time.Now).Send(t.Context(), "0123", hello())
			failed, ok := errors.AsType[*courier.MailError](err)
			if !ok || !strings.HasSuffix(failed.Words, tt.want) || failed.Said() == "" {
				t.Fatalf("Send = %v (%T), want …%s", err, err, tt.want)
			}
			if strings.Contains(err.Error(), "A line") || strings.Contains(err.Error(), "wrong") {
				t.Errorf("the words hold what was sent: %v", err)
			}
		})
	}
}

// A server that says nothing holds nobody up for longer than the context.
func TestASilentMailServerIsLeft(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr, _ := listener.Addr().(*net.TCPAddr)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
		}
		cancel()
		<-t.Context().Done()
	}()
	cfg := courier.MailConfig{Host: "127.0.0.1", Port: addr.Port, From: "latchkey@example.org", TLS: courier.None}
	if err := courier.NewMailer(cfg, time.Now).Send(ctx, "0123", hello()); err == nil {
		t.Error("it took the message")
	}
}

func TestWebhooksAreTakenOrNot(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		want   string
	}{
		"taken":          {http.StatusOK, ""},
		"taken silently": {http.StatusNoContent, ""},
		"a redirect":     {http.StatusFound, "the webhook answered 302"},
		"a refusal":      {http.StatusForbidden, "the webhook answered 403"},
		"a failure":      {http.StatusInternalServerError, "the webhook answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s %s", r.Method, r.Header.Get("Content-Type"))
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
			}))
			defer receiver.Close()
			body, _ := json.Marshal(map[string]string{"id": "1"})
			err := courier.NewWebhook(receiver.URL+"/key", "secret", time.Now).Carry(t.Context(), "1", body)
			if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
				t.Errorf("Carry = %v, want %q", err, tt.want)
			}
			if calls != 1 {
				t.Errorf("%d calls", calls)
			}
		})
	}
	err := courier.NewWebhook("http://127.0.0.1:1/very-secret", "secret", time.Now).Carry(t.Context(), "1", nil)
	if err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("nobody there: %v", err)
	}
}
