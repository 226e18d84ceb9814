package sqlstore_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/link/linktest"
	"latchkey/service/outbox/outboxtest"
)

func TestLinks(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			linktest.Conformance(t, func(t *testing.T) linktest.Harness { return linkHarness(open(t, opts)) })
		})
	}
}

func linkHarness(db *sqlstore.DB) linktest.Harness {
	made := new(atomic.Int64)
	account := func(t *testing.T, key string) model.Account {
		t.Helper()
		p, err := db.Accounts().Profile(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return p.Account
	}
	return linktest.Harness{
		Store: db.Links(),
		NewAccount: func(t *testing.T, email string) string {
			t.Helper()
			key := createAccount(t, db, int(made.Add(1))).Key
			if err := db.Accounts().EditAccount(t.Context(), key, model.AccountEdit{Email: &email}); err != nil {
				t.Fatal(err)
			}
			return key
		},
		NewLogin: func(t *testing.T, accountKey, deviceKey string) string {
			t.Helper()
			id := fmt.Sprintf("%032x", made.Add(1))
			row := model.Login{ID: id, AccountKey: accountKey, DeviceKey: deviceKey, CreatedAt: model.At(start), FreshAt: model.At(start), SeenAt: model.At(start), ExpiresAt: model.At(start)}
			if err := db.Write(t.Context(), func(tx *gorm.DB) error { return tx.Create(&row).Error }); err != nil {
				t.Fatal(err)
			}
			return id
		},
		NewAPIKey: func(t *testing.T, accountKey, deviceKey string) int64 {
			t.Helper()
			n := strconv.FormatInt(made.Add(1), 10)
			key, err := db.APIKeys().AddAPIKey(t.Context(), model.APIKey{AccountKey: accountKey, Name: n, Hash: n, CreatedAt: model.At(start), CreatedOnDevice: deviceKey}, model.APIKeyMaker{}, 10)
			if err != nil {
				t.Fatal(err)
			}
			return key.ID
		},
		RevokedWhy: func(t *testing.T, id int64) model.RevokeReason {
			t.Helper()
			key, err := db.APIKeys().APIKey(t.Context(), "", id)
			if err != nil {
				t.Fatal(err)
			}
			return key.RevokedWhy
		},
		EndReason: func(t *testing.T, id string) model.EndReason { return endReason(t, db, id) },
		FreshAt: func(t *testing.T, id string) model.Time {
			t.Helper()
			row, err := db.Logins().Login(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return row.FreshAt
		},
		Account: account,
	}
}

func TestNotices(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			outboxtest.Conformance(t, func(t *testing.T) outboxtest.Harness {
				db := open(t, opts)
				return outboxtest.Harness{Store: db.Notices(), Account: createAccount(t, db, 1).Key}
			})
		})
	}
}
