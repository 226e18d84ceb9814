package connection_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/service/connection"
	"latchkey/service/racetest"
	"latchkey/service/revocation"
)

// line is a connection and what became of it.
type line struct {
	*connection.Connection

	hungUp atomic.Int64
	over   atomic.Bool // what Judge says
}

func newLine(account, device string) *line {
	l := &line{}
	l.Connection = connection.New(
		connection.Info{AccountKey: account, DeviceKey: device, LoginID: device + " login", ConnectedAt: time.Now()},
		connection.Hooks{
			Judge: func(context.Context) error {
				if l.over.Load() {
					return errors.New("over")
				}
				return nil
			},
			HangUp: func() { l.hungUp.Add(1) },
		}, 2, time.Now)
	return l
}

func add(t *testing.T, r *connection.Registry, l *line) *line {
	t.Helper()
	if err := r.Add(l.Connection); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestHeedHangsUpWhatIsOver(t *testing.T) {
	r := connection.NewRegistry(connection.Limits{All: 10, PerAccount: 10})
	over, fine, other := add(t, r, newLine("ann", "a")), add(t, r, newLine("ann", "b")), add(t, r, newLine("bob", "c"))
	over.over.Store(true)
	other.over.Store(true) // the notice is not about bob
	r.Heed(t.Context(), revocation.Notice{AccountKey: "ann"})
	r.Heed(t.Context(), revocation.Notice{AccountKey: "ann", DeviceKey: "a"})
	for l, want := range map[*line]int64{over: 1, fine: 0, other: 0} {
		if got := l.hungUp.Load(); got != want {
			t.Errorf("%s was hung up %d times, want %d", l.DeviceKey, got, want)
		}
	}
	if over.Enter() || over.Acquire() {
		t.Error("an operation begins after the end")
	}
	if !fine.Enter() {
		t.Error("no operation begins on a connection that goes on")
	}
	if views := r.Views("ann"); len(views) != 1 || views[0].DeviceKey != "b" {
		t.Errorf("views %+v, want the one that goes on", views)
	}
	r.Heed(t.Context(), revocation.Notice{})
	if other.hungUp.Load() != 1 {
		t.Error("a notice about everybody leaves bob's")
	}
}

func TestHeedWaitsForOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connection.NewRegistry(connection.Limits{All: 10, PerAccount: 10})
		quick, stuck := add(t, r, newLine("ann", "a")), add(t, r, newLine("ann", "b"))
		quick.over.Store(true)
		stuck.over.Store(true)
		if !quick.Enter() || !stuck.Enter() {
			t.Fatal("no operation begins")
		}
		var finished atomic.Bool
		time.AfterFunc(100*time.Millisecond, func() {
			finished.Store(true)
			quick.Leave()
		})
		begin := time.Now()
		r.Heed(t.Context(), revocation.Notice{AccountKey: "ann"})
		if !finished.Load() {
			t.Error("the ending did not wait for an operation")
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("an operation that is stuck held the ending up for %v, want a second", took)
		}
		stuck.Leave()
	})
}

// The invariant: once Heed has returned, no operation is under way and none
// begins.
func TestNoOperationOutlivesTheEnding(t *testing.T) {
	for range 200 {
		r := connection.NewRegistry(connection.Limits{All: 10, PerAccount: 10})
		l := add(t, r, newLine("ann", "a"))
		var answered atomic.Bool
		racetest.AtOnce(9, func(i int) {
			if i == 0 {
				l.over.Store(true)
				r.Heed(context.Background(), revocation.Notice{AccountKey: "ann"})
				answered.Store(true)
				return
			}
			for l.Enter() {
				if answered.Load() {
					t.Error("an operation is under way after the answer")
				}
				l.Leave()
			}
		})
	}
}

func TestLimits(t *testing.T) {
	r := connection.NewRegistry(connection.Limits{All: 3, PerAccount: 2})
	first := add(t, r, newLine("ann", "a"))
	add(t, r, newLine("ann", "a"))
	if err := r.Add(newLine("ann", "b").Connection); !errors.Is(err, connection.ErrTooMany) {
		t.Errorf("ann's third: %v, want %v", err, connection.ErrTooMany)
	}
	add(t, r, newLine("bob", "c"))
	if err := r.Add(newLine("eve", "d").Connection); !errors.Is(err, connection.ErrTooMany) {
		t.Errorf("the fourth of all: %v, want %v", err, connection.ErrTooMany)
	}
	r.Remove(first.Connection)
	add(t, r, newLine("ann", "b"))
	for i, want := range []bool{true, true, false} {
		if got := first.Acquire(); got != want {
			t.Errorf("room for open thing %d: %v, want %v", i+1, got, want)
		}
	}
	first.Release()
	if !first.Acquire() {
		t.Error("there is no room after a release")
	}
}

func TestDrainWaitsForOpenFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := connection.NewRegistry(connection.Limits{All: 10, PerAccount: 10})
		lines := map[string]*line{}
		for i := range 3 {
			name := strconv.Itoa(i)
			lines[name] = add(t, r, newLine("ann", name))
		}
		idle, finishing, endless := lines["0"], lines["1"], lines["2"]
		for _, l := range []*line{finishing, endless} {
			if !l.Acquire() {
				t.Fatal("no room")
			}
		}
		var door sync.WaitGroup
		defer door.Wait()
		door.Go(func() { // what the door does when it is hung up
			for len(lines) > 0 {
				for name, l := range lines {
					if l.hungUp.Load() > 0 {
						r.Remove(l.Connection)
						delete(lines, name)
					}
				}
				time.Sleep(time.Millisecond)
			}
		})
		time.AfterFunc(2*time.Second, finishing.Release)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		if n := r.Drain(ctx); n != 1 {
			t.Errorf("%d were cut off, want 1", n)
		}
		if took := time.Since(begin); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("it took %v, want the time there was", took)
		}
		if idle.hungUp.Load() != 1 || finishing.hungUp.Load() != 1 || endless.hungUp.Load() != 1 {
			t.Error("not all were hung up")
		}
	})
}

func TestTransfersAreShown(t *testing.T) {
	l := newLine("ann", "a")
	up, down := l.Begin("/up", connection.Upload), l.Begin("/down", connection.Download)
	up.Add(5)
	up.Add(7)
	down.Add(1)
	view := l.View()
	if len(view.Transfers) != 2 || view.Transfers[0].Bytes != 12 || view.Transfers[0].Path != "/up" || view.Transfers[1].Direction != connection.Download {
		t.Errorf("transfers %+v", view.Transfers)
	}
	up.Done()
	if view := l.View(); len(view.Transfers) != 1 || view.Transfers[0].Path != "/down" {
		t.Errorf("transfers %+v, want the download", view.Transfers)
	}
}

// A sign-in that is done when everything else has ended begins nothing.
func TestNothingIsAddedAfterDraining(t *testing.T) {
	r := connection.NewRegistry(connection.Limits{All: 9, PerAccount: 9})
	if n := r.Drain(t.Context()); n != 0 {
		t.Fatalf("Drain = %d", n)
	}
	if err := r.Add(newLine("a", "d").Connection); !errors.Is(err, connection.ErrStopping) {
		t.Errorf("Add = %v, want %v", err, connection.ErrStopping)
	}
}
