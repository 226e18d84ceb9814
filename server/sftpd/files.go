package sftpd

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/pkg/sftp"

	"latchkey/service/connection"
)

// Fileread opens a file to download.
func (t *tree) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	return t.open(r, mayRead, os.O_RDONLY)
}

// Filewrite opens a file to upload.
func (t *tree) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	return t.open(r, mayWrite, os.O_WRONLY)
}

// OpenFile opens a file for both.
func (t *tree) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	return t.open(r, mayRead|mayWrite, os.O_RDWR)
}

func (t *tree) open(r *sftp.Request, rights int64, access int) (*file, error) {
	var opened *file
	err := t.at(r.Filepath, rights, func(at place) error {
		if !t.client.Acquire() {
			return errNoRoom()
		}
		flags := r.Pflags()
		f, err := openRegular(at, access|openFlags(flags), modeOf(r, fileMode))
		if err != nil {
			t.client.Release()
			return err
		}
		direction := connection.Upload
		if rights == mayRead {
			direction = connection.Download
		}
		opened = &file{tree: t, f: f}
		if flags.Append {
			if opened.end, err = newAppender(f); err != nil {
				t.client.Release()
				return errors.Join(err, f.Close())
			}
		}
		opened.transfer = t.client.Begin(r.Filepath, direction)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func openFlags(f sftp.FileOpenFlags) int {
	flags := 0
	for flag, wanted := range map[int]bool{
		os.O_APPEND: f.Append, os.O_CREATE: f.Creat, os.O_TRUNC: f.Trunc, os.O_EXCL: f.Excl && f.Creat,
	} {
		if wanted {
			flags |= flag
		}
	}
	return flags
}

// openRegular opens nothing but files: a pipe would wait for its other end, and
// a device may act on being opened.
func openRegular(at place, flags int, mode fs.FileMode) (*os.File, error) {
	if info, err := at.root.Stat(at.name); err == nil && !info.Mode().IsRegular() {
		return nil, notFile(info)
	}
	f, err := at.root.OpenFile(at.name, flags|syscall.O_NONBLOCK, mode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() { // it was swapped
		err = notFile(info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func notFile(info fs.FileInfo) error {
	if info.IsDir() {
		return syscall.EISDIR
	}
	return fs.ErrPermission
}

// modeOf is the mode that the client wants for what it makes, without bits that
// run programs as somebody else.
func modeOf(r *sftp.Request, otherwise fs.FileMode) fs.FileMode {
	if r.AttrFlags().Permissions {
		if a := r.Attributes(); a != nil {
			return fs.FileMode(a.Mode) & fs.ModePerm
		}
	}
	return otherwise
}

// file is a file that a client has open.
type file struct {
	tree     *tree
	f        *os.File
	transfer *connection.Transfer
	end      *appender // nil unless it is only appended to
}

// ReadAt reads for the client.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.tree.do(func() error {
		n, err = f.f.ReadAt(p, off)
		f.transfer.Add(n)
		return err
	})
	return n, err
}

// WriteAt writes for the client.
func (f *file) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.tree.do(func() error {
		if f.end != nil {
			n, err = f.end.write(p, off)
		} else {
			n, err = f.f.WriteAt(p, off)
		}
		f.transfer.Add(n)
		return err
	})
	return n, err
}

// Close closes the file. It happens after the end of the connection, too.
func (f *file) Close() error {
	f.transfer.Done()
	err := f.f.Close()
	f.tree.client.Release()
	return status(err)
}
