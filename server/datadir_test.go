package server_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"latchkey/server"
)

func TestMasterKeyFile(t *testing.T) {
	const good = "2f9b1c7d3e5a60718293a4b5c6d7e8f90112233445566778899aabbccddeeff0"
	for name, tt := range map[string]struct {
		text string
		want string // part of the error; empty if it opens
	}{
		"a key that somebody made is taken":       {good, ""},
		"blanks around it do not matter":          {"\n" + strings.ToUpper(good) + " \r\n", ""},
		"an empty file is what a crash may leave": {"", "master.key must hold 64 hexadecimal digits, and holds something else: restore it from a backup, or remove it"},
		"half a key is none":                      {good[:32], "must hold 64 hexadecimal digits"},
		"nor are two":                             {good + good, "must hold 64 hexadecimal digits"},
		"nor is a text":                           {strings.Repeat("key!", 16), "must hold 64 hexadecimal digits"},
		"nor are zeros":                           {strings.Repeat("0", 64), "weak"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, opts := cheaply(t.TempDir())
			path := filepath.Join(cfg.Data, "master.key")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			app, err := server.Open(t.Context(), cfg, opts)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("open: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("open: %v, want %s", err, tt.want)
			}
			if err == nil {
				if err := app.Close(); err != nil {
					t.Error(err)
				}
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != tt.text {
				t.Errorf("the file was changed to %q, %v", text, err)
			}
		})
	}
}

// A start that fails gives the folder back: the next one can have it at once.
func TestFailedStartLeavesNoLock(t *testing.T) {
	cfg, opts := cheaply(t.TempDir())
	path := filepath.Join(cfg.Data, "master.key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Open(t.Context(), cfg, opts); err == nil {
		t.Fatal("an empty master key opens")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	app, err := server.Open(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Close(); err != nil {
		t.Error(err)
	}
}

func TestFolderBehindALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	folder, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	cfg, opts := cheaply(link)
	app, err := server.Open(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "latchkey.db")); err != nil {
		t.Error(err)
	}
}

func TestFolderForOthersIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no such modes")
	}
	for mode, open := range map[os.FileMode]bool{0o700: true, 0o750: true, 0o755: true, 0o770: false, 0o702: false, 0o777: false} {
		cfg, opts := cheaply(t.TempDir())
		if err := os.Chmod(cfg.Data, mode); err != nil {
			t.Fatal(err)
		}
		app, err := server.Open(t.Context(), cfg, opts)
		if err == nil {
			err2 := app.Close()
			if err2 != nil {
				t.Error(err2)
			}
		}
		if (err == nil) != open {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}
