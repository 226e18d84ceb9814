package sftpd

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/pkg/sftp"
)

// Filelist lists a folder, or describes what a path leads to.
func (t *tree) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" {
		return t.list(r.Filepath)
	}
	return t.describe(r.Filepath, (*os.Root).Stat)
}

// Lstat describes a link itself.
func (t *tree) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	return t.describe(r.Filepath, (*os.Root).Lstat)
}

func (t *tree) describe(p string, look func(*os.Root, string) (fs.FileInfo, error)) (sftp.ListerAt, error) {
	var one single
	err := t.do(func() error {
		at, err := t.seen(p)
		if err != nil {
			return err
		}
		defer at.close()
		info, err := look(at.root, at.name)
		one.info = plainInfo{info}
		return err
	})
	return one, err
}

// Readlink says where a link leads, unless that is a path of the server's.
func (t *tree) Readlink(p string) (string, error) {
	var target string
	err := t.at(p, mayRead, func(at place) (err error) {
		target, err = at.root.Readlink(at.name)
		if err == nil && (filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(at.name), target))) {
			target = ""
			return fs.ErrPermission
		}
		return err
	})
	return filepath.ToSlash(target), err
}

// single is the answer about one file.
type single struct{ info fs.FileInfo }

// ListAt gives the one.
func (s single) ListAt(list []os.FileInfo, offset int64) (int, error) {
	if offset > 0 || len(list) == 0 {
		return 0, io.EOF
	}
	list[0] = s.info
	return 1, nil
}

// plainInfo is a file's description without who owns it on the server.
type plainInfo struct{ fs.FileInfo }

// Sys tells nothing.
func (plainInfo) Sys() any { return nil }

// list opens a folder.
func (t *tree) list(p string) (sftp.ListerAt, error) {
	var opened *folder
	err := t.do(func() error {
		at, err := t.seen(p)
		if err != nil {
			return err
		}
		defer at.close()
		if !t.client.Acquire() {
			return errNoRoom()
		}
		if opened, err = t.openFolder(at); err != nil {
			t.client.Release()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func (t *tree) openFolder(at place) (*folder, error) {
	root, err := at.root.OpenRoot(at.name)
	if err != nil {
		return nil, err
	}
	names, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &folder{tree: t, root: root, names: names, whole: at.whole}, nil
}

// folder is a folder that a client is listing.
type folder struct {
	tree  *tree
	root  *os.Root
	names *os.File
	whole string
}

// ListAt gives the next entries. The offset is always where it stands: the
// server asks in order. Entries are looked at below the root; what DirEntry.Info
// knows would go by the path.
func (f *folder) ListAt(list []os.FileInfo, _ int64) (n int, err error) {
	err = f.tree.do(func() error {
		for n == 0 { // a batch may hold nothing that may be seen
			names, err := f.names.Readdirnames(len(list))
			n = f.look(list, names)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// look describes those of the entries that are there and may be seen.
func (f *folder) look(list []os.FileInfo, names []string) (n int) {
	for _, name := range names {
		if !f.shows(name) {
			continue
		}
		if info, err := f.root.Lstat(name); err == nil {
			list[n] = plainInfo{info}
			n++
		}
	}
	return n
}

// shows reports whether the entry may be seen.
func (f *folder) shows(name string) bool {
	whole := path.Join(f.whole, name)
	return f.tree.allows(whole, mayRead) || f.tree.leads(whole)
}

// Close closes the folder.
func (f *folder) Close() error {
	err := errors.Join(f.names.Close(), f.root.Close())
	f.tree.client.Release()
	return status(err)
}
