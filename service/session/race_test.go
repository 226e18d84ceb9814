package session_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/session"
)

// endings are the two ways in which a caller ends its own device.
func endings() map[string]func(*fixture, access.Caller) error {
	return map[string]func(*fixture, access.Caller) error{
		"evict":  func(f *fixture, by access.Caller) error { return f.Evict(f.t.Context(), by, by.DeviceKey) },
		"logout": func(f *fixture, by access.Caller) error { return f.Logout(f.t.Context(), by) },
	}
}

// TestNoRequestIsLetInAfterAnEnding holds R-01: a request that starts after an
// ending was answered is refused, however many are under way, and nothing that
// they leave behind brings the login back.
func TestNoRequestIsLetInAfterAnEnding(t *testing.T) {
	const rounds, requests = 200, 24
	for name, end := range endings() {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for range rounds {
				f.clock.advance(2 * time.Minute) // so that requests have something to touch
				o := f.signIn(f.alice, laptop)
				by := f.caller(o)
				f.clock.advance(2 * time.Minute)
				var (
					answered atomic.Bool
					let      atomic.Int64
					wg       sync.WaitGroup
					begin    = make(chan struct{})
				)
				for range requests {
					wg.Go(func() {
						<-begin
						for late := 0; late < 3; {
							after := answered.Load()
							_, err := f.resolve(o.Token, laptop)
							switch {
							case err != nil && !errors.Is(err, session.ErrInactive):
								t.Errorf("Resolve = %v", err)
							case err == nil && after:
								t.Error("a request that started after the ending was let in")
							case err == nil:
								let.Add(1)
							}
							if after {
								late++
							}
						}
					})
				}
				close(begin)
				if err := end(f, by); err != nil {
					t.Fatalf("ending = %v", err)
				}
				answered.Store(true)
				wg.Wait()
				f.flush()
				if row := f.row(o.LoginID); row.EndedAt.IsZero() {
					t.Fatalf("login = %+v, want it ended", row)
				}
				f.wantIn(o.Token, laptop, session.ErrInactive)
				if t.Failed() {
					return
				}
			}
			if list, err := f.ListAll(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("ListAll = %+v, %v, want nothing active", list, err)
			}
		})
	}
}

// TestALoadUnderWayIsNotServedAfterAnEnding has a request read the row before
// the ending and come back with it only afterwards.
func TestALoadUnderWayIsNotServedAfterAnEnding(t *testing.T) {
	all := endings()
	all["password"] = func(f *fixture, _ access.Caller) error {
		f.endAccount(f.alice.Key, model.EndPassword)
		return nil
	}
	for name, end := range all {
		t.Run(name, func(t *testing.T) {
			want := session.ErrInactive
			if name == "password" {
				want = session.ErrPasswordChanged
			}
			f := newFixture(t)
			o := f.signIn(f.alice, laptop)
			by := f.caller(o)
			f.restart()

			reading, release := make(chan struct{}), make(chan struct{})
			var first sync.Once
			f.store.onRead(func() {
				held := false
				first.Do(func() { held = true })
				if held {
					close(reading)
					<-release
				}
			})
			early := make(chan error, 1)
			go func() {
				_, err := f.resolve(o.Token, laptop)
				early <- err
			}()
			<-reading
			if err := end(f, by); err != nil {
				t.Fatalf("ending = %v", err)
			}
			f.wantIn(o.Token, laptop, want) // must not join the one that waits
			close(release)
			if err := <-early; err != nil && !errors.Is(err, want) {
				t.Errorf("the request that began before = %v", err)
			}
			for range 2 {
				f.wantIn(o.Token, laptop, want)
			}
			f.flush()
			if row := f.row(o.LoginID); row.EndedAt.IsZero() {
				t.Errorf("login = %+v, want it ended", row)
			}
		})
	}
}

