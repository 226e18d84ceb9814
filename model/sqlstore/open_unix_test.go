//go:build unix

package sqlstore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpenKeepsTheFilePrivate(t *testing.T) {
	old := syscall.Umask(0) // the test runs before those that are parallel
	t.Cleanup(func() { syscall.Umask(old) })
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "latchkey.db")
			db := openAt(t, path, opts)
			createAccount(t, db, 1)
			for _, file := range []string{path, path + "-wal", path + "-shm"} {
				info, err := os.Stat(file)
				if err != nil {
					t.Fatalf("Stat = %v", err)
				}
				if got := info.Mode(); got != fs.FileMode(0o600) {
					t.Errorf("%s has mode %v, want -rw-------", filepath.Ext(file), got)
				}
			}
		})
	}
}
