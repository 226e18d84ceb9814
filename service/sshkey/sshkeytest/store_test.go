package sshkeytest_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/sshkey/sshkeytest"
)

func TestStore(t *testing.T) {
	sshkeytest.Conformance(t, func(*testing.T) sshkeytest.Harness {
		store, accounts := sshkeytest.New(), 0
		return sshkeytest.Harness{
			Store: store,
			NewAccount: func(*testing.T) string {
				accounts++
				key := fmt.Sprintf("%032x", accounts)
				store.AddAccount(key)
				return key
			},
			Suspend: func(_ *testing.T, id int64) { store.Suspend(id, model.At(time.Unix(1, 0))) },
		}
	})
}
