package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// A certificate that was renewed is served within a minute, and one that does
// not work never is.
func TestRenewedCertificateIsServed(t *testing.T) {
	cert, key, first := certificate(t)
	newCert, newKey, second := certificate(t)
	clock, log := servertest.NewClock(), &lines{}
	s := serve(t, t.TempDir(), nil, func(c *config.Config, o *server.Options) {
		c.TLSCert, c.TLSKey = cert, key
		o.Now, o.Log = clock.Now, slog.New(slog.NewTextHandler(log, nil))
	})
	trusted := func(pool *x509.CertPool) bool {
		t.Helper()
		conn := tls.Client(s.dial(t), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
		return conn.HandshakeContext(t.Context()) == nil
	}
	put := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, append(text, '\n'), 0o600) // another size, whatever the clock of the file system
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !trusted(first) {
		t.Fatal("the first certificate is not served")
	}
	put(newCert, cert) // its key is yet to come
	clock.Advance(time.Minute)
	if !trusted(first) || !strings.Contains(log.String(), "TLS certificate not renewed") {
		t.Errorf("half a pair is served, or not logged:\n%s", log.String())
	}
	put(newKey, key)
	if trusted(second) {
		t.Error("the files are looked at all the time")
	}
	clock.Advance(time.Minute)
	if !trusted(second) || trusted(first) || !strings.Contains(log.String(), "TLS certificate renewed") {
		t.Errorf("the new pair is not served:\n%s", log.String())
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	if !trusted(second) {
		t.Error("without files nothing is served")
	}
	s.end(t)
}

// lines is what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
