package sqlstore_test

import (
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

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
					Suspend: func(t *testing.T, id int64) {
						err := db.Write(t.Context(), func(tx *gorm.DB) error {
							return tx.Exec("UPDATE ssh_keys SET suspended_at = 1 WHERE id = ?", id).Error
						})
						if err != nil {
							t.Fatal(err)
						}
					},
				}
			})
		})
	}
}
