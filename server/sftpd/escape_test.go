//go:build unix

package sftpd_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/pkg/sftp"

	"latchkey/server/servertest"
)

const (
	secretText = "somebody else's"
	ownText    = "ann's"
)

// hostile is a member's folder full of links that the operator, or somebody with
// a shell, has left there, and a secret beside it.
func hostile(t *testing.T) (d *door, files *sftp.Client, folder string) {
	t.Helper()
	d = open(t)
	files, folder = ann(t, d)
	outside := filepath.Join(d.root, "bob")
	for _, dir := range []string{outside, filepath.Join(folder, "in")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		filepath.Join(outside, "secret"): secretText, filepath.Join(folder, "in", "own"): ownText,
		filepath.Join(folder, `back\slash`): ownText,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"up": "..", "root": "/", "passwd": "/etc/passwd", "proc": "/proc/self/root", "fd": "/proc/self/fd",
		"bob": "../bob", "secret": "../bob/secret", "absolute": filepath.Join(outside, "secret"), "ownabsolute": filepath.Join(folder, "in", "own"),
		"dangling": "../bob/new", "loop": "loop", "ping": "pong", "pong": "ping", "stays": "in/own", "winding": "in/../../ann/in/own",
		"in/deep": "../../bob", "chain": "in/deep/secret",
	} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	return d, files, folder
}

func slurp(files *sftp.Client, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}

//
func TestNoPathLeavesTheFolder(t *testing.T) {
	d, files, _ := hostile(t)
	escapes := []string{
		"../bob/secret", "/../bob/secret", "/../../../../../../etc/passwd", "in/../../bob/secret", "/in/../../../bob/secret", "/./../bob/secret",
		"//..//bob/secret", `..\bob\secret`, `\..\bob\secret`, "/in\x00/../../bob/secret", "/../bob/secret\x00", "\x00", "/..;/bob/secret",
		"/%2e%2e/bob/secret", "/\xc0\xae\xc0\xae/bob/secret", "/\u2025/bob/secret", "/．．/bob/secret", "~/../bob/secret", "~bob/secret", "/in/./../../bob/./secret",
		"/up/bob/secret", "/root/etc/passwd", "/passwd", "/proc/etc/passwd", "/fd/0", "/bob/secret", "/secret", "/absolute", "/dangling",
		"/loop", "/ping", "/in/deep/secret", "/chain", "/in/deep/../secret", "/pipe", filepath.Join(d.root, "bob", "secret"), filepath.Join(d.data, "latchkey.db"), filepath.Join(d.data, "master.key"),
		"/" + strings.Repeat("../", 200) + "etc/passwd", strings.Repeat("x/", 3000), strings.Repeat("x", 300),
	}
	for _, name := range escapes {
		if text, err := slurp(files, name); err == nil {
			t.Errorf("read %q: %q", name, text)
		} else if strings.Contains(err.Error(), d.data) || strings.Contains(err.Error(), "bob") {
			t.Errorf("read %q tells the server's paths: %v", name, err)
		}
		if f, err := files.OpenFile(name, os.O_RDWR); err == nil {
			_ = f.Close()
			t.Errorf("opened %q to write", name)
		}
		_ = files.Truncate(name, 0)
		_ = files.Chmod(name, 0o777)
		_ = files.PosixRename(name, "/mine")
		_ = files.PosixRename("/in/own", name)
		_ = files.PosixRename(name, "/in/own")
		_ = files.Rename("/mine", "/in/own")
		_ = files.Symlink(name, "/link")
		_ = files.Symlink("/link", name)
		_ = files.Link(name, "/link")
		_, _ = files.ReadLink(name)
		_, _ = files.ReadDir(name)
	}
	for _, name := range []string{"/up/new", "/bob/new", "/dangling", "/in/deep/new", "/root/tmp/latchkey-escape", "../bob/new", "/../new"} {
		if f, err := files.OpenFile(name, os.O_WRONLY|os.O_CREATE); err == nil {
			_ = f.Close()
		}
		_ = files.Mkdir(name + "dir")
	}
	left, err := os.ReadDir(filepath.Join(d.root, "bob"))
	if err != nil || len(left) != 1 {
		t.Errorf("bob's folder holds %v, %v, want only his secret", left, err)
	}
	info, err := os.Stat(filepath.Join(d.root, "bob", "secret"))
	if text, readErr := os.ReadFile(filepath.Join(d.root, "bob", "secret")); err != nil || readErr != nil || string(text) != secretText || info.Mode() != 0o600 {
		t.Errorf("bob's secret is %q %v, %v", text, info, errors.Join(err, readErr))
	}
	for _, name := range []string{"/tmp/latchkey-escape", filepath.Join(d.data, "new"), filepath.Join(d.root, "new")} {
		if _, err := os.Lstat(name); name != filepath.Join(d.root, "new") && err == nil {
			t.Errorf("%s was made", name)
		}
	}
}

