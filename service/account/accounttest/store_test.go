package accounttest_test

import (
	"testing"

	"latchkey/model"
	"latchkey/service/account/accounttest"
)

func TestStore(t *testing.T) {
	accounttest.Conformance(t, func(*testing.T) accounttest.Harness {
		store := accounttest.New()
		return accounttest.Harness{
			Store:     store,
			Attach:    func(_ *testing.T, accountKey string) string { return store.Attach(accountKey) },
			Attached:  func(_ *testing.T, accountKey string) int { return store.Attached(accountKey) },
			Login:     func(_ *testing.T, loginID string) model.Login { return store.Login(loginID) },
			EndReason: func(_ *testing.T, loginID string) model.EndReason { return store.EndReason(loginID) },
		}
	})
}
