package sftpd_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/racetest"
)

func needHeavy(t testing.TB) {
	t.Helper()
	if !heavy() {
		t.Skip("LATCHKEY_TEST_HEAVY=1 runs it")
	}
}

// What a connection that does nothing costs; the clients are another process.
func TestMemoryOfIdleConnections(t *testing.T) {
	needHeavy(t)
	const many = 2000
	if os.Getenv(crowdAddress) != "" {
		crowd(t, many)
		return
	}
	d := open(t, func(c *config.Config, _ *server.Options) { c.SFTPMax, c.SFTPMaxAccount = many+1, many+1 })
	d.member(t, "ann")
	d.files(t, "ann", pass(servertest.AdminPassword)) // what is made once
	before := resident()

	begin := time.Now()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), crowdAddress+"="+d.addr)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.awaitAtMost(t, many+1, 10*patience)
	took := time.Since(begin)
	after := resident()
	t.Logf("%d connections in %v (%.1f ms each), %d KiB of heap and stacks each, %.1f goroutines each",
		many, took.Round(time.Millisecond), float64(took.Milliseconds())/many, (after-before)/many/1024, float64(runtime.NumGoroutine())/many)
	begin = time.Now()
	d.ok(t, servertest.Request{Path: "/api/admin/setting/save", Token: d.admin, Body: []map[string]string{{"key": "site_title", "value": "x"}}})
	d.ok(t, servertest.Request{Path: "/api/admin/role/update", Token: d.admin, Body: map[string]any{"id": 3, "name": "General User", "permission_scopes": []any{}}})
	t.Logf("a change that concerns everybody was answered after %v", time.Since(begin))
	token := d.SignIn(t, "ann", servertest.AdminPassword, "web").Token
	device := d.sftpDevice(t, token)
	begin = time.Now()
	d.ok(t, servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: map[string]string{"session_id": device}})
	t.Logf("evicting the device of all %d was answered after %v", many, time.Since(begin))
	_ = in.Close()
	_ = cmd.Wait()
}

// crowdAddress names the variable that makes the test the crowd's process.
const crowdAddress = "LATCHKEY_TEST_CROWD"

// crowd signs in so many times with the password and stays until its input ends.
func crowd(t testing.TB, many int) {
	racetest.AtOnce(16, func(worker int) {
		for i := worker; i < many; i += 16 {
			c, err := ssh.Dial("tcp", os.Getenv(crowdAddress), clientConfig("ann", pass(servertest.AdminPassword)))
			if err == nil {
				_, err = sftp.NewClient(c)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// resident is what the heap and the stacks hold after a collection, in bytes.
func resident() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// The same files by the same client, here and at OpenSSH's server.
func TestSpeedBesideOpenSSH(t *testing.T) {
	needHeavy(t)
	require(t, "sshd")
	p := openSSH(t)
	const size, rounds = 256 << 20, 7
	random(t, filepath.Join(p.folder, "big"), size)
	other := p.sshd(t)
	speeds := map[string][]float64{}
	for range rounds {
		for name, who := range map[string]*person{"latchkey": p, "openssh": other} {
			for _, batch := range []string{"put big up\n", "get up back\n"} {
				begin := time.Now()
				if out, err := who.sftp(t, batch); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, out)
				}
				what := name + " " + batch[:3]
				speeds[what] = append(speeds[what], float64(size>>20)/time.Since(begin).Seconds())
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(speeds)) {
		slices.Sort(speeds[what])
		t.Logf("%s: %.0f MiB/s, from %.0f to %.0f", what, speeds[what][rounds/2], speeds[what][0], speeds[what][rounds-1])
	}
}

// sshd is the person at OpenSSH's server, with internal-sftp, as the user who
// runs the test.
func (p *person) sshd(t testing.TB) *person {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		t.Fatal(err)
	}
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	host, port, _ := net.SplitHostPort(addr)
	folder := t.TempDir()
	public, err := exec.CommandContext(t.Context(), "ssh-keygen", "-y", "-f", filepath.Join(p.folder, "id")).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := filepath.Join(folder, "files")
	text := fmt.Sprintf("Port %s\nListenAddress %s\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nSubsystem sftp internal-sftp -d %s\n",
		port, host, filepath.Join(p.data, "ssh_host_ed25519_key"), filepath.Join(folder, "keys"), files)
	for name, text := range map[string][]byte{"config": []byte(text), "keys": public} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, "-D", "-e", "-f", filepath.Join(folder, "config"))
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended sync.WaitGroup
	ended.Go(func() { _ = cmd.Wait() })
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		ended.Wait()
	})
	d := *p.door
	d.addr = addr
	known, err := os.ReadFile(filepath.Join(p.folder, "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	_, ours, _ := net.SplitHostPort(p.addr)
	all := string(known) + strings.Replace(string(known), ":"+ours, ":"+port, 1)
	if err := os.WriteFile(filepath.Join(p.folder, "known_hosts"), []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Since(begin) > patience {
			t.Fatalf("sshd does not listen: %s", log.String())
		}
	}
	return &person{door: &d, folder: p.folder, name: who.Username}
}
