package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// filter is the fail2ban filter of docs/operations.md.
func filter(t *testing.T) (text, failregex string) {
	t.Helper()
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```ini\n[Definition]\n")
	text, _, found := strings.Cut(rest, "```")
	line := regexp.MustCompile(`(?m)^failregex = (.+)$`).FindStringSubmatch(text)
	if !found || line == nil {
		t.Fatal("docs/operations.md has no filter")
	}
	return "[Definition]\n" + text, line[1]
}

// The documented filter finds guessers, and nobody else.
func TestFail2banFindsGuessers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	f := besiege(t, func(c *config.Config, _ *server.Options) { c.AuditLog = file })
	f.AddUser(t, "ann")
	f.enrol(t, f.SignIn(t, "ann", servertest.AdminPassword, "phone").Token)
	try := func(name, password, code, from string) {
		f.unchecked(t, servertest.Request{Path: "/api/auth/login", From: from, Body: object{"username": name, "password": password, "otp_code": code}})
	}
	const forged = `x","event":"sign_in_refused","address":"203.0.113.99","reason":"credentials_wrong"`
	try("ann", "wrong horse battery", "", "198.51.100.1")
	try("nobody", "wrong horse battery", "", "2001:db8::7")
	try("ann", servertest.AdminPassword, "000000", "198.51.100.2")
	try("ann", servertest.AdminPassword, "", "198.51.100.3") // no failure: the client asks for the code now
	try("admin", servertest.AdminPassword, "", "198.51.100.4")
	f.AddUser(t, "eve")
	f.alter(t, "UPDATE accounts SET username = '"+forged+"' WHERE username = 'eve'") // an imported name can be anything
	try(forged, servertest.AdminPassword, "", "198.51.100.6")
	want := []string{"198.51.100.1", "2001:db8::7", "198.51.100.2"}

	// What fail2ban does: it takes the time out of the line and looks for an
	// address where the filter has <ADDR>.
	text, failregex := filter(t)
	pattern := regexp.MustCompile(strings.Replace(failregex, "<ADDR>", `([0-9A-Fa-f:.]+)`, 1))
	lines, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin := regexp.MustCompile(`^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z",`)
	var found []string
	for line := range strings.Lines(string(lines)) {
		if !begin.MatchString(line) {
			t.Errorf("the line does not begin with a time: %s", line)
		}
		if match := pattern.FindStringSubmatch(begin.ReplaceAllString(line, "")); match != nil {
			found = append(found, match[1])
		}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}

	program, err := exec.LookPath("fail2ban-regex")
	if err != nil {
		t.Log("fail2ban-regex is not installed: its answer was worked out by a regular expression only")
		return
	}
	path := filepath.Join(t.TempDir(), "latchkey.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "-v", file, path).CombinedOutput()
	if err != nil {
		t.Fatalf("fail2ban-regex: %v\n%s", err, out)
	}
	found = nil
	for _, match := range regexp.MustCompile(`(?m)^\|\s+([0-9A-Fa-f:.]+)  \w{3} \w{3} `).FindAllStringSubmatch(string(out), -1) {
		found = append(found, match[1])
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("addresses of fail2ban (-want +got):\n%s\n%s", diff, out)
	}
}
