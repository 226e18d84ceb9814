//go:build unix

package server_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGoRunServes keeps the README's promise that "go run ." is enough.
func TestGoRunServes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program; left out by -short")
	}
	folder := t.TempDir()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "run", ".", "--data", folder, "--http", "127.0.0.1:0", "--sftp", "")
	cmd.Dir, cmd.Env = "..", withoutSettings()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run does not pass signals on
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	p, err := launch(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.out.String(), "\n  name      admin\n  password  ") {
		t.Errorf("the password is not printed: %s", p.out)
	}
	a, err := p.call(t.Context(), call{method: http.MethodGet, path: "/ping"})
	if err != nil || a.Text != "pong" {
		t.Errorf("GET /ping = %q, %v", a.Text, err)
	}
	p.client.CloseIdleConnections()
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil { // as Ctrl-C does
		t.Fatal(err)
	}
	select {
	case <-p.done: // with status 1, whatever the program's is: the go command was interrupted, too
	case <-time.After(patience):
		t.Fatal("it did not stop")
	}
	if _, err := os.Stat(filepath.Join(folder, "control.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it did not end in order (%v):\n%s", err, p.err)
	}
}
