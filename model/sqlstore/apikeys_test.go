package sqlstore_test

import (
	"sync/atomic"
	"testing"

	"latchkey/service/apikey/apikeytest"
)

func TestAPIKeys(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			apikeytest.Conformance(t, func(t *testing.T) apikeytest.Harness {
				db, made := open(t, opts), new(atomic.Int64)
				return apikeytest.Harness{
					Store:      db.APIKeys(),
					NewAccount: func(t *testing.T) string { return createAccount(t, db, 1+int(made.Add(1))).Key },
					DropAccount: func(t *testing.T, key string) {
						if err := db.Accounts().DeleteAccount(t.Context(), key); err != nil {
							t.Fatal(err)
						}
					},
				}
			})
		})
	}
}
