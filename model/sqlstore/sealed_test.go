package sqlstore_test

import (
	"testing"

	"gorm.io/gorm"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/keyring/keyringtest"
)

func TestSealedValues(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			keyringtest.SealedConformance(t, func(t *testing.T) keyringtest.Sealing {
				db := open(t, opts)
				return keyringtest.Sealing{Store: db.Keys(), Put: func(t *testing.T, texts ...string) []model.Sealed {
					return putSealed(t, db, texts)
				}}
			})
		})
	}
}

// putSealed stores the texts in every column that may hold a sealed value in
// turn.
func putSealed(t *testing.T, db *sqlstore.DB, texts []string) []model.Sealed {
	t.Helper()
	columns := sqlstore.SealedColumns()
	var list []model.Sealed
	for i, text := range texts {
		at := columns[i%len(columns)]
		row := createAccount(t, db, i+1).Key
		switch at.Table {
		case "accounts":
		case "notices":
			notice := model.Notice{ID: row, AccountKey: row, Channel: model.NoticeMail, NextAt: model.At(start), CreatedAt: model.At(start)}
			if err := db.Write(t.Context(), func(tx *gorm.DB) error { return tx.Create(&notice).Error }); err != nil {
				t.Fatal(err)
			}
		case "oauth_tokens":
			openLogin(t, db, row, row)
			token := model.GrantToken{Hash: row, Kind: model.RefreshToken, LoginID: row, AccountKey: row, CreatedAt: model.At(start), ExpiresAt: model.At(start)}
			g := model.Grant{LoginID: row, AccountKey: row, CreatedAt: model.At(start)}
			if err := db.Grants().AddGrant(t.Context(), g, []model.GrantToken{token}, model.At(start)); err != nil {
				t.Fatal(err)
			}
		case "settings":
			if err := db.Settings().AddSetting(t.Context(), model.Setting{Key: row}); err != nil {
				t.Fatal(err)
			}
		case "totp":
			if err := db.TOTP().SavePendingTOTP(t.Context(), row, "", model.At(start)); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("how does a row of %s come about?", at.Table)
		}
		statement := "UPDATE " + at.Table + " SET " + at.Column + " = ? WHERE " + at.Key + " = ?"
		if _, err := writer(t, db).ExecContext(t.Context(), statement, at.Prefix+text, row); err != nil {
			t.Fatal(err)
		}
		list = append(list, model.Sealed{Table: at.Table, Column: at.Column, Row: row, Value: text})
	}
	return list
}

func TestResealingLeavesTheRestOfARow(t *testing.T) {
	db := open(t, sqlstore.Options{})
	at := model.At(start)
	a := createAccount(t, db, 1)
	if err := db.TOTP().SavePendingTOTP(t.Context(), a.Key, "v1:aaaaaaaa:x", at); err != nil {
		t.Fatal(err)
	}
	old := model.Sealed{Table: "totp", Column: "pending", Row: a.Key, Value: "v1:aaaaaaaa:x"}
	if n, err := db.Keys().Reseal(t.Context(), []model.Reseal{{Sealed: old, Becomes: "v1:bbbbbbbb:y"}}); n != 1 || err != nil {
		t.Fatalf("Reseal = %d, %v", n, err)
	}
	row, err := db.TOTP().TOTP(t.Context(), a.Key)
	if want := (model.TOTP{AccountKey: a.Key, Pending: "v1:bbbbbbbb:y", PendingAt: at}); err != nil || row != want {
		t.Errorf("TOTP = %+v, %v, want %+v", row, err, want)
	}
	for _, nowhere := range []model.Sealed{{Table: "totp", Column: "account_key", Row: a.Key}, {Table: "keys", Column: "sealed"}, {}} {
		if _, err := db.Keys().Reseal(t.Context(), []model.Reseal{{Sealed: nowhere}}); err == nil {
			t.Errorf("Reseal of %s changed a column that holds no sealed value", nowhere.AAD())
		}
	}
}
