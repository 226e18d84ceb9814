package sessiontest_test

import (
	"testing"

	"latchkey/model"
	"latchkey/service/session/sessiontest"
)

func TestFakeConforms(t *testing.T) {
	sessiontest.Conformance(t, func(*testing.T) sessiontest.Harness {
		store := sessiontest.New()
		return sessiontest.Harness{
			Store: store,
			NewAccount: func(_ *testing.T, prepare func(*model.Account)) model.Account {
				a := model.Account{}
				if prepare != nil {
					prepare(&a)
				}
				return store.AddAccount(a)
			},
			ChangePassword: func(_ *testing.T, key string, at model.Time) {
				store.EndAccount(key, model.EndPassword, at)
			},
			NewKey:        func(_ *testing.T, accountKey string) int64 { return store.AddKey(accountKey) },
			Key:           func(_ *testing.T, _ string, id int64) model.SSHKey { return store.Key(id) },
			DeleteKey:     func(_ *testing.T, _ string, id int64) { store.DeleteKey(id) },
			DeleteAccount: func(_ *testing.T, key string) { store.DeleteAccount(key) },
		}
	})
}
