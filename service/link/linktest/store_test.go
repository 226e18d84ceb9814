package linktest_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/link/linktest"
)

func TestStoreConforms(t *testing.T) {
	linktest.Conformance(t, func(*testing.T) linktest.Harness {
		store, made := linktest.New(), new(atomic.Int64)
		next := func() string { return strconv.FormatInt(made.Add(1), 10) }
		return linktest.Harness{
			Store: store,
			NewAccount: func(_ *testing.T, email string) string {
				key := next()
				store.AddAccount(model.Account{Key: key, Email: email})
				return key
			},
			NewLogin: func(_ *testing.T, accountKey, deviceKey string) string {
				id := next()
				store.AddLogin(model.Login{ID: id, AccountKey: accountKey, DeviceKey: deviceKey, FreshAt: model.At(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))})
				return id
			},
			NewAPIKey: func(_ *testing.T, accountKey, deviceKey string) int64 {
				id := made.Add(1)
				store.AddAPIKey(model.APIKey{ID: id, AccountKey: accountKey, CreatedOnDevice: deviceKey})
				return id
			},
			RevokedWhy: func(_ *testing.T, id int64) model.RevokeReason { return store.RevokedWhy(id) },
			EndReason:  func(_ *testing.T, id string) model.EndReason { return store.EndReason(id) },
			FreshAt:    func(_ *testing.T, id string) model.Time { return store.FreshAt(id) },
			Account:    func(_ *testing.T, key string) model.Account { return store.Account(key) },
		}
	})
}
