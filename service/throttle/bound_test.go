package throttle_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
)

// absorbing is a store whose rows take no memory.
type absorbing struct{ *throttletest.Store }

func (absorbing) SaveThrottles(context.Context, []model.ThrottleLift, []model.Throttle) error {
	return nil
}

// F-08: a million names from a million addresses.
func TestAMillionKeysStayBounded(t *testing.T) {
	c := &clock{}
	s := start(t, throttle.Defaults(), absorbing{throttletest.New()}, c.now)
	victim := from(here, "owner")
	failures(t, s, victim, 10)
	before, goroutines := live(), runtime.NumGoroutine()
	name := strings.Repeat("x", 200)
	for i := range 1_000_000 {
		address := "2001:db8:" + strconv.FormatInt(int64(i>>16), 16) + ":" + strconv.FormatInt(int64(i&0xffff), 16) + "::1"
		if ticket, err := s.Begin(t.Context(), from(address, name+strconv.Itoa(i))); err == nil {
			if i%2 == 0 {
				ticket.Fail()
			} else {
				ticket.Succeed()
			}
		}
		c.move(time.Microsecond)
	}
	grown := int64(live()-before) >> 20
	t.Logf("%d keys, %d MiB", s.Keys(), grown)
	if s.Keys() > 7*throttle.Defaults().MaxKeys {
		t.Errorf("%d keys are held, want at most 7 × %d", s.Keys(), throttle.Defaults().MaxKeys)
	}
	if grown > 64 {
		t.Errorf("the heap grew by %d MiB, want at most 64", grown)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, there were %d", n, goroutines)
	}
	if fail(t, s, from(there, victim.AccountKey)) {
		t.Error("the flood washed the victim's counter away")
	}
}

func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The smallest table there is: every new key of a shard drops the one before.
func TestSmallTablesStayBounded(t *testing.T) {
	c := &clock{}
	cfg := throttle.Defaults()
	cfg.MaxKeys = 64 // one for each shard
	s := start(t, cfg, absorbing{throttletest.New()}, c.now)
	for i := range 10_000 {
		fail(t, s, from(here, strconv.Itoa(i)))
		fail(t, s, from("10.0.0."+strconv.Itoa(i%250), "owner"))
		if n := s.Keys(); n > 7*64 {
			t.Fatalf("%d keys after %d attempts, want at most 7 × 64", n, i)
		}
		c.move(time.Second)
	}
}

func TestConfigMistakesAreReportedTogether(t *testing.T) {
	cfg := throttle.Defaults()
	if err := cfg.Validate(); err != nil {
		t.Fatalf("the defaults are refused: %v", err)
	}
	cfg.Address.Burst, cfg.Codes.Every, cfg.KnownFor, cfg.MaxKeys = 0, 1<<62, 0, 63
	_, err := throttle.New(cfg, throttle.Deps{Now: time.Now})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"address:", "codes:", "known for", "63 keys"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %q", err, want)
		}
	}
}

func BenchmarkBegin(b *testing.B) { // every sign-in, before the hash
	s, _ := newService(b)
	for name, a := range map[string]throttle.Attempt{
		"unknown": from("2001:db8::1", "stranger"),
		"known":   {AccountKey: "owner", Address: here, Device: "phone", Known: true},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ticket, err := s.Begin(b.Context(), a)
				if err != nil {
					b.Fatal(err)
				}
				ticket.Cancel()
			}
		})
	}
	b.Run("flood of names", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i++
			_, _ = s.Begin(b.Context(), from("10."+strconv.Itoa(i>>16&255)+"."+strconv.Itoa(i>>8&255)+"."+strconv.Itoa(i&255), strconv.Itoa(i)))
		}
	})
}
