package sqlstore_test

import (
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/grant/granttest"
)

func TestGrantsConform(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			granttest.Conformance(t, func(t *testing.T) granttest.Harness {
				t.Helper()
				return grantHarness(open(t, opts))
			})
		})
	}
}

func grantHarness(db *sqlstore.DB) granttest.Harness {
	made := new(atomic.Int64)
	return granttest.Harness{
		Store:      db.Grants(),
		NewAccount: func(t *testing.T) model.Account { t.Helper(); return createAccount(t, db, int(made.Add(1))) },
		SetApp:     func(t *testing.T, clientID string, inUse bool) { t.Helper(); setApp(t, db, clientID, inUse) },
		NewLogin: func(t *testing.T, l model.Login) {
			t.Helper()
			if err := db.Write(t.Context(), func(tx *gorm.DB) error { return tx.Create(&l).Error }); err != nil {
				t.Fatal(err)
			}
		},
		Login: func(t *testing.T, id string) (model.Login, error) {
			t.Helper()
			return db.Logins().Login(t.Context(), id)
		},
		EndLogin: func(t *testing.T, id string, at model.Time) {
			t.Helper()
			l, err := db.Logins().Login(t.Context(), id)
			if err == nil {
				_, err = db.Logins().EndLogin(t.Context(), l.AccountKey, id, model.EndEvicted, at)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		EndAccount: func(t *testing.T, key string, at model.Time) {
			t.Helper()
			hash := "new"
			if err := db.Accounts().EditAccount(t.Context(), key, model.AccountEdit{PasswordHash: &hash, At: at}); err != nil {
				t.Fatal(err)
			}
		},
		Delete: func(t *testing.T, key string) {
			t.Helper()
			if err := db.Accounts().DeleteAccount(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// setApp registers an app, or switches it on or off.
func setApp(t testing.TB, db *sqlstore.DB, clientID string, inUse bool) {
	t.Helper()
	row := model.OAuthClient{ID: clientID, Name: "App", Disabled: !inUse, CreatedAt: model.At(start), UpdatedAt: model.At(start)}
	if err := db.Write(t.Context(), func(tx *gorm.DB) error { return tx.Save(&row).Error }); err != nil {
		t.Fatal(err)
	}
}

// O-12, R-05: what was approved before an app was thrown out is not fetched
// after it.
func TestEvictingAnAppTakesBackWhatItHasNotFetched(t *testing.T) {
	for name, opts := range drivers(t) {
		for act, end := range map[string]func(db *sqlstore.DB, account, device, login string, at model.Time) error{
			"the device": func(db *sqlstore.DB, account, device, _ string, at model.Time) error {
				_, _, err := db.Logins().EndDevice(t.Context(), account, device, model.EndEvicted, at)
				return err
			},
			"all others": func(db *sqlstore.DB, account, _, login string, at model.Time) error {
				_, _, err := db.Logins().EndOthers(t.Context(), account, login, model.EndEvicted, model.Live{At: at})
				return err
			},
		} {
			t.Run(name+", "+act, func(t *testing.T) {
				db := open(t, opts)
				a, own, now := createAccount(t, db, 1), "own login", model.At(start)
				openLogin(t, db, a.Key, own)
				const app = "device of app"
				code := model.GrantCode{Hash: "c", AccountKey: a.Key, DeviceKey: app, CreatedAt: now, ExpiresAt: model.At(now.Add(time.Minute))}
				device := model.DeviceCode{Hash: "d", UserHash: "u", CreatedAt: now, ExpiresAt: model.At(now.Add(time.Minute)), State: model.DevicePending}
				err := db.Write(t.Context(), func(tx *gorm.DB) error {
					return tx.Create(&model.Device{Key: app, AccountKey: a.Key, Kind: model.DeviceOAuth, CreatedAt: now, SeenAt: now}).Error
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := db.Grants().AddCode(t.Context(), code, 10); err != nil {
					t.Fatal(err)
				}
				if err := db.Grants().AddDeviceCode(t.Context(), device, model.DeviceCodeCap{Client: 9, All: 9}); err != nil {
					t.Fatal(err)
				}
				device.State, device.AccountKey, device.DeviceKey, device.Epoch = model.DeviceApproved, a.Key, app, a.Epoch
				if err := db.Grants().DecideDeviceCode(t.Context(), device, now); err != nil {
					t.Fatal(err)
				}
				if err := end(db, a.Key, app, own, now); err != nil {
					t.Fatal(err)
				}
				if _, err := db.Grants().Code(t.Context(), "c"); err == nil {
					t.Error("the code is there")
				}
				if _, err := db.Grants().DeviceCode(t.Context(), "d"); err == nil {
					t.Error("the device code is there")
				}
			})
		}
	}
}
