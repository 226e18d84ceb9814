package sqlstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"latchkey/model"
	"latchkey/service/totp/totptest"
)

func TestTOTP(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			totptest.Conformance(t, func(t *testing.T) totptest.Harness {
				db, made := open(t, opts), new(atomic.Int64)
				return totptest.Harness{
					Store:      db.TOTP(),
					NewAccount: func(t *testing.T) string { return createAccount(t, db, int(made.Add(1))).Key },
					NewLogin: func(t *testing.T, accountKey string) string {
						id := fmt.Sprintf("%032x", made.Add(1))
						openLogin(t, db, accountKey, id)
						return id
					},
					EndLogin: func(t *testing.T, accountKey, id string) {
						n, err := db.Logins().EndLogin(t.Context(), accountKey, id, model.EndEvicted, model.At(start))
						if err != nil || n != 1 {
							t.Fatalf("EndLogin = %d, %v", n, err)
						}
					},
					Epoch: func(t *testing.T, accountKey string) int64 {
						p, err := db.Accounts().Profile(t.Context(), accountKey)
						if err != nil {
							t.Fatalf("Profile = %v", err)
						}
						return p.Epoch
					},
					EndReason: func(t *testing.T, id string) model.EndReason { return endReason(t, db, id) },
				}
			})
		})
	}
}
