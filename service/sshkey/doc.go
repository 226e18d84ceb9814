// Package sshkey owns the public keys that accounts keep for the SFTP door:
// what counts as one plain key, what a key may be called, how many there may
// be. It proves nobody's identity and must not know SSH connections, HTTP or
// SQL.
package sshkey
