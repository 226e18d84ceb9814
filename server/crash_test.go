package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestNothingAcknowledgedIsUndoneByKill kills the program in the middle of
// sign-ins, evictions and logouts, starts it again on the same folder, and asks
// it about everything it had answered (F-01).
func TestNothingAcknowledgedIsUndoneByKill(t *testing.T) {
	rounds := 5
	if os.Getenv("LATCHKEY_TEST_HEAVY") == "1" {
		rounds = 50
	}
	c := newChaos(t)
	for round := range rounds {
		p := run(t, c.program, c.folder, "LATCHKEY_HASH_WORKERS=2", "LATCHKEY_LOG_LEVEL=warn")
		c.verify(t, p)
		if t.Failed() {
			t.Fatalf("after %d kills", round)
		}
		c.storm(t, p, 20+rand.IntN(60))
	}
	p := run(t, c.program, c.folder)
	c.verify(t, p)
	if err := p.stop(); err != nil {
		t.Errorf("stop after %d kills: %v", rounds, err)
	}
	t.Logf("%d kills, %d ended logins stayed ended", rounds, len(c.ended))
}

// chaos is what the clients know: what was asked of the server, and what it
// answered.
type chaos struct {
	program, folder string
	passwords       map[string]string

	mu    sync.Mutex
	names atomic.Int64 // of devices
	live  []*grant
	ended []*grant // acknowledged as over
	lost  int      // sign-ins under way when the server was killed
}

// grant is an acknowledged login.
type grant struct {
	user, clientID, token, device string
	doubtful                      bool // its end was asked for and not answered
}

const stormUsers, stormClients = 4, 6

func newChaos(t *testing.T) *chaos {
	t.Helper()
	c := &chaos{program: build(t), folder: t.TempDir(), passwords: map[string]string{}}
	password := regexp.MustCompile(`password  (\S+)\n`)
	for i := range stormUsers {
		name := fmt.Sprintf("user%d", i)
		out := command(t, c.program, c.folder, "user", "add", name)
		found := password.FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("user add printed %q", out)
		}
		c.passwords[name] = found[1]
	}
	return c
}

// storm lets all clients loose and kills the server when they have been
// answered that many times.
func (c *chaos) storm(t *testing.T, p *program, answers int) {
	t.Helper()
	var (
		left  atomic.Int64
		group sync.WaitGroup
	)
	left.Store(int64(answers))
	for range stormClients {
		group.Go(func() {
			for c.act(t, p) {
				if left.Add(-1) == 0 {
					p.kill()
				}
			}
		})
	}
	group.Wait()
	if left.Load() > 0 {
		t.Fatalf("the server failed before it was killed:\n%s", p.err)
	}
}

// act is one request of a client. It reports whether it was answered.
func (c *chaos) act(t *testing.T, p *program) bool {
	t.Helper()
	if rand.IntN(2) == 0 {
		return c.signIn(t, p)
	}
	g := c.take()
	if g == nil {
		return c.signIn(t, p)
	}
	end := call{method: http.MethodGet, path: "/api/auth/logout", token: g.token, clientID: g.clientID}
	if g.clientID != "" && rand.IntN(3) > 0 {
		end.method, end.path = http.MethodPost, "/api/me/sessions/evict"
		end.body = fmt.Sprintf(`{"session_id":%q}`, g.device)
	}
	a, err := p.call(t.Context(), end)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		g.doubtful = true
		c.live = append(c.live, g)
		return false
	}
	if a.Code != http.StatusOK {
		t.Errorf("%s: %s", end.path, a.Text)
		return false
	}
	c.ended = append(c.ended, g)
	return true
}

// signIn makes a login under a device of its own, or without a Client-Id.
func (c *chaos) signIn(t *testing.T, p *program) bool {
	t.Helper()
	g := &grant{user: fmt.Sprintf("user%d", rand.IntN(stormUsers))}
	if rand.IntN(4) > 0 {
		g.clientID = fmt.Sprintf("device-%d", c.names.Add(1))
	}
	var err error
	g.token, g.device, err = p.signIn(t.Context(), g.user, c.passwords[g.user], g.clientID)
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, errRefused) {
		t.Error(err)
	}
	if err != nil {
		c.lost++
		return false
	}
	c.live = append(c.live, g)
	return true
}

// take removes a login from the live ones, so that one client alone ends it.
func (c *chaos) take() *grant {
	c.mu.Lock()
	defer c.mu.Unlock()
	certain := slices.IndexFunc(c.live, func(g *grant) bool { return !g.doubtful })
	if certain < 0 {
		return nil
	}
	g := c.live[certain]
	c.live = slices.Delete(c.live, certain, certain+1)
	return g
}

