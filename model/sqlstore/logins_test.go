package sqlstore_test

import (
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/session/sessiontest"
)

func TestLoginsConform(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			sessiontest.Conformance(t, func(t *testing.T) sessiontest.Harness {
				t.Helper()
				db := open(t, opts)
				var made atomic.Int64
				return sessiontest.Harness{
					Store: db.Logins(),
					NewAccount: func(t *testing.T, prepare func(*model.Account)) model.Account {
						t.Helper()
						a := account(int(made.Add(1)))
						if prepare != nil {
							prepare(&a)
						}
						a, err := db.Accounts().CreateAccount(t.Context(), a)
						if err != nil {
							t.Fatalf("CreateAccount = %v", err)
						}
						return a
					},
					ChangePassword: func(t *testing.T, key string, at model.Time) {
						t.Helper()
						hash := "new"
						err := db.Accounts().EditAccount(t.Context(), key, model.AccountEdit{PasswordHash: &hash, At: at})
						if err != nil {
							t.Errorf("EditAccount = %v", err)
						}
					},
					NewKey: func(t *testing.T, accountKey string) int64 {
						t.Helper()
						n := int(made.Add(1))
						key, err := db.SSHKeys().AddSSHKey(t.Context(), model.SSHKey{
							AccountKey: accountKey, Title: strconv.Itoa(n), Fingerprint: strconv.Itoa(n), AddedAt: model.At(time.UnixMilli(1)),
						}, 100)
						if err != nil {
							t.Fatalf("AddSSHKey = %v", err)
						}
						return key.ID
					},
					Key: func(t *testing.T, accountKey string, id int64) model.SSHKey {
						t.Helper()
						keys, _, err := db.SSHKeys().SSHKeys(t.Context(), accountKey, 0, 100)
						if err != nil {
							t.Fatalf("SSHKeys = %v", err)
						}
						for _, key := range keys {
							if key.ID == id {
								return key
							}
						}
						return model.SSHKey{}
					},
					DeleteKey: func(t *testing.T, accountKey string, id int64) {
						t.Helper()
						if err := db.SSHKeys().DeleteSSHKey(t.Context(), accountKey, id); err != nil {
							t.Errorf("DeleteSSHKey = %v", err)
						}
					},
					DeleteAccount: func(t *testing.T, key string) {
						t.Helper()
						if err := db.Accounts().DeleteAccount(t.Context(), key); err != nil {
							t.Errorf("DeleteAccount = %v", err)
						}
					},
				}
			})
		})
	}
}

// Disabling ends every login. If one were left all the same, it is not made
// fresh.
func TestADisabledAccountProvesNothing(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			a := createAccount(t, db, 1)
			openLogin(t, db, a.Key, "login")
			proof := model.LoginProof{AccountKey: a.Key, LoginID: "login", Epoch: a.Epoch, Live: model.Live{At: model.At(start.Add(time.Minute))}}
			exec(t, db, "UPDATE accounts SET disabled = 1")
			if err := db.Logins().FreshenLogin(t.Context(), proof); !errors.Is(err, model.ErrStale) {
				t.Errorf("FreshenLogin = %v, want ErrStale", err)
			}
			exec(t, db, "UPDATE accounts SET disabled = 0")
			if err := db.Logins().FreshenLogin(t.Context(), proof); err != nil {
				t.Errorf("FreshenLogin when it is enabled = %v", err)
			}
		})
	}
}
