package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/server/servertest"
)

// Programs that others wrote sign in against the real program, with a browser
// where they open a browser (contract "OAuth", real clients). A Go program is in
// apps_go_test.go.
func TestOtherPeoplesApps(t *testing.T) {
	path, folder := build(t), filepath.Join(t.TempDir(), "data")
	p := run(t, path, folder, "LATCHKEY_ADMIN_PASSWORD="+servertest.AdminPassword)
	for name, app := range map[string]struct {
		run   []string
		needs []string
		setUp func(t *testing.T, dir string)
	}{
		"openid-client": {run: []string{"node", "openid-client.mjs"}, needs: []string{"node", "npm"}, setUp: nodeModules},
		"MCP SDK":       {run: []string{"node", "mcp.mjs"}, needs: []string{"node", "npm"}, setUp: nodeModules},
		"Authlib":       {run: []string{"/usr/bin/python3", "authlib_app.py"}, setUp: authlib},
		"oidc-agent":    {run: []string{"bash", "oidc-agent.sh"}, needs: []string{"bash", "oidc-agent", "oidc-gen", "curl", "jq"}},
		"git":           {run: []string{"bash", "git.sh"}, needs: []string{"bash", "git", "git-credential-oauth", "curl", "jq"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, needed := range app.needs {
				tool(t, needed)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata/apps")); err != nil {
				t.Fatal(err)
			}
			if app.setUp != nil {
				app.setUp(t, dir)
			}
			port := freePort(t)
			environ := append(withoutSettings(), "ISSUER="+p.url, "USERNAME=admin", "RESOURCE=https://mcp.example/", "PORT="+port)
			environ = append(environ, appsOfOthers(t, path, folder)...)
			cmd := exec.CommandContext(t.Context(), app.run[0], app.run[1:]...)
			cmd.Dir, cmd.Env = dir, environ
			if err := converse(t.Context(), cmd, newTextBrowser("admin", servertest.AdminPassword)); err != nil {
				t.Error(err)
			}
		})
	}
}

// converse runs a program, visits every address that it asks to have opened, and
// fails unless it says PASS.
func converse(ctx context.Context, cmd *exec.Cmd, v *textBrowser) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	said, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { // it may have left children that hold its output open
		_ = cmd.Process.Kill()
		_ = said.Close()
	})
	defer stop()
	passed, heard := false, []string{}
	var trouble error
	for lines := bufio.NewScanner(said); lines.Scan(); {
		heard = append(heard, lines.Text())
		address, asked := strings.CutPrefix(lines.Text(), "OPEN ")
		if asked && trouble == nil {
			if _, trouble = v.visit(ctx, address); trouble != nil {
				_ = cmd.Process.Kill()
			}
		}
		passed = passed || lines.Text() == "PASS"
	}
	err = cmd.Wait()
	if trouble == nil && err == nil && passed {
		return nil
	}
	return fmt.Errorf("%s: %w, the browser: %w\n%s\n%s", cmd, err, trouble, strings.Join(heard, "\n"), complaints.String())
}

// appsOfOthers registers an app with a secret and one without.
func appsOfOthers(t *testing.T, path, folder string) []string {
	t.Helper()
	const scopes = "openid,profile,email,offline_access,me.read"
	secret := command(t, path, folder, "app", "add", "Web app", "--confidential", "--redirect", "http://127.0.0.1/callback", "--scope", scopes)
	public := command(t, path, folder, "app", "add", "Program", "--scope", scopes, "--redirect", "http://127.0.0.1/callback", "--redirect", "http://127.0.0.1")
	value := func(text, name string) string {
		found := regexp.MustCompile(`(?m)^` + name + `\s+(\S+)$`).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no %s in:\n%s", name, text)
		}
		return found[1]
	}
	return []string{
		"CLIENT_ID=" + value(secret, "client_id"), "CLIENT_SECRET=" + value(secret, "client_secret"),
		"PUBLIC_ID=" + value(public, "client_id"),
	}
}

// nodeModules installs what the folder's lock file names.
func nodeModules(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		lacking(t, "npm cannot install openid-client and the MCP SDK (%v): %s", err, out)
	}
}

func authlib(t *testing.T, _ string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import authlib, requests").Run(); err != nil {
		lacking(t, "python3-authlib is not installed (%v)", err)
	}
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
