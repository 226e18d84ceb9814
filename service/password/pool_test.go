package password_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/argon2"

	"latchkey/service/password"
)

// held is a key derivation that ends when it is told to.
type held struct {
	release chan struct{}
	now     atomic.Int64
	most    atomic.Int64
	calls   atomic.Int64
	callers sync.WaitGroup
}

//nolint:revive // the parameters are those of argon2.IDKey
func (k *held) key(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
	k.calls.Add(1)
	n := k.now.Add(1)
	for m := k.most.Load(); n > m && !k.most.CompareAndSwap(m, n); m = k.most.Load() {
	}
	<-k.release
	k.now.Add(-1)
	return make([]byte, keyLen)
}

// hold is a Hasher whose hashes last until the test ends or releases them.
func hold(t *testing.T, cfg password.Config) (*password.Hasher, *held) {
	t.Helper()
	k := &held{release: make(chan struct{})}
	t.Cleanup(k.letGo)
	return password.WithKey(newHasher(t, cfg), k.key), k
}

func (k *held) letGo() {
	select {
	case <-k.release:
	default:
		close(k.release)
	}
	k.callers.Wait()
}

// fill sends n callers in and returns when each computes or waits. It needs a
// synctest bubble.
func (k *held) fill(t *testing.T, h *password.Hasher, n int) {
	t.Helper()
	for range n {
		k.callers.Go(func() {
			if err := h.VerifyNothing(t.Context(), admin); err != nil && t.Context().Err() == nil {
				t.Errorf("a caller the pool has room for: %v", err)
			}
		})
	}
	synctest.Wait()
}

func TestPoolNeverExceedsItsWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := cheap() // 2 work, 3 wait
		h, inside := hold(t, cfg)
		var busy, served atomic.Int64
		for range 50 {
			inside.callers.Go(func() {
				switch err := h.VerifyNothing(t.Context(), admin); {
				case errors.Is(err, password.ErrBusy):
					busy.Add(1)
				case err == nil:
					served.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := inside.now.Load(); n != 2 {
			t.Errorf("%d hashes at once, want 2", n)
		}
		if n := busy.Load(); n != 45 {
			t.Errorf("%d were sent away, want 45: 2 work and 3 wait", n)
		}
		inside.letGo()
		if served.Load() != 5 || inside.most.Load() != 2 {
			t.Errorf("%d served, %d at once; want 5 served, 2 at once", served.Load(), inside.most.Load())
		}
		if err := h.VerifyNothing(t.Context(), admin); err != nil {
			t.Errorf("after the rush: %v", err)
		}
	})
}

func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := cheap()
		cfg.Queue = 1
		h, inside := hold(t, cfg)
		for range cfg.Workers {
			inside.callers.Go(func() { _ = h.VerifyNothing(t.Context(), admin) })
		}
		synctest.Wait()
		ctx, giveUp := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- h.VerifyNothing(ctx, admin) }()
		synctest.Wait()
		if err := h.VerifyNothing(t.Context(), admin); !errors.Is(err, password.ErrBusy) {
			t.Fatalf("with a full queue = %v, want ErrBusy", err)
		}
		giveUp()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Fatalf("who gave up got %v, want context.Canceled", err)
		}
		next := make(chan error, 1)
		go func() { next <- h.VerifyNothing(t.Context(), admin) }()
		synctest.Wait()
		select {
		case err := <-next:
			t.Fatalf("the next one = %v, want a place in the queue", err)
		default:
		}
		inside.letGo()
		if err := <-next; err != nil {
			t.Errorf("the next one = %v", err)
		}
		if n := inside.calls.Load(); n != 3 {
			t.Errorf("%d hashes, want 3: none for who gave up", n)
		}
	})
}

// The collector alone lets garbage grow with the live heap; here that would be
// some 200 MiB.
func TestHashingTakesBoundedMemoryBesideABigHeap(t *testing.T) {
	live := make([]byte, 200<<20)
	cfg := password.Defaults()
	cfg.Workers, cfg.Queue = 1, 100
	var most uint64
	h := password.WithKey(newHasher(t, cfg), func(pw, salt []byte, time, memory uint32, lanes uint8, keyLen uint32) []byte {
		key := argon2.IDKey(pw, salt, time, memory, lanes, keyLen)
		most = max(most, heap())
		return key
	})
	before := heap()
	for range 20 {
		if err := h.VerifyNothing(t.Context(), admin); err != nil {
			t.Fatal(err)
		}
	}
	runtime.KeepAlive(live)
	grown := (int64(most) - int64(before)) >> 20
	t.Logf("20 hashes beside %d MiB took at most %d MiB", len(live)>>20, grown)
	if grown > 100 {
		t.Errorf("the heap grew by %d MiB, want at most 100", grown)
	}
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}

func BenchmarkVerify(b *testing.B) { // every sign-in
	h := newHasher(b, password.Defaults())
	stored, err := h.Hash(b.Context(), admin)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := h.Verify(b.Context(), stored, admin); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
