package apikeytest_test

import (
	"fmt"
	"testing"

	"latchkey/service/apikey/apikeytest"
)

func TestStore(t *testing.T) {
	apikeytest.Conformance(t, func(*testing.T) apikeytest.Harness {
		store, accounts := apikeytest.New(), 0
		return apikeytest.Harness{
			Store: store,
			NewAccount: func(*testing.T) string {
				accounts++
				key := fmt.Sprintf("%032x", accounts)
				store.AddAccount(key)
				return key
			},
			NewLogin: func(_ *testing.T, accountKey string) string {
				accounts++
				id := fmt.Sprintf("login%d", accounts)
				store.OpenLogin(accountKey, id)
				return id
			},
			EndLogin:    func(_ *testing.T, _, id string) { store.EndLogin(id) },
			Change:      func(_ *testing.T, key string) { store.Change(key) },
			DropAccount: func(_ *testing.T, key string) { store.DropAccount(key) },
		}
	})
}
