package sqlstore_test

import (
	"sync/atomic"
	"testing"

	"latchkey/service/sshkey/sshkeytest"
)

func TestSSHKeys(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			sshkeytest.Conformance(t, func(t *testing.T) sshkeytest.Harness {
				db, made := open(t, opts), new(atomic.Int64)
				return sshkeytest.Harness{
					Store:      db.SSHKeys(),
					NewAccount: func(t *testing.T) string { return createAccount(t, db, int(made.Add(1))).Key },
				}
			})
		})
	}
}
