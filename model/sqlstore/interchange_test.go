package sqlstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"latchkey/model"
	"latchkey/model/sqlstore"
)

// contents is a row or two of every table.
type contents struct {
	Accounts []model.Account
	Roles    []model.Role
	Devices  []model.Device
	Logins   []model.Login
	SSHKeys  []model.SSHKey
	TOTP     []model.TOTP
	Settings []model.Setting
	Keys     []model.Key
}

// some has every column set in one row, and NULL where it may be in another.
func some() contents {
	at := func(after time.Duration) model.Time { return model.At(start.Add(after)) }
	limit, ttl := int64(-3), int64(1<<62)
	one, two := account(1), account(2)
	one.ID, two.ID = 7, 1<<40
	two.Username, two.NameFolded, two.NameKey = "Ünï 🔑 'quoted' \"twice\"", "ünï", "ünï key"
	two.PasswordHash, two.PasswordAt, two.Epoch = "$argon2id$", at(-100*365*24*time.Hour), 9
	two.BasePath, two.Roles, two.Permission, two.Disabled = "/ä/%", model.IntList{3, 1, 2}, 0xFFFF, true
	two.SSOID, two.MaxDevices, two.SessionTTL = "sso", &limit, &ttl
	return contents{
		Accounts: []model.Account{one, two},
		Roles: []model.Role{
			{ID: 1, Name: "none", Scopes: model.ScopeList{}},
			{ID: 5, Name: "röle", Description: "two\nlines", Scopes: model.ScopeList{{Path: "/ü \"x\"", Permission: 3}, {Path: "/"}}},
		},
		Devices: []model.Device{{
			Key: "d", AccountKey: two.Key, Kind: model.DeviceSFTP, UserAgent: "Ünï/1", IP: "1.2.*.*",
			CreatedAt: at(time.Millisecond), SeenAt: at(time.Second),
		}},
		Logins: []model.Login{
			{ID: "a", AccountKey: two.Key, DeviceKey: "d", CreatedAt: at(0), SeenAt: at(1 * time.Hour), ExpiresAt: at(80 * 365 * 24 * time.Hour)},
			{
				ID: "b", AccountKey: two.Key, DeviceKey: "gone", CreatedAt: at(0), FreshAt: at(2 * time.Millisecond), SeenAt: at(0),
				ExpiresAt: at(time.Hour), EndedAt: at(time.Minute), EndReason: model.EndEvicted,
			},
		},
		SSHKeys: []model.SSHKey{
			{ID: 3, AccountKey: one.Key, Title: "ключ", Fingerprint: "SHA256:x", PublicKey: "ssh-ed25519 AAAA", Comment: "c", AddedAt: at(0), LastUsedAt: at(1)},
			{ID: 9, AccountKey: two.Key, Title: "", Fingerprint: "SHA256:x", PublicKey: "", AddedAt: at(0)},
		},
		TOTP: []model.TOTP{
			{AccountKey: one.Key, Pending: "p", PendingAt: at(0)},
			{AccountKey: two.Key, Secret: "s", EnrolledAt: at(0), LastStep: 1 << 60},
		},
		Settings: []model.Setting{{Key: "announcement", Value: "line\r\n\x00🏠"}, {Key: "empty"}},
		Keys:     []model.Key{{ID: "0badcafe", Purpose: model.KeySeal, Sealed: "v1:master:AAAA", CreatedAt: at(0)}},
	}
}

// fill writes some into an empty database.
func fill(t *testing.T, db *sqlstore.DB) {
	t.Helper()
	c := some()
	err := db.Write(t.Context(), func(tx *gorm.DB) error {
		for _, rows := range []any{&c.Roles, &c.Accounts, &c.Devices, &c.Logins, &c.SSHKeys, &c.TOTP, &c.Settings, &c.Keys} {
			if err := tx.Create(rows).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("fill the tables: %v", err)
	}
}

// read is everything in the tables.
func read(t *testing.T, db *sqlstore.DB) contents {
	t.Helper()
	var c contents
	err := db.Write(t.Context(), func(tx *gorm.DB) error {
		for _, q := range []struct {
			rows  any
			order string
		}{
			{&c.Accounts, "id"},
			{&c.Roles, "id"},
			{&c.Devices, "key"},
			{&c.Logins, "id"},
			{&c.SSHKeys, "id"},
			{&c.TOTP, "account_key"},
			{&c.Settings, "key"},
			{&c.Keys, "id"},
		} {
			if err := tx.Order(q.order).Find(q.rows).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the tables: %v", err)
	}
	return c
}

func TestFilesAreInterchangeable(t *testing.T) {
	for writerName, writes := range drivers(t) {
		for readerName, reads := range drivers(t) {
			t.Run(writerName+" writes and "+readerName+" reads", func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "latchkey.db")
				first, err := sqlstore.Open(path, writes)
				if err != nil {
					t.Fatalf("Open = %v", err)
				}
				if _, err := first.Migrate(t.Context()); err != nil {
					t.Fatalf("Migrate = %v", err)
				}
				fill(t, first)
				if diff := cmp.Diff(some(), read(t, first)); diff != "" {
					t.Errorf("the writer reads something else (-written +read):\n%s", diff)
				}
				if err := first.Close(); err != nil {
					t.Fatalf("Close = %v", err)
				}

				second := openRaw(t, path, reads)
				if n, err := second.Migrate(t.Context()); err != nil || n != 0 {
					t.Errorf("Migrate = %d, %v, want no step", n, err)
				}
				if diff := cmp.Diff(some(), read(t, second)); diff != "" {
					t.Errorf("rows differ (-written +read):\n%s", diff)
				}
				classes := column(t, writer(t, second), `SELECT DISTINCT typeof(created_at) || typeof(seen_at) || typeof(expires_at) FROM logins`)
				if diff := cmp.Diff([]string{"integerintegerinteger"}, classes); diff != "" {
					t.Errorf("instants are not kept as numbers (-want +got):\n%s", diff)
				}
			})
		}
	}
}