func TestLinksThatStayAreFollowed(t *testing.T) {
	_, files, _ := hostile(t)
	for _, name := range []string{"/stays", "/in/own", "in/own", "in/../in/own", `/back\slash`, "/../in/own"} {
		if text, err := slurp(files, name); err != nil || text != ownText {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if target, err := files.ReadLink("/stays"); err != nil || target != "in/own" {
		t.Errorf("ReadLink = %q, %v", target, err)
	}
	for _, name := range []string{"/absolute", "/up", "/passwd", "/bob", "/in/deep"} {
		if target, err := files.ReadLink(name); err == nil {
			t.Errorf("ReadLink(%s) tells %q", name, target)
		}
	}
	info, err := files.Lstat("/passwd")
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("Lstat of a link = %v, %v", info, err)
	}
}

// A name that turns from a folder into a link out and back never lets anybody
// out.
func TestSwappedFolderLeadsNowhere(t *testing.T) {
	d, files, folder := hostile(t)
	var stop sync.WaitGroup
	done := make(chan struct{})
	swap, inside, out := filepath.Join(folder, "swap"), filepath.Join(folder, "real"), filepath.Join(folder, "out")
	if err := errors.Join(os.Mkdir(inside, 0o700), os.Symlink("../bob", out), os.WriteFile(filepath.Join(inside, "secret"), []byte(ownText), 0o600)); err != nil {
		t.Fatal(err)
	}
	stop.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				_ = os.Rename(inside, swap)
				_ = os.Rename(swap, inside)
				_ = os.Rename(out, swap)
				_ = os.Rename(swap, out)
			}
		}
	})
	seen := map[string]int{}
	for range 2000 {
		text, err := slurp(files, "/swap/secret")
		if err != nil {
			text = "refused"
		}
		seen[text]++
		if f, err := files.OpenFile("/swap/new", os.O_WRONLY|os.O_CREATE); err == nil {
			_ = f.Close()
		}
		_ = files.Remove("/swap/new")
		_ = files.Mkdir("/swap/dir")
		_ = files.RemoveDirectory("/swap/dir")
	}
	close(done)
	stop.Wait()
	if seen[secretText] > 0 {
		t.Errorf("read the secret %d times", seen[secretText])
	}
	if left, err := os.ReadDir(filepath.Join(d.root, "bob")); err != nil || len(left) != 1 {
		t.Errorf("bob's folder holds %v, %v", left, err)
	}
	t.Logf("seen: %v", seen)
}

// The root of all files is nobody's way to the next account either.
func TestBasePathConfines(t *testing.T) {
	d := open(t)
	d.member(t, "ann")
	d.member(t, "bob")
	bob := d.files(t, "bob", pass(servertest.AdminPassword))
	f, err := bob.Create("/secret")
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	files := d.files(t, "ann", pass(servertest.AdminPassword))
	for _, name := range []string{"/bob/secret", "../bob/secret", "/../bob/secret"} {
		if _, err := files.Stat(name); err == nil {
			t.Errorf("ann sees %s", name)
		}
	}
	if wd, err := files.RealPath(".."); err != nil || wd != "/" {
		t.Errorf("RealPath(..) = %q, %v", wd, err)
	}
}
