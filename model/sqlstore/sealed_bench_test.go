package sqlstore_test

import (
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

// BenchmarkReseal is what a rotation of keys costs an installation of 10,000
// accounts with a second factor each.
func BenchmarkReseal(b *testing.B) {
	db, err := sqlstore.Open(b.TempDir()+"/latchkey.db", sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	ring, err := keyring.Open(b.Context(), db.Keys(), keyringtest.Master(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	const secrets = 10_000
	var in model.Import
	for n := range secrets {
		a := account(n + 10)
		sealed, err := ring.Seal("totp|secret|"+a.Key, []byte("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
		if err != nil {
			b.Fatal(err)
		}
		in.Accounts = append(in.Accounts, a)
		in.TOTP = append(in.TOTP, model.TOTP{AccountKey: a.Key, Secret: sealed, EnrolledAt: model.At(start)})
	}
	if err := db.Imports().ImportAll(b.Context(), in, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ring.Rotate(b.Context()); err != nil {
			b.Fatal(err)
		}
		done, err := ring.Reseal(b.Context())
		if err != nil || done.Values != secrets {
			b.Fatalf("Reseal = %+v, %v", done, err)
		}
	}
}
