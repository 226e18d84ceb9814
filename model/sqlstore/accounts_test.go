package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/account/accounttest"
)

func TestAccounts(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			accounttest.Conformance(t, func(t *testing.T) accounttest.Harness { return accountHarness(open(t, opts)) })
		})
	}
}

func accountHarness(db *sqlstore.DB) accounttest.Harness {
	return accounttest.Harness{
		Store: db.Accounts(),
		Attach: func(t *testing.T, accountKey string) string {
			enrol(t, db, accountKey)
			key := model.SSHKey{AccountKey: accountKey, Title: "t", Fingerprint: "f", PublicKey: "p", AddedAt: model.At(start)}
			if _, err := db.SSHKeys().AddSSHKey(t.Context(), key, 1); err != nil {
				t.Fatalf("AddSSHKey = %v", err)
			}
			codes := []model.RecoveryCode{{AccountKey: accountKey, Hash: "h", CreatedAt: model.At(start)}}
			if err := db.TOTP().RenewRecoveryCodes(t.Context(), accountKey, "", codes); err != nil {
				t.Fatalf("RenewRecoveryCodes = %v", err)
			}
			id := "login of " + accountKey
			openLogin(t, db, accountKey, id)
			return id
		},
		Attached: func(t *testing.T, accountKey string) int {
			total := 0
			for _, table := range []string{"devices", "logins", "recovery_codes", "ssh_keys", "totp"} {
				total += len(column(t, reader(t, db), fmt.Sprintf("SELECT 'row' FROM %s WHERE account_key = '%s'", table, accountKey)))
			}
			if total != 0 && total != 5 {
				t.Errorf("%d rows hang on the account, want one of each table or none", total)
			}
			return total
		},
		Login: func(t *testing.T, loginID string) model.Login {
			l, err := db.Logins().Login(t.Context(), loginID)
			if err != nil {
				t.Fatalf("Login = %v", err)
			}
			return l
		},
		EndReason: func(t *testing.T, loginID string) model.EndReason { return endReason(t, db, loginID) },
	}
}

// enrol gives an account a second factor.
func enrol(t *testing.T, db *sqlstore.DB, accountKey string) {
	t.Helper()
	at := model.At(start)
	if err := db.TOTP().SavePendingTOTP(t.Context(), accountKey, "pending", at); err != nil {
		t.Fatalf("SavePendingTOTP = %v", err)
	}
	row := model.TOTP{AccountKey: accountKey, Pending: "pending", PendingAt: at, Secret: "secret", EnrolledAt: model.At(at.Add(time.Second))}
	if err := db.TOTP().EnrolTOTP(t.Context(), row, ""); err != nil {
		t.Fatalf("EnrolTOTP = %v", err)
	}
}

func endReason(t *testing.T, db *sqlstore.DB, loginID string) model.EndReason {
	t.Helper()
	l, err := db.Logins().Login(t.Context(), loginID)
	if err != nil {
		t.Fatalf("Login = %v", err)
	}
	return l.EndReason
}

func TestPendingSecretIsNoSecondFactor(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			a := createAccount(t, db, 1)
			if err := db.TOTP().SavePendingTOTP(t.Context(), a.Key, "pending", model.At(start)); err != nil {
				t.Fatal(err)
			}
			if p, err := db.Accounts().Profile(t.Context(), a.Key); err != nil || p.TwoFactor {
				t.Errorf("TwoFactor = %v, %v, want false", p.TwoFactor, err)
			}
		})
	}
}

func TestIDsAreNeverUsedAgainAfterARestart(t *testing.T) { // S-12: AUTOINCREMENT
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir() + "/latchkey.db"
			db, err := sqlstore.Open(path, opts)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			last := createAccount(t, db, 1)
			if err := db.Accounts().DeleteAccount(t.Context(), last.Key); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if next := createAccount(t, openAt(t, path, opts), 2); next.ID <= last.ID {
				t.Errorf("the id after a restart is %d, want more than %d", next.ID, last.ID)
			}
		})
	}
}

func TestExactNameWinsWhateverThePlan(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			exec(t, db, "DROP INDEX accounts_name_folded") // now SQLite reads the table in the order of its ids
			for n := range 5 {
				twin := account(n)
				twin.NameFolded = "folded"
				if _, err := db.Accounts().CreateAccount(t.Context(), twin); err != nil {
					t.Fatal(err)
				}
			}
			for n := range 5 {
				if a, err := db.Accounts().AccountByName(t.Context(), account(n).Username, "folded"); err != nil || a.Key != account(n).Key {
					t.Errorf("AccountByName of twin %d = %q, %v", n, a.Key, err)
				}
			}
		})
	}
}
