package totptest_test

import (
	"testing"

	"latchkey/model"
	"latchkey/service/totp/totptest"
)

func TestFakeConforms(t *testing.T) {
	totptest.Conformance(t, func(*testing.T) totptest.Harness {
		store := totptest.New()
		return totptest.Harness{
			Store:      store,
			NewAccount: func(*testing.T) string { return store.NewAccount() },
			NewLogin:   func(_ *testing.T, accountKey string) string { return store.NewLogin(accountKey) },
			EndLogin:   func(_ *testing.T, _, id string) { store.EndLogin(id) },
			EndReason:  func(_ *testing.T, id string) model.EndReason { return store.EndReason(id) },
		}
	})
}
