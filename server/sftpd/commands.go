package sftpd

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/pkg/sftp"

	"latchkey/service/access"
)

// Filecmd does what answers only with a status. Links are not made: those that
// the operator made are followed as far as they stay inside.
func (t *tree) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Setstat":
		return t.at(r.Filepath, mayWrite, func(at place) error { return setAttributes(at, r) })
	case "Rename":
		return t.rename(r, false)
	case "Mkdir":
		return t.at(r.Filepath, mayWrite, func(at place) error { return makeFolder(at, modeOf(r, folderMode)) })
	case "Rmdir":
		return t.remove(r.Filepath, true)
	case "Remove":
		return t.remove(r.Filepath, false)
	}
	return sftp.ErrSSHFxOpUnsupported
}

// makeFolder makes a folder. That of the right itself was made by finding it.
func makeFolder(at place, mode fs.FileMode) error {
	if at.made && at.name == "." {
		return nil
	}
	return at.root.Mkdir(at.name, mode)
}

// PosixRename replaces what is there (OpenSSH's PROTOCOL §4.3).
func (t *tree) PosixRename(r *sftp.Request) error { return t.rename(r, true) }

// rename moves within one granted folder. Reading is needed where it comes from,
// or a move could make readable what was not.
func (t *tree) rename(r *sftp.Request, replace bool) error {
	return t.at(r.Filepath, mayRead|mayWrite, func(from place) error {
		whole := path.Join(t.base, r.Target)
		if !t.allows(whole, mayWrite) {
			return fs.ErrPermission
		}
		if !access.Covers(from.dir, whole) {
			return because("it cannot be moved out of this folder, only copied")
		}
		to := relative(from.dir, whole)
		if from.name == "." || to == "." {
			return fs.ErrPermission
		}
		if !replace {
			if _, err := from.root.Lstat(to); err == nil {
				return fs.ErrExist
			}
		}
		return from.root.Rename(from.name, to)
	})
}

func (t *tree) remove(p string, folder bool) error {
	return t.at(p, mayWrite, func(at place) error {
		info, err := at.root.Lstat(at.name)
		switch {
		case err != nil:
			return err
		case at.name == ".":
			return fs.ErrPermission
		case info.IsDir() && !folder:
			return because("it is a folder")
		case !info.IsDir() && folder:
			return because("not a folder")
		}
		return at.root.Remove(at.name)
	})
}

// setAttributes sets size, mode and times. Nobody is given files: a change of the
// owner alone is refused, one among other changes is left out, as most servers
// do.
func setAttributes(at place, r *sftp.Request) error {
	flags, attributes := r.AttrFlags(), r.Attributes()
	if attributes == nil {
		return sftp.ErrSSHFxBadMessage
	}
	if flags.UidGid && !flags.Size && !flags.Permissions && !flags.Acmodtime {
		return fs.ErrPermission
	}
	if flags.Size {
		if err := truncate(at, int64(attributes.Size)); err != nil { //nolint:gosec // a size beyond int64 is negative, and refused
			return err
		}
	}
	if flags.Permissions {
		if err := at.root.Chmod(at.name, fs.FileMode(attributes.Mode)&fs.ModePerm); err != nil {
			return err
		}
	}
	if flags.Acmodtime {
		return at.root.Chtimes(at.name, time.Unix(int64(attributes.Atime), 0), time.Unix(int64(attributes.Mtime), 0))
	}
	return nil
}

func truncate(at place, size int64) error {
	f, err := openRegular(at, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}
