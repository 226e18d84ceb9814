package sshkey

import (
	"strings"
	"time"

	"latchkey/model"
)

// AuthorizedLine is the key as a line of authorized_keys (sshd(8)), with its
// limits written out; at is now. It is empty for a key that may not sign in: it
// is suspended, has expired, or is confined to a folder, which sshd cannot
// enforce. Nothing is forwarded for any key.
func AuthorizedLine(key model.SSHKey, at time.Time) string {
	if !usable(key, at) || key.Path != "" {
		return ""
	}
	options := []string{"restrict"}
	if key.AllowedIPs != "" {
		options = append(options, `from="`+key.AllowedIPs+`"`)
	}
	if !key.ExpiresAt.IsZero() {
		options = append(options, `expiry-time="`+key.ExpiresAt.UTC().Format("20060102150405")+`Z"`)
	}
	if key.ReadOnly {
		options = append(options, `command="internal-sftp -R"`)
	}
	return strings.Join(options, ",") + " " + key.PublicKey + "\n"
}

// usable reports whether the key may sign in at all.
func usable(key model.SSHKey, at time.Time) bool {
	return key.SuspendedAt.IsZero() && (key.ExpiresAt.IsZero() || at.Before(key.ExpiresAt.Time))
}
