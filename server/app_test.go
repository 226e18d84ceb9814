package server_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// served is a server that listens.
type served struct {
	*servertest.Server
	addr   string
	folder string
	stop   context.CancelFunc // what SIGTERM does
	done   chan error         // what Serve returned
}

// serve opens a server and lets it listen on any free port of loopback.
func serve(t *testing.T, folder string, before func(*server.App), changes ...func(*config.Config, *server.Options)) *served {
	t.Helper()
	place := func(c *config.Config, _ *server.Options) { c.Data, c.HTTP = folder, "127.0.0.1:0" }
	s := &served{folder: folder, done: make(chan error, 1)}
	s.Server = servertest.Open(t, append([]func(*config.Config, *server.Options){place}, changes...)...)
	if before != nil {
		before(s.App)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s.stop = stop
	ready := make(chan string, 1)
	go func() {
		defer close(s.done)
		s.done <- s.App.Serve(ctx, func(addr net.Addr) { ready <- addr.String() })
	}()
	t.Cleanup(func() {
		stop()
		if err, unread := <-s.done; unread && err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case s.addr = <-ready:
	case err := <-s.done:
		t.Fatalf("serve: %v", err)
	}
	return s
}

// end stops the server, waits and closes it.
func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := s.App.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// dial opens a connection whose reads and writes fail when the server has lost
// all patience.
func (s *served) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// eventually waits for what happens on its own.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !happened() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestTokensSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	first := serve(t, folder, nil)
	kept, dropped := first.Admin(t, "kept"), first.Admin(t, "dropped")
	evict := servertest.Request{
		Path: "/api/me/sessions/evict", Token: kept.Token, ClientID: "kept",
		Body: map[string]string{"session_id": dropped.DeviceKey},
	}
	if r := first.Do(t, evict); r.Code != http.StatusOK {
		t.Fatalf("evict: %s", r.Text)
	}
	first.end(t)

	second := serve(t, folder, nil)
	for clientID, want := range map[string]int{"kept": http.StatusOK, "dropped": http.StatusUnauthorized} {
		token := map[string]string{"kept": kept.Token, "dropped": dropped.Token}[clientID]
		if r := second.Do(t, servertest.Request{Path: "/api/me", Token: token, ClientID: clientID}); r.Code != want {
			t.Errorf("%s after a restart: %s", clientID, r.Text)
		}
	}
	second.end(t)
}

// A sign-in whose body is half sent when the stop signal comes is finished, and
// what it wrote is there (F-03): the database is still open then.
func TestStopFinishesRequestsUnderWay(t *testing.T) {
	folder := t.TempDir()
	clock := servertest.NewClock()
	atNoon := func(_ *config.Config, o *server.Options) { o.Now = clock.Now }
	s := serve(t, folder, nil, atNoon)
	old := s.Admin(t, "phone")

	body := fmt.Sprintf(`{"username":"admin","password":%q}`, servertest.AdminPassword)
	conn := s.dial(t)
	_, err := fmt.Fprintf(conn, "POST /api/auth/login HTTP/1.1\r\nHost: %s\r\nClient-Id: late\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", s.addr, len(body))
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") { // the handler reads now
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, body[:10])

	s.stop()
	eventually(t, "the door closes", func() bool {
		other, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			return true
		}
		_ = other.Close()
		return false
	})
	clock.Advance(2 * time.Minute) // so that the next request, under way like the other, is a touch
	if r := s.Do(t, servertest.Request{
		Path: "/api/me", Token: old.Token, ClientID: "phone", Header: map[string]string{"User-Agent": "last seen"},
	}); r.Code != http.StatusOK {
		t.Fatalf("me: %s", r.Text)
	}
	_, _ = io.WriteString(conn, body[10:])
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("the request under way was not answered: %v", err)
	}
	defer resp.Body.Close()
	var late struct{ Data servertest.SignedIn }
	if err := json.NewDecoder(resp.Body).Decode(&late); err != nil || late.Data.Token == "" {
		t.Fatalf("the request under way was answered %d: %v", resp.StatusCode, err)
	}
	s.end(t)

	again := serve(t, folder, nil, atNoon)
	r := again.Do(t, servertest.Request{Path: "/api/me/sessions", Token: late.Data.Token, ClientID: "late"})
	if r.Code != http.StatusOK {
		t.Errorf("the token that was issued last: %s", r.Text)
	}
	if !strings.Contains(r.Text, `"last seen"`) {
		t.Errorf("the last touch was not written: %s", r.Text)
	}
	again.end(t)
}

