package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/audit/audittest"
)

// desk is a recorder with a store in memory.
type desk struct {
	*audit.Recorder

	store *audittest.Store
	log   *bytes.Buffer
}

func open(t *testing.T, changes ...func(*audit.Config)) desk {
	t.Helper()
	d := desk{store: audittest.New(), log: &bytes.Buffer{}}
	cfg := audit.Config{Store: d.store, Now: time.Now, Keep: 24 * time.Hour, Most: 100}
	for _, change := range changes {
		change(&cfg)
	}
	d.Recorder = audit.Keep(slog.New(slog.NewTextHandler(d.log, nil)), cfg)
	return d
}

func TestRecordIsStoredWhenItReturns(t *testing.T) {
	d := open(t)
	by := caller()
	by.RequestID = "request-id"
	err := d.Record(access.With(t.Context(), by), audit.Event{
		Kind: audit.DeviceEvicted, AccountKey: "other", AccountID: 7, Username: "na\u202eme", DeviceKey: "evicted",
		Detail: []slog.Attr{slog.Int64("logins", 2), slog.Bool("password", true), slog.String("x", "a\nb")},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := d.store.All()
	if len(all) != 1 {
		t.Fatalf("%d events are stored", len(all))
	}
	got := all[0]
	got.ID, got.At, got.Nonce = 0, model.Time{}, 0
	want := model.AuditEvent{
		Kind: "device_evicted", AccountKey: "other", AccountID: 7, Username: "na�me",
		ActorKind: model.ActorSession, ActorKey: "account-key", ActorID: 42, ActorName: "user-name",
		DeviceKey: "evicted", CallerDevice: "device-key", Address: "203.0.113.9",
		Detail: `{"logins":2,"password":true,"x":"a�b"}`, RequestID: "request-id",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
}

func TestWhoActs(t *testing.T) {
	static := caller()
	static.Kind = access.StaticToken
	guest := access.Caller{Kind: access.Guest, Account: caller().Account, Address: "192.0.2.1"}
	for name, tt := range map[string]struct {
		by      access.Caller
		command string
		actor   model.AuditActor
		name    string // the actor's
		about   string // whom an event is about that names nobody
	}{
		"a login":          {caller(), "", model.ActorSession, "user-name", "user-name"},
		"the static token": {static, "", model.ActorToken, "user-name", ""},
		"a guest":          {guest, "", model.ActorNone, "", ""},
		"nobody known":     {access.Caller{Address: "192.0.2.1"}, "", model.ActorNone, "", ""},
		"the server":       {access.Caller{}, "", model.ActorSystem, "", ""},
		"a command":        {access.Caller{}, "root", model.ActorCommand, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(c *audit.Config) { c.Command = tt.command })
			if err := d.Record(access.With(t.Context(), tt.by), audit.Event{Kind: audit.SettingsChanged}); err != nil {
				t.Fatal(err)
			}
			got := d.store.All()[0]
			if got.ActorKind != tt.actor || got.ActorName != tt.name || got.Username != tt.about {
				t.Errorf("%s %q did something to %q", got.ActorKind, got.ActorName, got.Username)
			}
			if strings.Contains(got.Detail, "os_user") != (tt.command != "") {
				t.Errorf("detail %s", got.Detail)
			}
		})
	}
}

func TestWhatCannotBeStoredIsNoSuccess(t *testing.T) {
	d := open(t)
	for name, fail := range map[string]error{"away": model.ErrUnavailable, "broken": errors.New("no such table")} {
		d.store.Fail(fail)
		if err := d.Record(t.Context(), audit.Event{Kind: audit.DeviceEvicted}); !errors.Is(err, model.ErrUnavailable) || !errors.Is(err, fail) {
			t.Errorf("%s: Record = %v", name, err)
		}
	}
	d.Note(t.Context(), audit.Event{Kind: audit.SignedIn}) // waits for nobody
	d.store.Fail(nil)
	if err := d.Flush(t.Context()); err != nil || len(d.store.All()) != 3 {
		t.Errorf("Flush = %v with %d events stored, want 3", err, len(d.store.All()))
	}
}

func TestNotesAreStoredWithinASecondAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		d.Note(t.Context(), audit.Event{Kind: audit.SignedIn})
		time.Sleep(1001 * time.Millisecond)
		if n := len(d.store.All()); n != 1 {
			t.Errorf("%d events a second later, want 1", n)
		}
		d.Note(t.Context(), audit.Event{Kind: audit.SignedIn})
		stop()
		if err := <-ended; err != nil || len(d.store.All()) != 2 {
			t.Errorf("Run = %v with %d events stored, want 2", err, len(d.store.All()))
		}
		d.Note(t.Context(), audit.Event{Kind: audit.SignedOut})
		if err := d.Close(t.Context()); err != nil || len(d.store.All()) != 3 {
			t.Errorf("Close = %v with %d events stored, want 3", err, len(d.store.All()))
		}
	})
}

func TestOldEventsAndTooManyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = d.Run(ctx) }()
		for n := range 700 {
			kind := audit.SignInRefused
			if n%10 == 0 {
				kind = audit.PasswordChanged
			}
			d.Note(t.Context(), audit.Event{Kind: kind})
		}
		time.Sleep(time.Hour + 10*time.Second)
		changed := 0
		for _, e := range d.store.All() {
			if e.Kind == string(audit.PasswordChanged) {
				changed++
			}
		}
		if n := len(d.store.All()); n != 100 || changed != 70 {
			t.Errorf("%d events are left, %d of them changes, want 100 and 70", n, changed)
		}
		time.Sleep(24*time.Hour + 10*time.Second)
		if n := len(d.store.All()); n != 0 {
			t.Errorf("%d events are left after they were kept long enough", n)
		}
	})
}

// A flood of throttled sign-ins is logged whole and stored in a trickle.
func TestThrottledSignInsAreStoredOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t)
		flood := func(account, address string) {
			for range 50 {
				d.Note(t.Context(), audit.Event{Kind: audit.SignInThrottled, AccountKey: account, Address: address})
			}
		}
		stored := func() int {
			if err := d.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			return len(d.store.All())
		}
		for range 11 { // 110 s
			flood("a", "192.0.2.1")
			flood("a", "2001:db8::1")
			flood("a", "2001:db8::2") // one network
			flood("b", "192.0.2.1")
			time.Sleep(10 * time.Second)
		}
		if n := stored(); n != 6 {
			t.Errorf("%d are stored of 3 pairs in 110 s, want 6", n)
		}
		if n := strings.Count(d.log.String(), "event=sign_in_throttled"); n != 11*4*50 {
			t.Errorf("%d are logged, want all %d", n, 11*4*50)
		}
		for n := range 50_000 {
			d.Note(t.Context(), audit.Event{Kind: audit.SignInThrottled, Address: fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)})
		}
		if n := stored(); n > 10_006 {
			t.Errorf("%d are stored of 50,000 addresses in one minute", n)
		}
	})
}

func TestOverflowIsCountedAndBlocksNobody(t *testing.T) {
	d := open(t)
	d.store.Fail(model.ErrUnavailable)
	for range 20_100 {
		d.Note(t.Context(), audit.Event{Kind: audit.SignedIn})
	}
	d.log.Reset()
	if err := d.Flush(t.Context()); !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("Flush = %v", err)
	}
	if text := d.log.String(); !strings.Contains(text, "events=100") {
		t.Errorf("the log says %s", text)
	}
	if err := d.Record(t.Context(), audit.Event{Kind: audit.DeviceEvicted}); !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("Record on a full queue = %v", err)
	}
	d.store.Fail(nil)
	if err := d.Flush(t.Context()); err != nil || len(d.store.All()) != 20_000 {
		t.Errorf("Flush = %v with %d stored", err, len(d.store.All()))
	}
}

func TestTotalIsHonest(t *testing.T) {
	d := open(t)
	for n := range audit.CountTo + 1 {
		if n == audit.CountTo {
			if p, err := d.Search(t.Context(), audit.Filter{}, 0, 0); err != nil || p.Total != audit.CountTo || p.Capped || len(p.Events) != 1000 {
				t.Errorf("%d of %d, capped: %t, %v", len(p.Events), p.Total, p.Capped, err)
			}
		}
		d.Note(t.Context(), audit.Event{Kind: audit.SignedIn})
	}
	if p, err := d.Search(t.Context(), audit.Filter{}, 11, 1001); err != nil || p.Total != audit.CountTo || !p.Capped || len(p.Events) != 1 {
		t.Errorf("%d of %d, capped: %t, %v", len(p.Events), p.Total, p.Capped, err)
	}
}

func TestEveryKindHasASentence(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range audit.Kinds() {
		text := audit.Text(string(kind))
		if seen[text] || text == string(kind) || !strings.HasSuffix(text, ".") || strings.ToUpper(text[:1]) != text[:1] {
			t.Errorf("%s: %q", kind, text)
		}
		seen[text] = true
	}
	source, err := os.ReadFile("audit.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := strings.Count(string(source), `Kind = "`)
	if declared != len(seen)+1 { // what commands change is only logged
		t.Errorf("%d kinds have a sentence, %d are declared", len(seen), declared)
	}
}

func TestLogFileFollowsRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	file, err := audit.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, func(c *audit.Config) { c.File = file })
	lines := func(path string) int {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !json.Valid([]byte(line)) {
				t.Errorf("not a line of JSON: %q", line)
			}
		}
		return strings.Count(string(text), "\n")
	}
	note := func() { d.Note(t.Context(), audit.Event{Kind: audit.SignedIn, Username: "a\nb"}) }
	note()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	note()
	note()
	if a, b := lines(path+".1"), lines(path); a != 1 || b != 2 {
		t.Errorf("%d lines before the rotation and %d after it, want 1 and 2", a, b)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	note()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || lines(path) != 1 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
