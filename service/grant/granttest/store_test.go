package granttest_test

import (
	"fmt"
	"testing"

	"latchkey/model"
	"latchkey/service/grant/granttest"
)

func TestStoreConforms(t *testing.T) {
	granttest.Conformance(t, func(t *testing.T) granttest.Harness {
		t.Helper()
		s, made := granttest.New(), 0
		return granttest.Harness{
			Store: s,
			NewAccount: func(*testing.T) model.Account {
				made++
				return s.AddAccount(fmt.Sprintf("%032d", made))
			},
			SetApp:     func(_ *testing.T, clientID string, inUse bool) { s.SetApp(clientID, inUse) },
			NewLogin:   func(_ *testing.T, l model.Login) { s.AddLogin(l) },
			Login:      func(t *testing.T, id string) (model.Login, error) { t.Helper(); return s.Login(t.Context(), id) },
			EndLogin:   func(_ *testing.T, id string, at model.Time) { s.EndLogin(id, at) },
			EndAccount: func(_ *testing.T, key string, at model.Time) { s.EndAccount(key, false, at) },
			Delete:     func(_ *testing.T, key string) { s.DeleteAccount(key) },
		}
	})
}