// verify compares the server with what it had answered before it was killed.
func (c *chaos) verify(t *testing.T, p *program) {
	t.Helper()
	ctx := t.Context()
	for _, g := range c.ended {
		c.wantOver(t, p, g)
	}
	lists := map[string]deviceList{}
	for user, password := range c.passwords {
		token, own, err := p.signIn(ctx, user, password, "verifier")
		if err != nil {
			t.Fatal(err)
		}
		list := devices(t, p, token)
		if !list.has[own] {
			t.Errorf("the list of %s lacks the device that asks", user)
		}
		delete(list.has, own)
		lists[user] = list
	}
	works := c.wantLive(t, p, lists)
	c.compareLists(t, p, lists, works)
	c.reuse(t, p)
}

// deviceList is what an account's session list has, and the token that asked.
type deviceList struct {
	token string
	has   map[string]bool
}

// wantLive checks the logins whose end was not acknowledged, and forgets those
// that are over. It returns the devices that work.
func (c *chaos) wantLive(t *testing.T, p *program, lists map[string]deviceList) map[string]bool {
	t.Helper()
	works := map[string]bool{}
	var live []*grant
	for _, g := range c.live {
		code := c.me(t, p, g.token, g.clientID)
		switch {
		case code == http.StatusOK:
			works[g.device] = true
			g.doubtful = false
			live = append(live, g)
			if !lists[g.user].has[g.device] {
				t.Errorf("%s of %s works and is not listed", g.clientID, g.user)
			}
		case g.doubtful && code == http.StatusUnauthorized:
			c.ended = append(c.ended, g)
		default:
			t.Errorf("acknowledged login of %s under %q is answered %d", g.user, g.clientID, code)
		}
	}
	c.live = live
	return works
}

// compareLists allows more devices than are known to work only for sign-ins
// that were cut off, and none that was acknowledged as ended. It evicts the
// ones that nobody can use, so that they do not pile up to the device limit.
func (c *chaos) compareLists(t *testing.T, p *program, lists map[string]deviceList, works map[string]bool) {
	t.Helper()
	over := map[string]bool{}
	for _, g := range c.ended {
		over[g.device] = g.clientID != "" // all others share one device
	}
	for user, list := range lists {
		for device := range list.has {
			switch {
			case works[device]:
				continue
			case over[device]:
				t.Errorf("%s of %s was ended and is listed", device, user)
			default:
				c.lost--
			}
			evict := call{method: http.MethodPost, path: "/api/me/sessions/evict", token: list.token, clientID: "verifier"}
			evict.body = fmt.Sprintf(`{"session_id":%q}`, device)
			if a, err := p.call(t.Context(), evict); err != nil || a.Code != http.StatusOK {
				t.Fatalf("evict: %v %s", err, a.Text)
			}
		}
	}
	if c.lost < 0 {
		t.Errorf("%d devices are listed that nobody asked for", -c.lost)
	}
	c.lost = 0
}

// wantOver tries an ended login in every disguise.
func (c *chaos) wantOver(t *testing.T, p *program, g *grant) {
	t.Helper()
	for _, clientID := range []string{g.clientID, "", "verifier", "somebody-else"} {
		if code := c.me(t, p, g.token, clientID); code != http.StatusUnauthorized {
			t.Errorf("ended login of %s (%q) under %q is answered %d", g.user, g.clientID, clientID, code)
		}
	}
}

// reuse signs in under the Client-Id of the login that was ended last: it must
// stay ended beside the new one.
func (c *chaos) reuse(t *testing.T, p *program) {
	t.Helper()
	if len(c.ended) == 0 {
		return
	}
	g := c.ended[len(c.ended)-1]
	token, device, err := p.signIn(t.Context(), g.user, c.passwords[g.user], g.clientID)
	if err != nil {
		t.Fatal(err)
	}
	if device != g.device {
		t.Errorf("Client-Id %q of %s was device %s and is %s now", g.clientID, g.user, g.device, device)
	}
	c.wantOver(t, p, g)
	again := &grant{user: g.user, clientID: g.clientID, token: token, device: device}
	a, err := p.call(t.Context(), call{method: http.MethodGet, path: "/api/auth/logout", token: token, clientID: g.clientID})
	if err != nil || a.Code != http.StatusOK {
		t.Fatalf("logout: %v %s", err, a.Text)
	}
	c.ended = append(c.ended, again)
}

// me is the code that /api/me answers the login.
func (*chaos) me(t *testing.T, p *program, token, clientID string) int {
	t.Helper()
	a, err := p.call(t.Context(), call{method: http.MethodGet, path: "/api/me", token: token, clientID: clientID})
	if err != nil {
		t.Fatal(err)
	}
	return a.Code
}

// devices is the session list of the token's account.
func devices(t *testing.T, p *program, token string) deviceList {
	t.Helper()
	a, err := p.call(t.Context(), call{method: http.MethodGet, path: "/api/me/sessions", token: token, clientID: "verifier"})
	if err != nil || a.Code != http.StatusOK {
		t.Fatalf("list: %v %s", err, a.Text)
	}
	var rows []struct {
		SessionID string `json:"session_id"`
	}
	if err := json.Unmarshal(a.Data, &rows); err != nil {
		t.Fatal(err)
	}
	list := deviceList{token, map[string]bool{}}
	for _, row := range rows {
		list.has[row.SessionID] = true
	}
	return list
}
