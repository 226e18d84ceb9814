package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gofrs/flock"
)

// masterSize is the size of the master key in bytes.
const masterSize = 32

// The data folder's files beside the database.
const (
	lockFile    = "latchkey.lock"
	masterFile  = "master.key"
	stagedFile  = "master.key.new" // a master key that is about to take the place of master.key
	controlFile = "control.json"
)

// ErrRunning says that another server holds the data folder. On SQLite there
// can be one only.
var ErrRunning = errors.New("another latchkey server is using this data folder")

// errLocked says that another process holds the folder's lock at this moment.
var errLocked = errors.New("the data folder is locked")

// dataDir is the folder that everything of one server lies in.
type dataDir struct {
	path string
	lock *flock.Flock
}

// openDataDir makes the folder if it is missing, for its owner only.
func openDataDir(path string) (*dataDir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("data folder %s can be written by others (mode %04o): chmod 700 it", abs, info.Mode().Perm())
	}
	return &dataDir{path: abs, lock: flock.New(filepath.Join(abs, lockFile), flock.SetPermissions(0o600))}, nil
}

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// tryLock makes this process the only one that serves the folder, or fails
// with errLocked.
func (d *dataDir) tryLock() error {
	locked, err := d.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock data folder: %w", err)
	}
	if !locked {
		return errLocked
	}
	return nil
}

// masterKey reads the master key, or makes it where no database needs an older
// one yet.
func (d *dataDir) masterKey(databaseExists bool) ([]byte, error) {
	path := d.file(masterFile)
	text, err := os.ReadFile(path) //nolint:gosec // a fixed name in the operator's folder
	if errors.Is(err, os.ErrNotExist) {
		if databaseExists {
			return nil, fmt.Errorf("%s is missing, and the database cannot be read without it: restore it from a backup, or set LATCHKEY_MASTER_KEY", path)
		}
		return newMasterKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read master key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and rotate the keys if somebody may have read it", path, info.Mode().Perm())
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != masterSize {
		return nil, fmt.Errorf("%s must hold %d hexadecimal digits, and holds something else: restore it from a backup%s",
			path, 2*masterSize, orRemove(databaseExists))
	}
	return key, nil
}

// orRemove is what else helps while nothing is sealed under the key.
func orRemove(databaseExists bool) string {
	if databaseExists {
		return ""
	}
	return ", or remove it to have a new one made"
}

// newMasterKey writes the key and syncs it, and the folder's entry for it: a
// database sealed under a key that a power loss took away could never be
// opened.
func newMasterKey(path string) ([]byte, error) {
	key := randomMasterKey()
	return key, writeMasterKey(path, key)
}

func randomMasterKey() []byte {
	key := make([]byte, masterSize)
	_, _ = rand.Read(key) // never fails
	return key
}

func writeMasterKey(path string, key []byte) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create master key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path))); err != nil {
		return fmt.Errorf("write master key: %w", err)
	}
	return nil
}

// syncFolder makes a new file's name last. Windows has no such call, and needs
// none.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path) //nolint:gosec // the operator's folder
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}
