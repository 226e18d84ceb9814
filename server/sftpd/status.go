package sftpd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/pkg/sftp"
)

// status is an error as the client may see it: a status of the protocol and, at
// most, a reason in words of our own. What the system says names folders of the
// server.
func status(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, fs.ErrNotExist):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	case errors.Is(err, errors.ErrUnsupported):
		return sftp.ErrSSHFxOpUnsupported
	case errors.Is(err, fs.ErrExist):
		return because("it is there already")
	}
	for errno, text := range map[syscall.Errno]string{
		syscall.ENOSPC: "no space left", syscall.EDQUOT: "no space left", syscall.ENOTEMPTY: "the folder is not empty",
		syscall.ENAMETOOLONG: "the name is too long", syscall.ENOTDIR: "not a folder", syscall.EISDIR: "it is a folder",
		syscall.ELOOP: "too many links", syscall.EFBIG: "too large",
	} {
		if errors.Is(err, errno) {
			return because(text)
		}
	}
	for _, known := range []error{
		sftp.ErrSSHFxNoSuchFile, sftp.ErrSSHFxPermissionDenied, sftp.ErrSSHFxOpUnsupported, sftp.ErrSSHFxConnectionLost,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return sftp.ErrSSHFxFailure
}

// errNoRoom says why no file is opened any more.
func errNoRoom() error { return because("too many open files, or the server is about to stop") }

// because is a failure with a reason.
func because(text string) error { return fmt.Errorf("%s: %w", text, sftp.ErrSSHFxFailure) }
