package sftpd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/pkg/sftp"

	"latchkey/service/access"
)

const (
	mayRead  = access.RightSFTP
	mayWrite = access.RightSFTPManage

	folderMode = 0o755 // of a folder that the client names no mode for
	fileMode   = 0o644
)

// errNoFolder says that an account's folder is not there and not its to make.
var errNoFolder = errors.New("your folder is not there: ask your administrator to make it")

// tree is the files of one connection. Nothing in it compares paths to keep a
// client in: every name goes through an os.Root, which resolves it below the
// folder that the right is for, links included.
type tree struct {
	client *client
	root   *os.Root
	base   string // where root lies, from the top of all files
}

// openTree opens the account's folder, or the key's folder in it. Who may write
// there need not wait for somebody to make it.
func (c *client) openTree() (*tree, error) {
	t := &tree{client: c, base: path.Join(c.account.BasePath, path.Clean("/"+c.key.Path))}
	name := relative("/", t.base)
	root, err := c.server.root.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		if !t.allows(t.base, mayWrite) {
			return nil, errNoFolder
		}
		if err = c.server.root.MkdirAll(name, 0o700); err == nil {
			root, err = c.server.root.OpenRoot(name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", t.base, err)
	}
	t.root = root
	return t, nil
}

func (t *tree) close() { _ = t.root.Close() }

// relative is a clean path below dir as os.Root takes it.
func relative(dir, p string) string {
	if name := strings.TrimPrefix(strings.TrimPrefix(p, dir), "/"); name != "" {
		return name
	}
	return "."
}

// allows reports whether the connection has the rights at a path from the top.
func (t *tree) allows(whole string, rights int64) bool {
	if rights&mayWrite != 0 && t.client.key.ReadOnly {
		return false
	}
	return t.client.account.RightsAt(whole)&rights == rights
}

// leads reports whether the path is on the way to something that may be read.
func (t *tree) leads(whole string) bool {
	for _, scope := range t.client.account.Permissions {
		if scope.Permission&mayRead != 0 && access.Covers(whole, scope.Path) {
			return true
		}
	}
	return false
}

// place is a name below a folder that its rights are for.
type place struct {
	root  *os.Root
	dir   string // where root lies, from the top of all files
	name  string // below root; "." is root itself
	whole string // the path from the top of all files
	owned bool   // root is this place's to close
	made  bool   // dir was made just now
}

func (p place) close() {
	if p.owned {
		_ = p.root.Close()
	}
}

// place finds where a path lies, if the connection has the rights there. The
// folder is that of the scope which grants them, so that no link leads from what
// is granted to what is not.
func (t *tree) place(p string, rights int64) (place, error) {
	whole := path.Join(t.base, p)
	if !t.allows(whole, rights) {
		return place{}, fs.ErrPermission
	}
	dir := t.granting(whole, rights)
	if access.Covers(dir, t.base) {
		return t.inRoot(whole), nil
	}
	folder := relative(t.base, dir)
	root, err := t.root.OpenRoot(folder)
	made := errors.Is(err, fs.ErrNotExist) && rights&mayWrite != 0
	if made {
		if err = t.root.MkdirAll(folder, 0o700); err == nil {
			root, err = t.root.OpenRoot(folder)
		}
	}
	if err != nil {
		return place{}, err
	}
	return place{root: root, dir: dir, name: relative(dir, whole), whole: whole, owned: true, made: made}, nil
}

// inRoot is a place below the connection's own root.
func (t *tree) inRoot(whole string) place {
	return place{root: t.root, dir: t.base, name: relative(t.base, whole), whole: whole}
}

// granting is the folder below which all of the rights hold: of the shortest
// scopes that grant each of them at the path, the longest. At the account's base
// path, and for admins, it is the root.
func (t *tree) granting(whole string, rights int64) string {
	longest := "/"
	if t.client.account.IsAdmin() || whole == t.client.account.BasePath {
		return longest
	}
	for _, right := range []int64{mayRead, mayWrite} {
		if rights&right == 0 {
			continue
		}
		shortest := whole
		for _, scope := range t.client.account.Permissions {
			if scope.Permission&right != 0 && access.Covers(scope.Path, whole) && len(scope.Path) < len(shortest) {
				shortest = scope.Path
			}
		}
		if len(shortest) > len(longest) {
			longest = shortest
		}
	}
	return longest
}

// seen is place for what only shows names: also folders on the way to something
// that may be read.
func (t *tree) seen(p string) (place, error) {
	at, err := t.place(p, mayRead)
	if whole := path.Join(t.base, p); errors.Is(err, fs.ErrPermission) && t.leads(whole) {
		return t.inRoot(whole), nil
	}
	return at, err
}

// do is one operation: not after the end, with the panics of its own, and with
// an answer that says nothing of the server's folders.
func (t *tree) do(act func() error) (err error) {
	if !t.client.Enter() {
		return sftp.ErrSSHFxConnectionLost
	}
	defer t.client.Leave()
	defer func() {
		if p := recover(); p != nil {
			t.client.server.panicked(context.Background(), p)
			err = sftp.ErrSSHFxFailure
		}
	}()
	return status(act())
}

// at is do with a place.
func (t *tree) at(p string, rights int64, act func(place) error) error {
	return t.do(func() error {
		at, err := t.place(p, rights)
		if err != nil {
			return err
		}
		defer at.close()
		return act(at)
	})
}
