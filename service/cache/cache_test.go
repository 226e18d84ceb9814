package cache_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"latchkey/service/cache"
)

var errLoad = errors.New("broken disk")

// load puts value under the key unless something valid is there.
func load[K comparable, V any](t testing.TB, c *cache.Cache[K, V], key K, group string, value V) V {
	t.Helper()
	if got, ok := c.Get(key); ok {
		return got
	}
	got, err := c.Load(t.Context(), key, group, func(context.Context) (V, error) { return value, nil })
	if err != nil {
		t.Fatalf("Load(%v) = %v", key, err)
	}
	return got
}

func TestCacheKeepsWhatWasLoaded(t *testing.T) {
	c := cache.New[string, int](100)
	if got, ok := c.Get("a"); ok || got != 0 {
		t.Errorf("Get = %d, %v, want nothing", got, ok)
	}
	for i := range 3 {
		if got := load(t, c, "a", "group", i); got != 0 {
			t.Errorf("value = %d, want the first one", got)
		}
	}
	if c.Len() != 1 {
		t.Errorf("Len = %d, want 1", c.Len())
	}
}

func TestCacheForgetsFailures(t *testing.T) {
	c := cache.New[string, int](100)
	got, err := c.Load(t.Context(), "a", "group", func(context.Context) (int, error) { return 0, errLoad })
	if got != 0 || !errors.Is(err, errLoad) {
		t.Errorf("Load = %d, %v, want the failure", got, err)
	}
	if _, ok := c.Get("a"); ok || c.Len() != 0 {
		t.Error("a failure is remembered")
	}
	if got := load(t, c, "a", "group", 2); got != 2 {
		t.Errorf("value = %d, want 2", got)
	}
}

func TestInvalidateConcernsItsGroup(t *testing.T) {
	const groups = 200
	c := cache.New[int, int](100 * groups)
	for i := range groups {
		load(t, c, i, strconv.Itoa(i), 1)
	}
	c.Invalidate("7")
	if _, ok := c.Get(7); ok {
		t.Error("the group's value is there after it was invalidated")
	}
	kept := 0
	for i := range groups {
		if _, ok := c.Get(i); ok {
			kept++
		}
	}
	if kept < groups-5 { // one is the group's; another one may share its generation
		t.Errorf("%d of %d values are left", kept, groups)
	}
	if got := load(t, c, 7, "7", 2); got != 2 {
		t.Errorf("value = %d, want the new one", got)
	}
	c.InvalidateAll()
	for i := range groups {
		if _, ok := c.Get(i); ok {
			t.Errorf("value %d is there after all were invalidated", i)
		}
	}
}

// TestGroupsThatShareAGeneration finds two by trying, for the hash is seeded.
func TestGroupsThatShareAGeneration(t *testing.T) {
	c := cache.New[int, int](1 << 20)
	const groups = 2000 // among 16,384 generations some hundred pairs share one
	fill := func(value int) {
		for i := range groups {
			load(t, c, i, strconv.Itoa(i), value)
		}
	}
	fill(1)
	for i := range groups {
		c.Invalidate(strconv.Itoa(i))
		for other := range groups {
			if _, ok := c.Get(other); ok || other == i {
				continue
			}
			if got := load(t, c, other, strconv.Itoa(other), 2); got != 2 {
				t.Errorf("value = %d, want it loaded anew", got)
			}
			if got, ok := c.Get(other); !ok || got != 2 {
				t.Errorf("Get = %d, %v, want what was loaded", got, ok)
			}
			c.Invalidate(strconv.Itoa(other))
			if _, ok := c.Get(other); ok {
				t.Error("the other group cannot be invalidated any more")
			}
			return
		}
		load(t, c, i, strconv.Itoa(i), 1)
	}
	t.Error("no two groups share a generation, want a bounded number of them")
}

func TestALoadLosesAgainstAnInvalidation(t *testing.T) {
	for name, invalidate := range map[string]func(*cache.Cache[string, int]){
		"of its group": func(c *cache.Cache[string, int]) { c.Invalidate("group") },
		"of all":       func(c *cache.Cache[string, int]) { c.InvalidateAll() },
	} {
		t.Run(name, func(t *testing.T) {
			c := cache.New[string, int](100)
			reading, release, early := make(chan struct{}), make(chan struct{}), make(chan int)
			go func() {
				got, err := c.Load(t.Context(), "a", "group", func(context.Context) (int, error) {
					close(reading)
					<-release
					return 1, nil
				})
				if err != nil {
					t.Errorf("Load = %v", err)
				}
				early <- got
			}()
			<-reading
			invalidate(c)
			if got := load(t, c, "a", "group", 2); got != 2 { // does not wait for the first one
				t.Errorf("a later caller got %d, want 2", got)
			}
			close(release)
			if got := <-early; got != 1 {
				t.Errorf("the earlier caller got %d, want what it read", got)
			}
			if got, ok := c.Get("a"); ok && got != 2 {
				t.Errorf("Get = %d, want 2 or nothing", got)
			}
		})
	}
}

func TestOneLoadServesAllWhoAskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New[string, int](100)
		var (
			wg      sync.WaitGroup
			loads   atomic.Int64
			release = make(chan struct{})
		)
		for i := range 30 {
			wg.Go(func() {
				key := []string{"a", "b", "c"}[i%3]
				got, err := c.Load(t.Context(), key, "group", func(context.Context) (int, error) {
					loads.Add(1)
					<-release
					return int(key[0]), nil
				})
				if err != nil || got != int(key[0]) {
					t.Errorf("Load(%s) = %d, %v", key, got, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if n := loads.Load(); n != 3 {
			t.Errorf("%d loads, want one for each key", n)
		}
	})
}

func TestACallerThatGoesAwayTakesNobodyAlong(t *testing.T) {
	c := cache.New[string, int](100)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := c.Load(ctx, "a", "group", func(ctx context.Context) (int, error) { return 1, ctx.Err() })
	if got != 1 || err != nil {
		t.Errorf("Load = %d, %v, want it to go on", got, err)
	}
}

func TestKeysThatPrintAlikeInPartDoNotMix(t *testing.T) {
	c := cache.New[string, string](1000)
	for _, key := range []string{"", "/", "a", "a/1", "a/1/2", "1/2", "1", "a/1/2/3"} {
		if got := load(t, c, key, "group", key); got != key {
			t.Errorf("value of %q = %q", key, got)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	for _, size := range []int{0, 1, 64, 1000, 6400} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			c := cache.New[int, int](size)
			for i := range 10 * max(size, 64) {
				load(t, c, i, strconv.Itoa(i%50), i)
				if got, ok := c.Get(i); !ok || got != i {
					t.Fatalf("Get(%d) = %d, %v, want what was loaded last", i, got, ok)
				}
			}
			full := c.Len()
			if most := max(size, 64); full > most || full < most*9/10 {
				t.Errorf("Len = %d, want about %d and never more", full, most)
			}
			var there []int
			for i := range 10 * max(size, 64) {
				if _, ok := c.Get(i); ok {
					there = append(there, i)
				}
			}
			c.InvalidateAll()
			for _, i := range there { // each takes its own place again and nobody else's
				load(t, c, i, "group", -1)
			}
			for _, i := range there {
				if got, ok := c.Get(i); !ok || got != -1 {
					t.Errorf("Get(%d) = %d, %v, want it loaded anew", i, got, ok)
				}
			}
		})
	}
}

// TestNobodySeesWhatWasInvalidatedBefore checks the one promise under load:
// what a caller gets is at least as new as the newest invalidation that was
// over when it asked.
func TestNobodySeesWhatWasInvalidatedBefore(t *testing.T) {
	const groups, keys, readers, changes = 8, 4, 8, 2000
	c := cache.New[int, int64](64) // so small that it also evicts
	var (
		truth, told [groups]atomic.Int64
		wg, changed sync.WaitGroup
		done        = make(chan struct{})
	)
	for g := range groups {
		changed.Go(func() {
			for i := range changes {
				version := truth[g].Add(1)
				if i%50 == 0 {
					c.InvalidateAll()
				} else {
					c.Invalidate(strconv.Itoa(g))
				}
				told[g].Store(version)
			}
		})
	}
	for range readers {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				g, k := rand.IntN(groups), rand.IntN(keys)
				key, least := g*keys+k, told[g].Load()
				got, ok := c.Get(key)
				if !ok {
					var err error
					got, err = c.Load(t.Context(), key, strconv.Itoa(g), func(context.Context) (int64, error) {
						return truth[g].Load(), nil
					})
					if err != nil {
						t.Errorf("Load = %v", err)
					}
				}
				if got < least {
					t.Errorf("group %d has version %d, want %d at least", g, got, least)
					return
				}
			}
		})
	}
	changed.Wait()
	close(done)
	wg.Wait()
}

// FuzzCache plays steps against the plainest model: a hit is the value that
// was loaded last, and nothing invalidated it since.
func FuzzCache(f *testing.F) {
	f.Add([]byte{0, 4, 1, 0, 2, 0, 3})
	f.Add([]byte{0, 0x10, 0x20, 0x41, 0, 0x10, 0x82, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		c := cache.New[byte, int](128)
		valid := map[byte]int{}
		group := func(key byte) string { return strconv.Itoa(int(key % 4)) }
		for i, step := range steps {
			key := step >> 2
			switch step & 3 {
			case 0, 1:
				got, hit := c.Get(key)
				if want, ok := valid[key]; hit && (!ok || got != want) {
					t.Fatalf("step %d: Get(%d) = %d, the model has %d, %v", i, key, got, want, ok)
				}
				if !hit {
					valid[key] = load(t, c, key, group(key), i)
				}
			case 2:
				c.Invalidate(group(key))
				for other := range valid {
					if group(other) == group(key) {
						delete(valid, other)
					}
				}
			case 3:
				c.InvalidateAll()
				clear(valid)
			}
		}
		if c.Len() > 128 {
			t.Fatalf("Len = %d, want 128 at most", c.Len())
		}
	})
}

func BenchmarkGet(b *testing.B) { // every authenticated request, twice
	c := cache.New[[16]byte, *int](1000)
	var key [16]byte
	load(b, c, key, "group", new(int))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Get(key); !ok {
			b.Fatal("a miss")
		}
	}
}
