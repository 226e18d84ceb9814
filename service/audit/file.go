package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"latchkey/model"
)

// File is a log of events for other programs, such as fail2ban: one line of
// JSON each. It may be moved or deleted at any time; the next event makes a new
// one. It is safe for concurrent use, and several processes may write to one
// file.
type File struct {
	path string

	mu   sync.Mutex
	file *os.File
}

// OpenFile opens the file for appending, or creates it with mode 0600.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) open() error {
	const append0600 = os.O_WRONLY | os.O_APPEND | os.O_CREATE
	file, err := os.OpenFile(f.path, append0600, 0o600)
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	f.file = file
	return nil
}

// Write appends the event in one write, so that lines of several processes do
// not mix.
func (f *File) Write(row model.AuditEvent) error {
	line, err := Line(row)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.follow(); err != nil {
		return err
	}
	_, err = f.file.Write(append(line, '\n'))
	return err
}

// follow opens the file again if another one, or none, is at its path.
func (f *File) follow() error {
	if f.file == nil {
		return f.open()
	}
	ours, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("look at audit log: %w", err)
	}
	there, err := os.Stat(f.path)
	if err == nil && os.SameFile(ours, there) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for audit log: %w", err)
	}
	old := f.file
	f.file = nil
	return errors.Join(f.open(), old.Close())
}

// Close closes the file. A write after it opens the file again.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	return file.Close()
}
