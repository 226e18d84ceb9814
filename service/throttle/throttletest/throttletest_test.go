package throttletest_test

import (
	"strconv"
	"testing"

	"latchkey/service/throttle/throttletest"
)

func TestFakeConforms(t *testing.T) {
	throttletest.Conformance(t, func(*testing.T) throttletest.Harness {
		store, made := throttletest.New(), 0
		return throttletest.Harness{
			Store: store,
			NewAccount: func(*testing.T) string {
				made++
				return "account-" + strconv.Itoa(made)
			},
			DeleteAccount: func(_ *testing.T, accountKey string) { store.DeleteAccount(accountKey) },
		}
	})
}
