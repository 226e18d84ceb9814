package sqlstore_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"latchkey/model"
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
					NewLogin: func(t *testing.T, accountKey string) string {
						t.Helper()
						id := strconv.FormatInt(made.Add(1), 10)
						openLogin(t, db, accountKey, id)
						if _, err := db.Logins().RenewLogins(t.Context(), model.Renewal{
							IDs: []string{id}, Live: model.Live{At: model.At(start)}, ExpiresAt: model.At(start.AddDate(10, 0, 0)),
						}); err != nil {
							t.Fatal(err)
						}
						return id
					},
					EndLogin: func(t *testing.T, accountKey, id string) {
						t.Helper()
						if n, err := db.Logins().EndLogin(t.Context(), accountKey, id, model.EndEvicted, model.At(start)); n != 1 || err != nil {
							t.Fatalf("EndLogin = %d, %v", n, err)
						}
					},
					Change: func(t *testing.T, key string) {
						t.Helper()
						hash := "new"
						if err := db.Accounts().EditAccount(t.Context(), key, model.AccountEdit{PasswordHash: &hash, At: model.At(start)}); err != nil {
							t.Fatal(err)
						}
					},
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