func TestASignInRacingAnEndOfTheAccountLeavesNoToken(t *testing.T) {
	f := newFixture(t)
	for range 100 {
		var (
			wg     sync.WaitGroup
			mu     sync.Mutex
			tokens []string
			begin  = make(chan struct{})
			old    = from(f.alice, laptop)
		)
		for range 8 {
			wg.Go(func() {
				<-begin
				o, err := f.Open(t.Context(), old)
				switch {
				case errors.Is(err, session.ErrOvertaken):
				case err != nil:
					t.Errorf("Open = %v", err)
				default:
					_, _ = f.resolve(o.Token, laptop) // remembered, if it still may be
					mu.Lock()
					tokens = append(tokens, o.Token)
					mu.Unlock()
				}
			})
		}
		close(begin)
		f.endAccount(f.alice.Key, model.EndPassword)
		f.alice.Epoch++
		wg.Wait()
		for _, token := range tokens {
			f.wantIn(token, laptop, session.ErrPasswordChanged)
		}
		f.wantIn(f.signIn(f.alice, laptop).Token, laptop, nil)
		f.endAccount(f.alice.Key, model.EndPassword)
		f.alice.Epoch++
		if t.Failed() {
			return
		}
	}
}

func TestAPasswordThatChangesWhileOneSignsInWins(t *testing.T) {
	f := newFixture(t)
	f.store.onOpen(func() { f.endAccount(f.alice.Key, model.EndPassword) })
	if o, err := f.Open(t.Context(), from(f.alice, laptop)); !errors.Is(err, session.ErrOvertaken) {
		t.Errorf("Open = %+v, %v, want ErrOvertaken", o, err)
	}
}

func TestParallelSignInsNeverExceedTheLimit(t *testing.T) {
	for name, limits := range map[string]session.Limits{
		"deny":         {MaxDevices: 5},
		"evict oldest": {MaxDevices: 5, EvictOldest: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			var (
				wg     sync.WaitGroup
				opened = make([]session.Opened, 50)
			)
			for i := range opened {
				wg.Go(func() {
					o := from(f.alice, string(rune('A'+i)))
					o.Limits = limits
					var err error
					if opened[i], err = f.Open(t.Context(), o); err != nil && !errors.Is(err, session.ErrTooManyDevices) {
						t.Errorf("Open = %v", err)
					}
					if opened[i].Token != "" {
						_, _ = f.resolve(opened[i].Token, "") // remembered, if it still may be
					}
				})
			}
			wg.Wait()
			live := 0
			for _, o := range opened {
				if _, err := f.resolve(o.Token, ""); err == nil {
					live++
				}
			}
			list, err := f.ListAll(t.Context())
			if err != nil || len(list) != 5 || live != 5 {
				t.Errorf("%d tokens work and %d devices are listed, %v, want 5", live, len(list), err)
			}
		})
	}
}

func TestParallelTouchesFlushesAndEvictions(t *testing.T) { // evict racing touch racing sign-in
	f := newFixture(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for range 100 {
				o, err := f.Open(t.Context(), from(f.alice, laptop))
				if err != nil {
					t.Errorf("Open = %v", err)
					return
				}
				f.clock.advance(time.Second)
				_, _ = f.resolve(o.Token, laptop)
				switch i % 3 {
				case 0:
					err = f.EvictAny(t.Context(), o.DeviceKey)
				case 1:
					err = f.Flush(t.Context())
				case 2:
					_, err = f.ListAll(t.Context())
				}
				if err != nil {
					t.Errorf("step = %v", err)
				}
			}
		})
	}
	wg.Wait()
	watcher := f.caller(f.signIn(f.alice, phone))
	f.evict(watcher, f.DeviceKey(f.alice.Key, laptop))
	f.flush()
	if n := len(f.devices(watcher)); n != 1 {
		t.Errorf("%d devices are listed, want the watcher's only", n)
	}
}

func TestOneReadServesAllWhoAskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		o := f.signIn(f.alice, laptop)
		release := make(chan struct{})
		f.store.onRead(func() { <-release })
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := f.resolve(o.Token, laptop); err != nil {
					t.Errorf("Resolve = %v", err)
				}
			})
		}
		synctest.Wait() // one reads, the others wait for it
		close(release)
		wg.Wait()
		if n := f.store.reads.Load(); n != 1 {
			t.Errorf("%d reads, want 1", n)
		}
	})
}
