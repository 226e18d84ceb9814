package sqlstore_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"latchkey/model/sqlstore"
	"latchkey/service/access"
	"latchkey/service/audit"
)

// BenchmarkRecord is what an ending pays for its event: a synced transaction,
// shared by those who end something at the same time.
func BenchmarkRecord(b *testing.B) {
	for name, callers := range map[string]int{"one caller": 1, "32 callers": 32} {
		b.Run(name, func(b *testing.B) {
			r, by := recorder(b)
			b.SetParallelism(callers)
			ctx := access.With(b.Context(), by)
			record := func() {
				if err := r.Record(ctx, audit.Event{Kind: audit.DeviceEvicted, AccountKey: "account", DeviceKey: "device"}); err != nil {
					b.Error(err)
				}
			}
			b.ReportAllocs()
			if callers == 1 {
				for b.Loop() {
					record()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					record()
				}
			})
		})
	}
}

// BenchmarkNote is what a sign-in pays for its event.
func BenchmarkNote(b *testing.B) {
	r, by := recorder(b)
	ctx := access.With(b.Context(), by)
	b.ReportAllocs()
	waiting := 0
	for b.Loop() {
		r.Note(ctx, audit.Event{Kind: audit.SignedIn, AccountKey: "account", AccountID: 3, Username: "ann", DeviceKey: "device"})
		if waiting++; waiting == 10_000 {
			b.StopTimer()
			waiting = 0
			if err := r.Flush(ctx); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
}

// BenchmarkFlush is what the database pays for a noted event.
func BenchmarkFlush(b *testing.B) {
	r, by := recorder(b)
	ctx := access.With(b.Context(), by)
	for n := 0; b.Loop(); n++ {
		r.Note(ctx, audit.Event{Kind: audit.SignedIn, AccountKey: "account", AccountID: 3, Username: "ann", DeviceKey: "device"})
		if n%10_000 == 9_999 {
			if err := r.Flush(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := r.Flush(ctx); err != nil {
		b.Fatal(err)
	}
}

func recorder(b *testing.B) (*audit.Recorder, access.Caller) {
	b.Helper()
	db, err := sqlstore.Open(filepath.Join(b.TempDir(), "latchkey.db"), sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	r := audit.Keep(slog.New(slog.DiscardHandler), audit.Config{Store: db.Audit(), Now: time.Now, Keep: time.Hour, Most: 1 << 40})
	return r, access.Caller{Kind: access.SessionToken, Account: &access.Account{Key: "k", ID: 3, Username: "ann"}, Address: "192.0.2.1", DeviceKey: "d"}
}
