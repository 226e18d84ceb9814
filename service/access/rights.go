package access

import (
	"path"
	"strings"
)

// The rights of the AList dialect that mean something here (contract §7.1).
const (
	RightSFTP       int64 = 1 << 10 // sign in over SFTP and read
	RightSFTPManage int64 = 1 << 11 // change files over SFTP
)

// everything is the rights of an admin, whom no scope confines.
const everything int64 = 1<<17 - 1

// RightsAt is the account's rights at a path from the top of all files: those of
// the scopes that cover it, together. At / and at the account's base path they
// are those of all scopes (contract §7.1).
func (a *Account) RightsAt(p string) int64 {
	if a.IsAdmin() {
		return everything
	}
	p = path.Clean("/" + p)
	all := p == "/" || p == a.BasePath
	var rights int64
	for _, scope := range a.Permissions {
		if all || Covers(scope.Path, p) {
			rights |= scope.Permission
		}
	}
	return rights
}

// Covers reports whether the clean path p is dir or lies below it.
func Covers(dir, p string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}
