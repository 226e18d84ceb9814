package session_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"latchkey/model"
	"latchkey/service/session"
)

func warm(b testing.TB, clientID string) (*fixture, session.Presented) {
	b.Helper()
	f := newFixture(b)
	p := session.Presented{
		Token: f.signIn(f.alice, laptop).Token, ClientID: clientID, UserAgent: browser, Address: "192.0.2.7",
	}
	if _, err := f.Resolve(b.Context(), p); err != nil {
		b.Fatalf("Resolve = %v", err)
	}
	return f, p
}

func BenchmarkResolveWarm(b *testing.B) { // every authenticated request
	for name, clientID := range map[string]string{"without Client-Id": "", "with Client-Id": laptop} {
		b.Run(name, func(b *testing.B) {
			f, p := warm(b, clientID)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Resolve(b.Context(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkResolveWarmParallel(b *testing.B) { // many requests of one login at once
	f, p := warm(b, "")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := f.Resolve(b.Context(), p); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) { // every sign-in, without its password and its transaction
	f := newFixture(b)
	f.ghostly()
	o := from(f.alice, laptop)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Open(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
}

// ghost answers with the login that was opened last and keeps no other.
type ghost struct {
	*watched

	last model.Login
}

func (g *ghost) OpenLogin(_ context.Context, o model.LoginOpening) (int64, error) {
	g.last = o.Login
	return 0, nil
}

// Login is the row in strings of its own, as a database would return it.
func (g *ghost) Login(context.Context, string) (model.Login, error) {
	row := g.last
	row.ID, row.AccountKey, row.DeviceKey = strings.Clone(row.ID), strings.Clone(row.AccountKey), strings.Clone(row.DeviceKey)
	return row, nil
}

func BenchmarkMemoryPerLogin(b *testing.B) { // 10,000 accounts with 100 logins each
	const accounts, each = 10_000, 100
	for b.Loop() {
		f := newFixture(b)
		f.ghostly()
		before := heap()
		for i := range accounts {
			a := model.Account{Key: f.DeviceKey("account", string(rune(i))), Username: "alice"}
			for range each {
				if _, err := f.resolve(f.signIn(a, laptop).Token, ""); err != nil {
					b.Fatal(err)
				}
			}
			if i%100 == 99 {
				if err := f.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric((heap()-before)/(accounts*each), "B/login")
		runtime.KeepAlive(f)
	}
}

// ghostly is the fixture on a store that remembers nothing.
func (f *fixture) ghostly() {
	f.t.Helper()
	f.restartOn(&ghost{watched: f.store})
}

// heap is how many bytes are in use.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func TestResolveWarmAllocates(t *testing.T) { // every authenticated request
	for name, tt := range map[string]struct {
		clientID string
		budget   float64
	}{
		"nothing without a Client-Id": {"", 0},
		"nothing with a Client-Id":    {laptop, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := warm(t, tt.clientID)
			got := testing.AllocsPerRun(200, func() {
				if _, err := f.Resolve(t.Context(), p); err != nil {
					t.Error(err)
				}
			})
			t.Logf("%v allocations", got)
			if got > tt.budget && !raceEnabled {
				t.Errorf("Resolve allocates %v times, want at most %v", got, tt.budget)
			}
		})
	}
}
