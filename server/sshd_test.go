package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sshd is Debian's OpenSSH server, asking the program for keys.
type sshd struct {
	port   string
	user   string
	folder string // of keys and files
	log    *transcript
}

// tool is where an OpenSSH program is.
func tool(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", ""} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	lacking(t, "%s is not installed", name)
	return ""
}

// runSSHD starts sshd with a program as its AuthorizedKeysCommand. sshd wants
// the program in folders that only root or its user can write to.
func runSSHD(t *testing.T, program, data, revoked string) *sshd {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &sshd{user: me.Username, folder: t.TempDir(), log: newTranscript()}
	if me.Uid == "0" {
		_ = os.Mkdir("/run/sshd", 0o755) // where root's sshd goes without rights
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	hostKey := s.key(t, "host")
	conf := filepath.Join(s.folder, "sshd_config")
	text := fmt.Sprintf(`Port %s
ListenAddress 127.0.0.1
HostKey %s
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile none
AuthorizedKeysCommand %s authorized-keys --data %s %%u %%f
AuthorizedKeysCommandUser %s
RevokedKeys %s
Subsystem sftp internal-sftp
`, s.port, hostKey, program, data, s.user, revoked)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool(t, "sshd"), "-D", "-e", "-f", conf)
	cmd.Stderr, cmd.WaitDelay = s.log, patience
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s", s.log)
		}
	})
	s.await(t)
	return s
}

// await returns when sshd greets.
func (s *sshd) await(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			_, err = io.ReadFull(conn, make([]byte, 4))
			if _ = conn.Close(); err == nil {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("sshd does not answer:\n%s", s.log)
		}
		time.Sleep(10 * time.Millisecond) // a poll of another process, bounded by the deadline
	}
}

// key makes a key pair and returns the private one's file.
func (s *sshd) key(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(s.folder, name)
	if out, err := exec.CommandContext(t.Context(), tool(t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return file
}

func publicOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// shell runs a command over ssh and returns what it printed.
func (s *sshd) shell(t *testing.T, key, command string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), tool(t, "ssh"), "-p", s.port, "-i", key, "-F", "none", "-o", "IdentitiesOnly=yes",
		"-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", s.user+"@127.0.0.1", command).CombinedOutput()
	return string(out), err
}

func TestSSHDAsksForAuthorizedKeys(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		lacking(t, "no folder that sshd trusts: %v", err)
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		lacking(t, "no folder that sshd trusts: %v", err)
	}
	safe, err := os.MkdirTemp(cache, "latchkey-test-*") //nolint:usetesting // sshd does not trust what lies below the folder for temporary files
	if err != nil {
		lacking(t, "no folder that sshd trusts: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(safe) })
	program, data, revoked := filepath.Join(safe, "latchkey"), t.TempDir(), filepath.Join(safe, "revoked")
	copyFile(t, build(t), program)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, program, data, "LATCHKEY_ADMIN_PASSWORD=a good long password")
	admin, _, err := p.signIn(t.Context(), "admin", "a good long password", "desk")
	if err != nil {
		t.Fatal(err)
	}
	p.must(t, admin, "/api/admin/user/create", map[string]any{"username": me.Username, "password": "another good password", "role": []int{3}})
	token, _, err := p.signIn(t.Context(), me.Username, "another good password", "desk")
	if err != nil {
		t.Fatal(err)
	}
	command(t, program, data, "revoked-keys", revoked)
	s := runSSHD(t, program, data, revoked)

	right, wrong, limited, elsewhere := s.key(t, "right"), s.key(t, "wrong"), s.key(t, "limited"), s.key(t, "elsewhere")
	p.must(t, token, "/api/me/sshkey/add", map[string]any{"title": "right", "key": publicOf(t, right)})
	p.must(t, token, "/api/me/sshkey/add", map[string]any{"title": "limited", "key": publicOf(t, limited), "read_only": true})
	p.must(t, token, "/api/me/sshkey/add", map[string]any{
		"title": "elsewhere", "key": publicOf(t, elsewhere), "allowed_ips": []string{"192.0.2.0/24"},
	})
	if out, err := s.shell(t, right, "echo in"); err != nil || out != "in\n" {
		t.Errorf("the right key: %q, %v", out, err)
	}
	for name, key := range map[string]string{"a key nobody has": wrong, "a key for other addresses": elsewhere} {
		if out, err := s.shell(t, key, "echo in"); err == nil {
			t.Errorf("%s got in: %q", name, out)
		}
	}
	if out, err := s.shell(t, limited, "echo in"); strings.Contains(out, "in\n") {
		t.Errorf("a key for reading files ran a command: %q, %v", out, err)
	}
	if got := s.sftp(t, limited, "put "+filepath.Join(s.folder, "sshd_config")+" "+filepath.Join(s.folder, "written")); got == nil {
		t.Error("a key for reading wrote a file")
	}
	if got := s.sftp(t, limited, "get "+filepath.Join(s.folder, "sshd_config")+" "+filepath.Join(s.folder, "read")); got != nil {
		t.Errorf("a key for reading could not read: %v", got)
	}
	p.must(t, token, "/api/me/sshkey/delete", map[string]any{"id": 1})
	if out, err := s.shell(t, right, "echo in"); err == nil {
		t.Errorf("a deleted key got in: %q", out)
	}
	command(t, program, data, "revoked-keys", revoked)
	if out, err := exec.CommandContext(t.Context(), tool(t, "ssh-keygen"), "-Q", "-f", revoked, right+".pub").CombinedOutput(); err == nil {
		t.Errorf("the deleted key is not revoked: %s", out)
	}
	p.must(t, admin, "/api/admin/user/update", map[string]any{"id": 3, "username": me.Username, "disabled": true})
	if out, err := s.sftpSays(t, limited, "ls"); err == nil {
		t.Errorf("a disabled account got in: %q", out)
	}
}

func (s *sshd) sftp(t *testing.T, key, line string) error {
	t.Helper()
	_, err := s.sftpSays(t, key, line)
	return err
}

// sftpSays runs one command of sftp.
func (s *sshd) sftpSays(t *testing.T, key, line string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "sftp"), "-P", s.port, "-i", key, "-F", "none", "-o", "IdentitiesOnly=yes",
		"-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-b", "-", s.user+"@127.0.0.1")
	cmd.Stdin = strings.NewReader(line + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is a call that succeeds.
func (p *program) must(t *testing.T, token, path string, body any) {
	t.Helper()
	got, err := p.call(t.Context(), call{method: "POST", path: path, token: token, body: asJSON(t, body)})
	if err != nil || got.Code != 200 {
		t.Fatalf("%s answers %d %s, %v", path, got.Status, got.Text, err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// copyFile copies a program.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
