package sftpd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// person is somebody with OpenSSH's programs.
type person struct {
	*door

	folder string // with id and known_hosts
	name   string
	env    []string
}

// require skips the test without the program, or ends it if
// LATCHKEY_TEST_REQUIRE=1 wants it.
func require(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		_, err := exec.LookPath(name)
		switch {
		case err == nil:
		case os.Getenv("LATCHKEY_TEST_REQUIRE") == "1":
			t.Fatalf("%s is not installed, and LATCHKEY_TEST_REQUIRE=1 wants it", name)
		default:
			t.Skipf("%s is not installed (Debian: openssh-client)", name)
		}
	}
}

// heavy is whether long tests are wanted.
func heavy() bool { return os.Getenv("LATCHKEY_TEST_HEAVY") == "1" }

// openSSH is a member with OpenSSH's programs, a registered key, and the door's
// host key in known_hosts.
func openSSH(t testing.TB) *person {
	t.Helper()
	require(t, "sftp", "ssh")
	p := &person{door: open(t), folder: t.TempDir(), name: "ann"}
	p.member(t, p.name)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "ann")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := p.App.HostKeys()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(p.addr)
	known := fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(keys[0].Signer.PublicKey()))
	for name, text := range map[string][]byte{"id": pem.EncodeToMemory(block), "known_hosts": []byte(known)} {
		if err := os.WriteFile(filepath.Join(p.folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.addKey(t, p.name, "laptop", signer)
	return p
}

// command is a program of OpenSSH's that asks nobody and knows nobody else.
func (p *person) command(t testing.TB, program string, options ...string) *exec.Cmd {
	t.Helper()
	host, port, _ := net.SplitHostPort(p.addr)
	args := []string{
		"-F", "none", "-o", "UserKnownHostsFile=" + filepath.Join(p.folder, "known_hosts"), "-o", "GlobalKnownHostsFile=none",
		"-o", "StrictHostKeyChecking=yes", "-o", "IdentityAgent=none", "-o", "Port=" + port, "-o", "User=" + p.name,
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, append(append(args, options...), host)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.folder}, p.env...)
	cmd.Dir = p.folder
	return cmd
}

// sftp runs a batch with the key.
func (p *person) sftp(t testing.TB, batch string) (string, error) {
	t.Helper()
	return p.batch(t, batch, "-i", filepath.Join(p.folder, "id"), "-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey")
}

func (p *person) batch(t testing.TB, batch string, options ...string) (string, error) {
	t.Helper()
	cmd := p.command(t, "sftp", append(options, "-b", "-")...)
	cmd.Stdin = strings.NewReader(batch)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// random is a file of so many random bytes, and its hash.
func random(t testing.TB, path string, size int64) [sha256.Size]byte {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.Reader, size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

func hashOf(t testing.TB, path string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

func TestOpenSSHMovesFiles(t *testing.T) {
	p := openSSH(t)
	size := int64(10 << 20)
	if heavy() {
		size = 1 << 30
	}
	local := func(name string) string { return filepath.Join(p.folder, name) }
	stored := func(name string) string { return filepath.Join(p.root, "ann", name) }
	sum := random(t, local("big"), size)
	begin := time.Now()
	out, err := p.sftp(t, "mkdir dir\nput -p big dir/up\nrename dir/up dir/moved\nget -p dir/moved back\nls -l dir\ndf\n")
	if err != nil {
		t.Fatalf("sftp: %v\n%s", err, out)
	}
	t.Logf("%d MiB up and down in %v", size>>20, time.Since(begin))
	if hashOf(t, stored("dir/moved")) != sum || hashOf(t, local("back")) != sum {
		t.Error("the file is not what it was")
	}
	// Resuming takes up where the halves end.
	if err := os.Truncate(local("back"), size/2); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(stored("dir/moved"), size/3); err != nil {
		t.Fatal(err)
	}
	if out, err := p.sftp(t, "reput big dir/moved\nreget dir/moved back\n"); err != nil {
		t.Fatalf("resume: %v\n%s", err, out)
	}
	if hashOf(t, stored("dir/moved")) != sum || hashOf(t, local("back")) != sum {
		t.Error("the resumed file is not what it was")
	}
	for _, batch := range []string{"get ../../latchkey.db x\n", "get /etc/passwd x\n", "ln -s /etc link\n"} {
		if out, err := p.sftp(t, batch); err == nil {
			t.Errorf("%s: %s", batch, out)
		}
	}
	if out, err := p.sftp(t, "rm dir/moved\nrmdir dir\n"); err != nil {
		t.Errorf("remove: %v\n%s", err, out)
	}
}

func TestOpenSSHGetsNoShell(t *testing.T) {
	p := openSSH(t)
	for what, options := range map[string][]string{
		"a shell": {}, "a tunnel": {"-W", "127.0.0.1:22"}, "a forwarded port": {"-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:22"},
	} {
		cmd := p.command(t, "ssh", append([]string{"-i", filepath.Join(p.folder, "id"), "-o", "BatchMode=yes"}, options...)...)
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("%s: %s", what, out)
		}
	}
}

// Password and code, asked for by OpenSSH's own means.
func TestOpenSSHAsksForPasswordAndCode(t *testing.T) {
	p := openSSH(t)
	token := p.SignIn(t, p.name, servertest.AdminPassword, "web").Token
	var made struct{ Secret string }
	p.ok(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(t, &made)
	ask := filepath.Join(p.folder, "ask")
	questions := []string{"-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"}
	p.env = []string{"SSH_ASKPASS=" + ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none"}
	tell := func(password, code string) {
		t.Helper()
		script := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in *assword:*) echo '%s';; *code:*) echo '%s';; *) exit 1;; esac\n", password, code)
		if err := os.WriteFile(ask, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	connect := func() (string, error) {
		cmd := p.command(t, "sftp", append(questions, "-o", "BatchMode=no", "-b", "-")...)
		// -b turns questions off unless the option comes before it.
		cmd.Stdin = strings.NewReader("ls\n")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	tell(servertest.AdminPassword, "")
	if out, err := connect(); err != nil {
		t.Errorf("the password: %v\n%s", err, out)
	}
	tell("wrong horse battery", "")
	if out, err := connect(); err == nil {
		t.Errorf("a wrong password: %s", out)
	}
	p.ok(t, servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: map[string]string{
		"code": totptest.Code(made.Secret, p.clock.Now()), "secret": made.Secret,
	}})
	p.clock.Advance(time.Minute)
	tell(servertest.AdminPassword, "000000")
	if out, err := connect(); err == nil {
		t.Errorf("a wrong code: %s", out)
	}
	tell(servertest.AdminPassword, totptest.Code(made.Secret, p.clock.Now()))
	if out, err := connect(); err != nil {
		t.Errorf("password and code: %v\n%s", err, out)
	}
	if out, err := p.sftp(t, "ls\n"); err != nil {
		t.Errorf("the key: %v\n%s", err, out)
	}
}

func TestEvictingStopsOpenSSHInTheMiddle(t *testing.T) {
	p := openSSH(t)
	random(t, filepath.Join(p.folder, "big"), 8<<20)
	token := p.SignIn(t, p.name, servertest.AdminPassword, "web").Token
	cmd := p.command(t, "sftp", "-i", filepath.Join(p.folder, "id"), "-o", "IdentitiesOnly=yes", "-l", "8000", "-b", "-") // 1 MB/s
	cmd.Stdin = strings.NewReader("put big up\n")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Transfers []struct{ Bytes int64 }
	}
	for begin := time.Now(); len(rows) == 0 || len(rows[0].Transfers) == 0 || rows[0].Transfers[0].Bytes == 0; {
		if time.Since(begin) > patience {
			t.Fatalf("no upload begins: %s", out.String())
		}
		p.ok(t, servertest.Request{Path: "/api/me/connections", Token: token}).Into(t, &rows)
	}
	device := p.sftpDevice(t, token)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	begin := time.Now()
	p.ok(t, servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: map[string]string{"session_id": device}})
	answered := time.Since(begin)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the upload finished")
		}
	case <-time.After(patience):
		t.Fatal("sftp goes on")
	}
	t.Logf("evicting was answered after %v, and sftp ended after %v in all", answered, time.Since(begin))
	if out, err := p.sftp(t, "ls\n"); err == nil {
		t.Errorf("the key signs in again: %s", out)
	}
}
