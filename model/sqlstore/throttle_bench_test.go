package sqlstore_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"latchkey/model/sqlstore"
	"latchkey/service/throttle"
)

// BenchmarkCountedSignIn is what counting adds to each sign-in: one read, and
// one write that is on disk before the password is looked at. Those that come
// together share a write.
func BenchmarkCountedSignIn(b *testing.B) {
	db, err := sqlstore.Open(filepath.Join(b.TempDir(), "latchkey.db"), sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := db.Accounts().CreateAccount(b.Context(), account(1)); err != nil {
		b.Fatal(err)
	}
	s, err := throttle.New(throttle.Defaults(), throttle.Deps{
		Store: db.Throttle(), Key: []byte("0123456789abcdef0123456789abcdef"), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	signIn := func(i int) {
		ticket, err := s.Begin(b.Context(), throttle.Attempt{
			AccountKey: account(1).Key, Address: fmt.Sprintf("10.0.%d.%d", i>>8&255, i&255), Device: "phone", Known: true,
		})
		if err != nil {
			b.Error(err)
			return
		}
		ticket.Succeed()
	}
	b.Run("one by one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			signIn(i)
		}
	})
	b.Run("many at once", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				signIn(i)
			}
		})
	})
}
