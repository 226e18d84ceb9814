package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// firstRefusal is the number of the guess that is answered with 429, or 0.
func firstRefusal(t testing.TB, most int, guess func(i int) servertest.Reply) int {
	t.Helper()
	for i := 1; i <= most; i++ {
		reply := guess(i)
		wantRefusal(t, "guess "+strconv.Itoa(i), reply)
		if reply.Code == http.StatusTooManyRequests {
			if wait, err := strconv.Atoi(reply.Header.Get("Retry-After")); err != nil || wait < 1 {
				t.Errorf("429 with Retry-After %q, want seconds", reply.Header.Get("Retry-After"))
			}
			return i
		}
	}
	return 0
}

// Rulings 26, seen from outside: security.md.
func TestGuessingIsLimited(t *testing.T) {
	for name, tt := range map[string]struct {
		guess       func(t *testing.T, f *fortress, i int) servertest.Reply
		after, upTo int // the first 429 comes behind the former and not behind the latter
	}{
		"one name from one address": {func(t *testing.T, f *fortress, _ int) servertest.Reply {
			return f.tryPassword(t, "plain", "wrong", "192.0.2.66")
		}, 4, 20},
		"one unknown name from one address": {func(t *testing.T, f *fortress, _ int) servertest.Reply {
			return f.tryPassword(t, "nobody", "wrong", "192.0.2.66")
		}, 4, 20},
		"many names from one address": {func(t *testing.T, f *fortress, i int) servertest.Reply {
			return f.tryPassword(t, fmt.Sprintf("nobody%d", i), "wrong", "192.0.2.66")
		}, 4, 20},
		"many names under many Client-Ids": {func(t *testing.T, f *fortress, i int) servertest.Reply {
			return f.Do(t, servertest.Request{
				Path: "/api/auth/login", From: "192.0.2.66", ClientID: fmt.Sprintf("id%d", i), Header: map[string]string{"User-Agent": fmt.Sprintf("agent %d", i)},
				Body: map[string]string{"username": fmt.Sprintf("nobody%d", i), "password": "wrong"},
			})
		}, 4, 20},
		"both routes in turn": {func(t *testing.T, f *fortress, i int) servertest.Reply {
			if i%2 == 0 {
				return f.tryPassword(t, fmt.Sprintf("nobody%d", i), "wrong", "192.0.2.66")
			}
			return f.Do(t, servertest.Request{Path: "/api/auth/login/hash", From: "192.0.2.66", Body: map[string]string{"username": fmt.Sprintf("nobody%d", i), "password": staticHash("wrong")}})
		}, 4, 20},
		"one name in many spellings": {func(t *testing.T, f *fortress, i int) servertest.Reply {
			return f.tryPassword(t, []string{"plain", "PLAIN", "Plain", "ｐlain"}[i%4], "wrong", f.peer())
		}, 4, 100},
		"one name from many addresses": {func(t *testing.T, f *fortress, _ int) servertest.Reply {
			return f.tryPassword(t, "plain", "wrong", f.peer())
		}, 4, 100},
		"a disabled account from many addresses": {func(t *testing.T, f *fortress, _ int) servertest.Reply {
			return f.tryPassword(t, "locked", servertest.AdminPassword, f.peer())
		}, 4, 100},
		"a success of one's own between guesses": {func(t *testing.T, f *fortress, i int) servertest.Reply {
			if reply := f.tryPassword(t, "admin", servertest.AdminPassword, "192.0.2.66"); reply.Code != http.StatusOK {
				t.Fatalf("the guesser's own sign-in: %s", reply.Text)
			}
			return f.tryPassword(t, fmt.Sprintf("nobody%d", i), "wrong", "192.0.2.66")
		}, 4, 20},
		"a success of the owner elsewhere between guesses": {func(t *testing.T, f *fortress, _ int) servertest.Reply {
			f.SignIn(t, "plain", servertest.AdminPassword, "phone")
			return f.tryPassword(t, "plain", "wrong", f.peer())
		}, 4, 100},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := town(t)
			f.SignIn(t, "plain", servertest.AdminPassword, "phone")
			at := firstRefusal(t, tt.upTo, func(i int) servertest.Reply { return tt.guess(t, f, i) })
			if at == 0 || at <= tt.after {
				t.Errorf("the first 429 comes at guess %d, want it behind %d and by %d", at, tt.after, tt.upTo)
			}
			t.Logf("429 at guess %d", at)
		})
	}
}

