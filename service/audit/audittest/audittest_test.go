package audittest_test

import (
	"fmt"
	"testing"

	"latchkey/model"
	"latchkey/service/audit/audittest"
)

func TestStore(t *testing.T) {
	audittest.Conformance(t, func(*testing.T) audittest.Harness {
		s, made := audittest.New(), int64(0)
		return audittest.Harness{
			Store: s,
			NewAccount: func(*testing.T) model.Account {
				made++
				a := model.Account{ID: made, Key: fmt.Sprintf("account %d", made), Username: fmt.Sprintf("person %d", made)}
				s.AddAccount(a)
				return a
			},
			DeleteAccount: func(_ *testing.T, key string) { s.DeleteAccount(key) },
		}
	})
}
