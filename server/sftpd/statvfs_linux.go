package sftpd

import (
	"syscall"

	"github.com/pkg/sftp"
)

// StatVFS says how much room there is (OpenSSH's PROTOCOL §4.4).
func (t *tree) StatVFS(r *sftp.Request) (*sftp.StatVFS, error) {
	var room sftp.StatVFS
	err := t.do(func() error {
		at, err := t.seen(r.Filepath)
		if err != nil {
			return err
		}
		defer at.close()
		f, err := at.root.Open(".")
		if err != nil {
			return err
		}
		defer f.Close()
		var s syscall.Statfs_t
		if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
			return err
		}
		room = sftp.StatVFS{
			Bsize: uint64(s.Bsize), Frsize: uint64(s.Frsize), Blocks: s.Blocks, Bfree: s.Bfree, Bavail: s.Bavail, //nolint:gosec // sizes are positive
			Files: s.Files, Ffree: s.Ffree, Favail: s.Ffree, Namemax: uint64(s.Namelen), //nolint:gosec // sizes are positive
		}
		return nil
	})
	return &room, err
}
