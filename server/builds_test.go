package server_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"latchkey/server/servertest"
)

// What one build writes, the other reads: an operator may move from a binary
// with cgo to a static one and back.
func TestBothBuildsShareADataFolder(t *testing.T) {
	static := build(t, "CGO_ENABLED=0")
	native := static
	if hasCgo(t) {
		native = build(t, "CGO_ENABLED=1")
	} else {
		t.Log("no cgo here: the same build is started twice")
	}
	folder := t.TempDir()
	p := run(t, native, folder, "LATCHKEY_ADMIN_PASSWORD="+servertest.AdminPassword)
	kept, _ := signInTo(t, p, "kept")
	dropped, device := signInTo(t, p, "dropped")
	halt(t, p)

	p = run(t, static, folder)
	wantMe(t, p, kept, "kept", http.StatusOK)
	wantMe(t, p, dropped, "dropped", http.StatusOK)
	a, err := p.call(t.Context(), call{
		method: http.MethodPost, path: "/api/me/sessions/evict", token: kept, clientID: "kept", body: fmt.Sprintf(`{"session_id":%q}`, device),
	})
	if err != nil || a.Code != http.StatusOK {
		t.Fatalf("evict: %v %s", err, a.Text)
	}
	made, _ := signInTo(t, p, "made")
	halt(t, p)

	p = run(t, native, folder)
	wantMe(t, p, kept, "kept", http.StatusOK)
	wantMe(t, p, made, "made", http.StatusOK)
	wantMe(t, p, dropped, "dropped", http.StatusUnauthorized)
	halt(t, p)
}

func signInTo(t *testing.T, p *program, clientID string) (token, device string) {
	t.Helper()
	token, device, err := p.signIn(t.Context(), "admin", servertest.AdminPassword, clientID)
	if err != nil {
		t.Fatal(err)
	}
	return token, device
}

func wantMe(t *testing.T, p *program, token, clientID string, want int) {
	t.Helper()
	a, err := p.call(t.Context(), call{method: http.MethodGet, path: "/api/me", token: token, clientID: clientID})
	if err != nil || a.Code != want {
		t.Errorf("%s: %v %s, want code %d", clientID, err, a.Text, want)
	}
}

func halt(t *testing.T, p *program) {
	t.Helper()
	if err := p.stop(); err != nil {
		t.Fatalf("stop: %v\n%s", err, p.err)
	}
}

// hasCgo reports whether there is a C compiler that Go would use.
func hasCgo(t *testing.T) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return false
	}
	_, err = exec.LookPath(words[0])
	return err == nil
}
