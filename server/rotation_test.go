package server_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/alistdb/alistdbtest"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/importer"
	"latchkey/service/totp/totptest"
)

// traffic is clients at work while keys are rotated.
type traffic struct {
	*served

	clock *servertest.Clock
	over  atomic.Bool
	asked atomic.Int64 // requests

	mu      sync.Mutex
	tokens  []string
	factors map[string]string // secrets by name of account
}

// ask sends a request that must succeed.
func (tr *traffic) ask(t *testing.T, what string, r servertest.Request) servertest.Reply {
	t.Helper()
	tr.asked.Add(1)
	reply := tr.Do(t, r)
	if reply.Code != http.StatusOK {
		t.Errorf("%s: %s", what, reply.Text)
	}
	return reply
}

func (tr *traffic) signIn(t *testing.T, name, password, code string) string {
	t.Helper()
	var in servertest.SignedIn
	reply := tr.ask(t, "sign-in of "+name, servertest.Request{Path: "/api/auth/login", Body: map[string]string{
		"username": name, "password": password, "otp_code": code,
	}})
	if reply.Code == http.StatusOK {
		reply.Into(t, &in)
	}
	return in.Token
}

// live is one person's way: sign in, turn the second factor on, sign in with
// it, and look at oneself with every token one has.
func (tr *traffic) live(t *testing.T, name string) {
	t.Helper()
	tr.AddUser(t, name)
	first := tr.signIn(t, name, servertest.AdminPassword, "")
	now := tr.clock.Now()
	var issued struct{ Secret string }
	tr.ask(t, "generate", servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: first}).Into(t, &issued)
	tr.ask(t, "verify", servertest.Request{Path: "/api/auth/2fa/verify", Token: first, Body: map[string]string{
		"code": totptest.Code(issued.Secret, now.Add(-30*time.Second)), "secret": issued.Secret,
	}})
	second := tr.signIn(t, name, servertest.AdminPassword, totptest.Code(issued.Secret, now))
	for _, token := range []string{first, second} {
		tr.ask(t, "me", servertest.Request{Path: "/api/me", Token: token})
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.tokens = append(tr.tokens, first, second)
	tr.factors[name] = issued.Secret
}

const importedUsers = 60

// importMany takes over accounts whose passwords stay sealed until somebody
// signs in or the worker has come to them.
func importMany(t *testing.T, folder string) {
	t.Helper()
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	db.Insert(t, "roles", alistdbtest.Roles()...)
	for i := range int64(importedUsers) {
		db.Insert(t, "users", alistdbtest.User(10+i, fmt.Sprintf("old%d", i), servertest.AdminPassword, []byte("[3]")))
	}
	db.Done(t)
	app := attach(t, folder)
	if _, _, err := app.ImportAList(t.Context(), db.Path, db.Prefix, importer.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Close(); err != nil {
		t.Fatal(err)
	}
}

// K-12: rotation signs nobody out and fails no request, whoever does it.
func TestRotationUnderLoad(t *testing.T) {
	folder := t.TempDir()
	importMany(t, folder)
	tr := &traffic{clock: servertest.NewClock(), factors: map[string]string{}}
	tr.clock.Advance(time.Since(tr.clock.Now())) // commands have the real clock
	tr.served = serve(t, folder, nil, func(_ *config.Config, o *server.Options) { o.Now = tr.clock.Now })
	old := tr.Admin(t, "").Token
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := 0; !tr.over.Load(); i++ {
				tr.live(t, fmt.Sprintf("user%d-%d", w, i))
				tr.ask(t, "the oldest token", servertest.Request{Path: "/api/me", Token: old})
				if imported := 4*i + w; imported < importedUsers {
					tr.signIn(t, fmt.Sprintf("old%d", imported), servertest.AdminPassword, "")
				}
			}
		})
	}
	const rotations = 20
	resealed := 0
	for range rotations {
		r, err := tr.App.RotateKeys(t.Context())
		if err != nil || len(r.Closed) > 0 || len(r.Seals)+len(r.Tokens) > 0 {
			t.Errorf("RotateKeys = %+v, %v", r, err)
		}
		resealed += r.Resealed
	}
	program, err := exec.LookPath("latchkey") // see TestMain
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "keys", "rotate", "--data", folder)
	cmd.Env = withoutSettings()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("latchkey keys rotate: %v\n%s", err, out)
	}
	tr.over.Store(true)
	group.Wait()
	t.Logf("%d requests during %d rotations, %d values sealed anew", tr.asked.Load(), rotations+1, resealed)
	tr.wantAllIntact(t, old)
	tr.end(t)
}

// wantAllIntact looks at what must have survived, now and until the tokens
// expire, and at what must go then.
func (tr *traffic) wantAllIntact(t *testing.T, old string) {
	t.Helper()
	tr.clock.Advance(20 * time.Minute) // nobody is in the middle of a request any more
	r, err := tr.App.RotateKeys(t.Context())
	if err != nil || len(r.Closed) > 0 || len(r.Seals) < 20 || len(r.Tokens) > 0 {
		t.Errorf("RotateKeys = %+v, %v, want the old sealing keys gone, and no token key", r, err)
	}
	for name, secret := range tr.factors {
		tr.tokens = append(tr.tokens, tr.signIn(t, name, servertest.AdminPassword, totptest.Code(secret, tr.clock.Now())))
	}
	tr.clock.Advance(47 * time.Hour)
	if _, err := tr.App.RotateKeys(t.Context()); err != nil {
		t.Error(err)
	}
	for _, token := range append(tr.tokens, old) {
		tr.ask(t, "an old token", servertest.Request{Path: "/api/me", Token: token})
	}
	tr.clock.Advance(3 * time.Hour)
	r, err = tr.App.RotateKeys(t.Context())
	if err != nil || len(r.Tokens) < 20 {
		t.Errorf("RotateKeys when all have expired = %+v, %v", r, err)
	}
	if n := len(tr.App.Ring.Tokens()); n != 1 {
		t.Errorf("%d token keys are left, want the new one", n)
	}
}

func TestKeysTellUntilWhenTheyVerify(t *testing.T) {
	clock := servertest.NewClock()
	s := servertest.Open(t, func(_ *config.Config, o *server.Options) { o.Now = clock.Now })
	s.Admin(t, "")
	expires := clock.Now().Add(48 * time.Hour)
	clock.Advance(time.Hour)
	if _, err := s.App.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	until := func() (list []time.Time) {
		keys, err := s.App.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if k.Purpose == model.KeyToken {
				list = append(list, k.Until)
			}
		}
		return list
	}
	if got := until(); len(got) != 2 || !got[0].Equal(expires) || !got[1].IsZero() {
		t.Errorf("the token keys verify until %v, want %v and no end", got, expires)
	}
	clock.Advance(48 * time.Hour)
	if got := until(); len(got) != 2 || !got[0].IsZero() {
		t.Errorf("when all tokens have expired: %v", got)
	}
}
