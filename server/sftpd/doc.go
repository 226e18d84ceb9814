// Package sftpd is the SFTP door: SSH (RFC 4253) with public keys, passwords and
// one-time codes, and behind it nothing but the subsystem sftp (draft-ietf-secsh-
// filexfer-02) on a folder that no path leaves.
//
// It owns what an SSH client may send and how its files are confined. Who may
// sign in is service/login's to say, and that an ending closes connections is
// service/connection's.
package sftpd
