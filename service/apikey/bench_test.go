package apikey_test

import (
	"testing"

	"latchkey/service/access"
	"latchkey/service/apikey"
)

// warm is a service that remembers a key with an address list, and what a
// request with it brings.
func warm(t testing.TB) (*fixture, apikey.Presented, apikey.Known) {
	t.Helper()
	f := newFixture(t)
	text, _ := f.make(func(w *apikey.Wanted) { w.AllowedIPs = []string{"2001:db8::/32", "192.0.2.0/24"} })
	p := apikey.Presented{Text: text, Address: here, UserAgent: curl}
	known, err := f.Resolve(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return f, p, known
}

func BenchmarkResolveWarm(b *testing.B) { // every request with a key
	f, p, _ := warm(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Resolve(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolveCold(b *testing.B) { // the first request with a key, on the store in memory
	f, p, _ := warm(b)
	b.ReportAllocs()
	for b.Loop() {
		f.restart()
		if _, err := f.Resolve(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolveMistyped(b *testing.B) { // whoever sends anything
	f, p, _ := warm(b)
	p.Text = p.Text[:52] + "!"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Resolve(b.Context(), p); err == nil {
			b.Fatal("let in")
		}
	}
}

func BenchmarkLearn(b *testing.B) { // every request with a key
	f, _, known := warm(b)
	b.ReportAllocs()
	for b.Loop() {
		f.Learn(known.ID, access.MeRead, true)
	}
}

func TestResolveWarmAllocates(t *testing.T) { // every request with a key
	f, p, known := warm(t)
	got := testing.AllocsPerRun(200, func() {
		if _, err := f.Resolve(t.Context(), p); err != nil {
			t.Error(err)
		}
		f.Learn(known.ID, access.MeRead, true)
	})
	t.Logf("%v allocations", got)
	if got > 1 {
		t.Errorf("Resolve allocates %v times, want at most 1", got)
	}
}