// Guessing shuts out the guesser and not the owner.
func TestOwnerOfAGuessedAccountKeepsGettingIn(t *testing.T) {
	f, _ := town(t)
	const home = "198.51.100.7"
	phone := f.SignIn(t, "plain", servertest.AdminPassword, "phone") // from 192.0.2.1
	atHome := servertest.Request{Path: "/api/auth/login", From: home, Body: map[string]string{"username": "plain", "password": servertest.AdminPassword}}
	if reply := f.Do(t, atHome); reply.Code != http.StatusOK {
		t.Fatalf("sign in at home: %s", reply.Text)
	}
	for range 60 {
		f.tryPassword(t, "plain", "wrong", f.peer())
	}
	wantCode(t, "the right password from a new address", f.tryPassword(t, "plain", servertest.AdminPassword, f.peer()), http.StatusTooManyRequests)
	if reply := f.Do(t, atHome); reply.Code != http.StatusOK {
		t.Errorf("from a known address: %s", reply.Text)
	}
	known := atHome
	known.From, known.ClientID = f.peer(), "phone"
	if reply := f.Do(t, known); reply.Code != http.StatusOK {
		t.Errorf("on a known device: %s", reply.Text)
	}
	if reply := f.Do(t, servertest.Request{Path: "/api/me", Token: phone.Token}); reply.Code != http.StatusOK {
		t.Errorf("the session: %s", reply.Text)
	}
	// Somebody else's guesses at the owner's own address do not shut them out.
	for i := range 30 {
		f.tryPassword(t, fmt.Sprintf("nobody%d", i), "wrong", home)
	}
	if reply := f.Do(t, atHome); reply.Code != http.StatusOK {
		t.Errorf("from an address where others guess: %s", reply.Text)
	}
}

// inParallel does n acts at once and counts the codes of their answers.
func inParallel(n int, act func(i int) servertest.Reply) map[int]int {
	var (
		mu    sync.Mutex
		ready sync.WaitGroup
		start = make(chan struct{})
		codes = map[int]int{}
		all   sync.WaitGroup
	)
	ready.Add(n)
	for i := range n {
		all.Go(func() {
			ready.Done()
			<-start
			reply := act(i)
			mu.Lock()
			codes[reply.Code]++
			mu.Unlock()
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
	return codes
}

// Attempts count before anybody looks at the password: parallel ones do not
// slip by.
func TestParallelGuessesNeverExceedTheLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		who   func(i int) (username, from string)
		limit int
	}{
		"many names from one address":  {func(i int) (string, string) { return fmt.Sprintf("nobody%d", i), "192.0.2.66" }, 15},
		"one name from many addresses": {func(i int) (string, string) { return "plain", fmt.Sprintf("203.0.113.%d", i) }, 10},
		"one name from one address":    {func(int) (string, string) { return "plain", "192.0.2.66" }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := town(t)
			codes := inParallel(60, func(i int) servertest.Reply {
				username, from := tt.who(i)
				return f.tryPassword(t, username, "wrong", from)
			})
			if codes[http.StatusBadRequest] != tt.limit || codes[http.StatusTooManyRequests] != 60-tt.limit {
				t.Errorf("answers by code %v, want %d looked at and the others 429", codes, tt.limit)
			}
		})
	}
}

// Hashing is bounded: what does not fit into the queue is sent away at once, and
// those who are signed in do not notice. The hashes are of full size.
func TestFloodOfSignInsIsSentAway(t *testing.T) {
	const queue, flood = 4, 80
	f := besiege(t, func(c *config.Config, o *server.Options) {
		o.HashMemoryKiB, c.HashWorkers, c.HashQueue = 0, 1, queue
	})
	token := f.Admin(t, "desk").Token
	before := f.rows(t)
	var asked, refused int
	done := make(chan struct{})
	asking := make(chan struct{})
	go func() {
		defer close(asking)
		for {
			if reply := f.Do(t, servertest.Request{Path: "/api/me", Token: token}); reply.Code != http.StatusOK {
				refused++
			}
			asked++
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	codes := inParallel(flood, func(i int) servertest.Reply {
		reply := f.tryPassword(t, fmt.Sprintf("nobody%d", i), "wrong", fmt.Sprintf("203.0.%d.%d", i/250, i%250+1))
		if wait, err := strconv.Atoi(reply.Header.Get("Retry-After")); reply.Code == http.StatusTooManyRequests && (err != nil || wait < 1) {
			t.Errorf("429 with Retry-After %q, want seconds", reply.Header.Get("Retry-After"))
		}
		wantRefusal(t, "one of many", reply)
		return reply
	})
	close(done)
	<-asking
	t.Logf("%d sign-ins at once: %v; meanwhile %d requests were answered", flood, codes, asked)
	if codes[http.StatusBadRequest] < 1+queue || codes[http.StatusTooManyRequests] == 0 || codes[http.StatusBadRequest]+codes[http.StatusTooManyRequests] != flood {
		t.Errorf("answers by code %v, want at least %d looked at, and the excess 429", codes, 1+queue)
	}
	if refused > 0 || asked < 2 {
		t.Errorf("of %d requests with a token %d were refused", asked, refused)
	}
	if after := f.rows(t); after != before {
		t.Errorf("rows changed: %s", firstDifference(before, after))
	}
	// Who was sent away has not used up anything.
	if reply := f.tryPassword(t, "admin", servertest.AdminPassword, "203.0.0.1"); reply.Code != http.StatusOK {
		t.Errorf("a sign-in after the flood: %s", reply.Text)
	}
}
