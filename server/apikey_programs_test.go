package server_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
)

// runWithKeys starts the program on a folder in which the admin has keys, and
// returns the environment that the scripts below want.
func runWithKeys(t *testing.T) (*program, []string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	clock := servertest.NewClock()
	clock.Advance(time.Since(clock.Now()) - time.Hour) // the program's clock is the real one
	h := openKeyHouseOn(t, folder, clock)
	key := h.keyOf(t, "admin", access.MeRead)
	urlKey, _ := h.key(t, "admin", apikey.Wanted{Scopes: []string{"me.read"}, AllowQuery: true})
	expired, _ := h.key(t, "admin", apikey.Wanted{Scopes: []string{"me.read"}, ExpiresAt: clock.Now().Add(time.Minute)})
	if err := h.App.Close(); err != nil {
		t.Fatal(err)
	}
	p := run(t, build(t), folder)
	token, _, err := p.signIn(t.Context(), "admin", servertest.AdminPassword, "")
	if err != nil {
		t.Fatal(err)
	}
	return p, []string{"SERVER=" + p.url, "KEY=" + key, "URL_KEY=" + urlKey, "EXPIRED=" + expired, "TOKEN=" + token}
}

// python is a Python that has requests (Debian: python3-requests).
func python(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), path, "-c", "import requests").Run() == nil {
			return path
		}
	}
	lacking(t, "no python3 has requests (Debian: python3-requests)")
	return ""
}

// The ways in which Python programs present keys, of which some work nowhere
// else: all do here, and what is wrong is answered by a status and a hint.
func TestPythonPresentsKeys(t *testing.T) {
	path := python(t)
	p, environ := runWithKeys(t)
	cmd := exec.CommandContext(t.Context(), path, "testdata/apikey/ways.py")
	cmd.Env = append(append(os.Environ(), environ...), "NO_PROXY=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, p.err)
	}
	const want = `own header: admin
bearer: admin
query: admin
session: admin
session again: admin
session without a right: 403 Missing required permission: session.read
basic: admin
basic without a name: admin
query, not made for it: 401 This API key may not be sent in the URL
query, another name: 401 Invalid API key: send it in the header x-api-key, or in Authorization after Bearer
basic, the wrong way round: 401 Invalid API key: in Basic authentication the key is the password, not the user name
another scheme: 401 Invalid API key: in Authorization it stands alone or after Bearer, not after Token
a login's token: 401 Invalid API key: this is a login token, send it in Authorization
a login's token in the URL: 401 Invalid API key: this is a login token, send it in Authorization
a typing error: 401 Invalid API key
two keys: 400 More than one credential was sent
expired: 401 API key expired
`
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("Python (-want +got):\n%s", diff)
	}
}

// As Immich's documentation has it: curl with x-api-key. There the same key after
// Bearer is taken for a session.
func TestCurlPresentsKeys(t *testing.T) {
	path, err := exec.LookPath("curl")
	if err != nil {
		lacking(t, "curl is not installed")
	}
	p, environ := runWithKeys(t)
	value := map[string]string{}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		value[name] = text
	}
	for name, tt := range map[string]struct {
		args   []string
		exit   int // of curl --fail-with-body: 22 from status 400 on
		answer string
	}{
		"-H 'x-api-key: …'":          {[]string{"-H", "Accept: application/json", "-H", "x-api-key: " + value["KEY"]}, 0, "success"},
		"the same after Bearer":      {[]string{"-H", "Authorization: Bearer " + value["KEY"]}, 0, "success"},
		"-u me:…":                    {[]string{"-u", "me:" + value["KEY"]}, 0, "success"},
		"--oauth2-bearer":            {[]string{"--oauth2-bearer", value["KEY"]}, 0, "success"},
		"-G -d api_key=…":            {[]string{"-G", "-d", "api_key=" + value["URL_KEY"]}, 0, "success"},
		"-u …: as elsewhere":         {[]string{"-u", value["KEY"] + ":"}, 22, "Invalid API key: in Basic authentication the key is the password, not the user name"},
		"a login's token":            {[]string{"-H", "x-api-key: " + value["TOKEN"]}, 22, "Invalid API key: this is a login token, send it in Authorization"},
		"a wrong key":                {[]string{"-H", "x-api-key: lka_wrong"}, 22, "Invalid API key"},
		"a header without its value": {[]string{"-H", "x-api-key;"}, 0, "Guest user is disabled, login please"},
	} {
		args := append([]string{"--silent", "--fail-with-body", "--noproxy", "*", p.url + "/api/me"}, tt.args...)
		out, err := exec.CommandContext(t.Context(), path, args...).Output()
		exit := 0
		if failed, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it as it is
			exit = failed.ExitCode()
		}
		var body struct{ Message string }
		if json.Unmarshal(out, &body) != nil || exit != tt.exit || body.Message != tt.answer {
			t.Errorf("%s: exit %d, %s; want %d, %q", name, exit, out, tt.exit, tt.answer)
		}
	}
}