// A client that never finishes its request cannot keep the server from ending,
// nor make it end with an error.
func TestStopCutsOffWhatTakesTooLong(t *testing.T) {
	s := serve(t, t.TempDir(), nil, func(c *config.Config, _ *server.Options) { c.ShutdownTimeout = 10 * time.Millisecond })
	conn := s.dial(t)
	_, err := fmt.Fprintf(conn, "POST /api/auth/login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	s.end(t)
}

func TestNoGoroutineOutlivesTheServer(t *testing.T) {
	before := runtime.NumGoroutine()
	s := serve(t, t.TempDir(), nil)
	in := s.Admin(t, "phone")
	transport := &http.Transport{}
	client := http.Client{Transport: transport}
	for range 20 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/api/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", in.Token)
		req.Header.Set("Client-Id", "phone")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	transport.CloseIdleConnections()
	s.end(t)
	eventually(t, fmt.Sprintf("no more goroutines than the %d before", before), func() bool {
		return runtime.NumGoroutine() <= before
	})
}

// Clients that hold a connection without using it are cut (H-04). The test
// shortens the limits; the next one looks at what they are.
func TestSlowClientsAreCut(t *testing.T) {
	const header = "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
	for name, tt := range map[string]struct{ first, drip string }{
		"one that says nothing":                 {},
		"one that stops in the request line":    {first: "GET /pi"},
		"one that drips its header":             {first: "GET /ping HTTP/1.1\r\nHost: x\r\nX: ", drip: "x"},
		"one that stops before its body":        {first: header},
		"one that drips its body":               {first: header, drip: " "},
		"one that stays after its first answer": {first: "GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /ping"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, t.TempDir(), func(a *server.App) { a.Hurry(50*time.Millisecond, 100*time.Millisecond) })
			conn := s.dial(t)
			_, _ = io.WriteString(conn, tt.first)
			if tt.drip != "" {
				drip(t, conn, tt.drip)
			}
			_, err := io.Copy(io.Discard, conn)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still open")
			}
			s.end(t)
		})
	}
}

// drip goes on sending until the connection is closed.
func drip(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		slowly := time.NewTicker(5 * time.Millisecond)
		defer slowly.Stop()
		for range slowly.C {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}()
}

func TestLimitsAreNoLooserThanRequired(t *testing.T) {
	l := server.DefaultLimits()
	if l.Header > 15*time.Second || l.Read > 30*time.Second || l.Idle > 120*time.Second || l.HeaderBytes > 128<<10 {
		t.Errorf("too loose: %+v", l)
	}
	if l.Header <= 0 || l.Read <= 0 || l.Idle <= 0 || l.HeaderBytes <= 0 {
		t.Errorf("one is missing: %+v", l)
	}
}

func TestHeadersHaveALargestSize(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	for size, want := range map[int]int{60 << 10: http.StatusOK, 80 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		conn := s.dial(t)
		go func() { // the server may answer before it has read everything
			_, _ = fmt.Fprintf(conn, "GET /ping HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", size))
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("a header of %d bytes is answered %s", size, resp.Status)
		}
	}
	s.end(t)
}

func TestServesHTTPS(t *testing.T) {
	cert, key, pool := certificate(t)
	s := serve(t, t.TempDir(), func(a *server.App) { a.Hurry(2*time.Second, 2*time.Second) },
		func(c *config.Config, _ *server.Options) { c.TLSCert, c.TLSKey = cert, key })
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.addr+"/ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "pong" {
		t.Errorf("GET /ping = %q, %v", text, err)
	}
	old := tls.Client(s.dial(t), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := old.HandshakeContext(t.Context()); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	// One that never begins the handshake is cut as well.
	if _, err := io.Copy(io.Discard, s.dial(t)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a silent connection stays open")
	}
	s.end(t)
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certFile, keyFile = write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
	pool = x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return certFile, keyFile, pool
}
