package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gorm.io/gorm"

	"latchkey/model"
)

func TestErrorsAreTranslated(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			createAccount(t, db, 1)
			exec(t, db, "INSERT INTO settings VALUES ('there', '')")
			for what, tt := range map[string]struct {
				do   func(ctx context.Context) error
				want error
			}{
				"a unique column is taken": {func(ctx context.Context) error {
					other := account(2)
					other.Username = account(1).Username
					_, err := db.Accounts().CreateAccount(ctx, other)
					return err
				}, model.ErrConflict},
				"a row id is taken": {func(ctx context.Context) error {
					other := account(2)
					other.ID = 1
					_, err := db.Accounts().CreateAccount(ctx, other)
					return err
				}, model.ErrConflict},
				"a primary key is taken": {func(ctx context.Context) error {
					return db.Settings().AddSetting(ctx, model.Setting{Key: "there"})
				}, model.ErrConflict},
				"the owner does not exist": {func(ctx context.Context) error {
					return db.TOTP().SavePendingTOTP(ctx, "nobody", "sealed", model.At(start))
				}, model.ErrStale},
				"a reader finds no row": {func(ctx context.Context) error {
					_, err := db.Logins().Login(ctx, "none")
					return err
				}, model.ErrNotFound},
				"a writer finds no row": {func(ctx context.Context) error {
					_, _, err := db.Logins().EndDevice(ctx, "", "none", model.EndEvicted, model.At(start))
					return err
				}, model.ErrNotFound},
			} {
				if err := tt.do(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("%s: %v, want %v", what, err, tt.want)
				}
			}
		})
	}
}

func TestCancelledContextIsUnavailable(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, readErr := db.Settings().Settings(ctx)
			_, transactionErr := db.Accounts().Profile(ctx, "none")
			writeErr := db.Settings().AddSetting(ctx, model.Setting{Key: "one"})
			for what, err := range map[string]error{
				"a query": readErr, "a reading transaction": transactionErr, "a write": writeErr,
			} {
				if !errors.Is(err, model.ErrUnavailable) || !errors.Is(err, context.Canceled) {
					t.Errorf("%s = %v, want %v because of %v", what, err, model.ErrUnavailable, context.Canceled)
				}
			}
			if rows, err := db.Settings().Settings(t.Context()); err != nil || len(rows) != 0 {
				t.Errorf("Settings afterwards = %v, %v, want none", rows, err)
			}
		})
	}
}

// The context of a transaction can end between its last statement and its
// commit; then it was rolled back already.
func TestTransactionThatEndedUnderItsWriterIsUnavailable(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			err := db.Write(t.Context(), func(tx *gorm.DB) error {
				under, ok := tx.Statement.ConnPool.(*sql.Tx)
				if !ok {
					t.Fatalf("the transaction is a %T", tx.Statement.ConnPool)
				}
				return under.Rollback()
			})
			if !errors.Is(err, model.ErrUnavailable) {
				t.Errorf("Write = %v, want %v", err, model.ErrUnavailable)
			}
			createAccount(t, db, 1) // the connection goes on working
		})
	}
}

func TestInterruptedStatementIsUnavailable(t *testing.T) {
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) " +
		"INSERT INTO settings SELECT 'k', 'v' FROM n WHERE i < 0"
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err := db.Write(ctx, func(tx *gorm.DB) error { return tx.Exec(endless).Error })
			if !errors.Is(err, model.ErrUnavailable) {
				t.Errorf("an endless statement = %v, want %v", err, model.ErrUnavailable)
			}
			createAccount(t, db, 1) // the connection goes on working
		})
	}
}

func TestLockedDatabaseIsUnavailable(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "latchkey.db")
			db, other := openAt(t, path, opts), openAt(t, path, opts)
			exec(t, db, "PRAGMA busy_timeout = 50") // milliseconds
			locked := model.Setting{Key: "locked"}
			err := other.Write(t.Context(), func(*gorm.DB) error {
				if err := db.Settings().AddSetting(t.Context(), locked); !errors.Is(err, model.ErrUnavailable) {
					t.Errorf("AddSetting while another writes = %v, want %v", err, model.ErrUnavailable)
				}
				if _, err := db.Settings().Settings(t.Context()); err != nil {
					t.Errorf("Settings while another writes = %v", err)
				}
				return nil
			})
			if err != nil {
				t.Fatalf("hold the lock: %v", err)
			}
			if err := db.Settings().AddSetting(t.Context(), locked); err != nil {
				t.Errorf("AddSetting afterwards = %v", err)
			}
		})
	}
}

func TestFullDiskIsUnavailable(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			exec(t, db, "PRAGMA max_page_count = 1") // SQLite makes it the present size
			big := model.Setting{Key: "big", Value: fmt.Sprintf("%0100000d", 0)}
			if err := db.Settings().AddSetting(t.Context(), big); !errors.Is(err, model.ErrUnavailable) {
				t.Errorf("AddSetting on a full disk = %v, want %v", err, model.ErrUnavailable)
			}
			if rows, err := db.Settings().Settings(t.Context()); err != nil || len(rows) != 0 {
				t.Errorf("Settings = %d rows, %v, want none", len(rows), err)
			}
			exec(t, db, "PRAGMA max_page_count = 100000")
			if err := db.Settings().AddSetting(t.Context(), big); err != nil {
				t.Errorf("AddSetting with room again = %v", err)
			}
		})
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			err := db.Write(t.Context(), func(tx *gorm.DB) error {
				if err := tx.Create(&model.Setting{Key: "half"}).Error; err != nil {
					return err
				}
				return boom
			})
			if !errors.Is(err, boom) {
				t.Errorf("Write = %v, want %v", err, boom)
			}
			if rows, err := db.Settings().Settings(t.Context()); err != nil || len(rows) != 0 {
				t.Errorf("Settings = %v, %v, want none", rows, err)
			}
		})
	}
}

func TestTraceHearsEveryStatement(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			var heard []string
			opts.Trace = func(sql string) { heard = append(heard, sql) }
			db := open(t, opts)
			heard = nil
			if _, err := db.Settings().Settings(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(heard) != 1 {
				t.Errorf("one query traced as %q", heard)
			}
		})
	}
}
