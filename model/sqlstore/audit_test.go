package sqlstore_test

import (
	"sync/atomic"
	"testing"

	"latchkey/model"
	"latchkey/service/audit/audittest"
)

func TestAudit(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			audittest.Conformance(t, func(t *testing.T) audittest.Harness {
				db, made := open(t, opts), new(atomic.Int64)
				return audittest.Harness{
					Store:      db.Audit(),
					NewAccount: func(t *testing.T) model.Account { return createAccount(t, db, int(made.Add(1))) },
					DeleteAccount: func(t *testing.T, key string) {
						t.Helper()
						if err := db.Accounts().DeleteAccount(t.Context(), key); err != nil {
							t.Fatal(err)
						}
					},
				}
			})
		})
	}
}
