package sqlstore_test

import (
	"sync/atomic"
	"testing"

	"latchkey/service/throttle/throttletest"
)

func TestThrottle(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			throttletest.Conformance(t, func(t *testing.T) throttletest.Harness {
				db, made := open(t, opts), new(atomic.Int64)
				return throttletest.Harness{
					Store:      db.Throttle(),
					NewAccount: func(t *testing.T) string { return createAccount(t, db, int(made.Add(1))).Key },
					DeleteAccount: func(t *testing.T, accountKey string) {
						if err := db.Accounts().DeleteAccount(t.Context(), accountKey); err != nil {
							t.Fatalf("DeleteAccount = %v", err)
						}
					},
				}
			})
		})
	}
}
