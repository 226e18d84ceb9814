package alistdb

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
)

// ErrChanging says that AList wrote to the file while it was read.
var ErrChanging = errors.New("the database changed while it was read: stop AList, then try again")

// file is a SQLite source.
type file struct {
	path  string
	info  os.FileInfo
	still bool // nobody has it open
}

// dsn opens the file for reading only. While somebody else has it open, a
// -wal or -journal file lies beside it and the usual locks are taken. Else the
// file is taken as immutable: reading a database in WAL mode makes files beside
// it, which would belong to this user and then keep AList out.
func (f *file) dsn() string {
	f.still = !exists(f.path+"-wal") && !exists(f.path+"-journal")
	query := "?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)"
	if f.still {
		query += "&immutable=1"
	}
	abs, err := filepath.Abs(f.path)
	if err != nil {
		abs = f.path
	}
	return "file:" + (&url.URL{Path: abs}).EscapedPath() + query
}

// check fails with ErrChanging if a file that was taken as immutable was not.
func (f *file) check() error {
	if !f.still {
		return nil
	}
	now, err := os.Stat(f.path)
	if err != nil || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()) || exists(f.path+"-wal") {
		return ErrChanging
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
