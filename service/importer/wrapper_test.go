package importer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/alistdb/alistdbtest"
	"latchkey/service/importer"
	"latchkey/service/password"
	"latchkey/service/revocation"
)

// imported is a house with n users u1 … un, whose passwords are pw1 … pwn.
func imported(t *testing.T, n int64) *house {
	t.Helper()
	h := newHouse(t)
	var users []alistdbtest.Row
	for i := range n {
		users = append(users, alistdbtest.User(10+i, fmt.Sprintf("u%d", i+1), fmt.Sprintf("pw%d", i+1), "[]"))
	}
	h.run(t, fresh(t, users...), everything())
	return h
}

// hooked calls before every ReplacePassword.
type hooked struct {
	importer.Store

	before func(key string) error
}

func (s hooked) ReplacePassword(ctx context.Context, key, old, stored string) error {
	if err := s.before(key); err != nil {
		return err
	}
	return s.Store.ReplacePassword(ctx, key, old, stored)
}

func (h *house) wrapper(log *slog.Logger, before func(key string) error) *importer.Wrapper {
	deps := h.deps
	if before != nil {
		deps.Store = hooked{deps.Store, before}
	}
	return importer.NewWrapper(importer.WrapConfig{Batch: 3}, deps, h.hasher, log)
}

// sealed counts the passwords that wait.
func (h *house) sealed(t *testing.T) int {
	t.Helper()
	rows, err := h.db.Imports().PasswordsWith(t.Context(), password.SealedPrefix, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestWrapAllWrapsEveryPassword(t *testing.T) {
	h := imported(t, 10)
	before := h.account(t, "u7")
	n, err := h.wrapper(discard(), nil).WrapAll(t.Context())
	if err != nil || n != 11 || h.sealed(t) != 0 { // and AList's admin's
		t.Fatalf("WrapAll = %d, %v with %d left, want 11 and none", n, err, h.sealed(t))
	}
	for i := range 10 {
		name := fmt.Sprintf("u%d", i+1)
		if !h.opens(t, name, fmt.Sprintf("pw%d", i+1)) || h.opens(t, name, "other") {
			t.Errorf("the password of %s is not what it was", name)
		}
	}
	after := h.account(t, "u7")
	if after.Epoch != before.Epoch || after.PasswordAt != before.PasswordAt {
		t.Error("wrapping looks like a change of the password")
	}
	if n, err := h.wrapper(discard(), nil).WrapAll(t.Context()); err != nil || n != 0 {
		t.Errorf("second WrapAll = %d, %v, want 0", n, err)
	}
}

func TestWrappingStopsAndResumes(t *testing.T) {
	h := imported(t, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	n, err := h.wrapper(discard(), func(string) error {
		if done++; done == 4 {
			cancel()
		}
		return nil
	}).WrapAll(ctx)
	if err == nil || n != 3 {
		t.Errorf("WrapAll = %d, %v, want 3 and an error", n, err)
	}
	if left := h.sealed(t); left != 8 {
		t.Errorf("%d are left, want 8", left)
	}
	if n, err := h.wrapper(discard(), nil).WrapAll(t.Context()); err != nil || n != 8 {
		t.Errorf("WrapAll of the rest = %d, %v, want 8", n, err)
	}
}

func TestWrappingNeverOverwritesAChange(t *testing.T) {
	h := imported(t, 1)
	key := h.account(t, "u1").Key
	n, err := h.wrapper(discard(), func(at string) error {
		if at != key {
			return nil
		}
		hash := "$argon2id$changed meanwhile"
		return h.db.Accounts().EditAccount(t.Context(), key, model.AccountEdit{PasswordHash: &hash, At: model.At(start)})
	}).WrapAll(t.Context())
	if err != nil || n != 1 || h.account(t, "u1").PasswordHash != "$argon2id$changed meanwhile" {
		t.Errorf("WrapAll = %d, %v, password %q", n, err, h.account(t, "u1").PasswordHash)
	}
}

func TestAPasswordThatDoesNotOpenIsLoggedAndLeft(t *testing.T) {
	h := imported(t, 3)
	one, other := h.account(t, "u1"), h.account(t, "u2")
	if err := h.db.Imports().ReplacePassword(t.Context(), one.Key, one.PasswordHash, other.PasswordHash); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	n, err := h.wrapper(slog.New(slog.NewTextHandler(&log, nil)), nil).WrapAll(t.Context())
	if err != nil || n != 3 || h.sealed(t) != 1 || !strings.Contains(log.String(), one.Key) {
		t.Errorf("WrapAll = %d, %v, %d left, log %q", n, err, h.sealed(t), &log)
	}
}

func TestRunWrapsAtTheStartAndAfterEveryImport(t *testing.T) {
	h := imported(t, 2)
	lines := make(chan string, 10)
	w := h.wrapper(slog.New(slog.NewTextHandler(channel(lines), nil)), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	if line := next(t, lines); !strings.Contains(line, "wrapped=3") {
		t.Errorf("log %q, want 3 wrapped", line)
	}
	more := alistdbtest.SQLite(t)
	more.Schema(t)
	more.Insert(t, "users", alistdbtest.User(50, "late", "pw", "[]"))
	h.run(t, more, importer.Options{})
	if line := next(t, lines); !strings.Contains(line, "wrapped=1") {
		t.Errorf("log %q, want 1 wrapped", line)
	}
	h.hub.Publish(t.Context(), revocation.Notice{AccountKey: "one account"})
	cancel()
	group.Wait()
}

// next waits for a line; nothing takes as long as it waits.
func next(t *testing.T, lines <-chan string) string {
	t.Helper()
	select {
	case line := <-lines:
		return line
	case <-time.After(time.Minute):
		t.Fatal("nothing was logged")
		return ""
	}
}

// channel is a writer of lines.
type channel chan<- string

func (c channel) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

func TestUpgradeAtSignIn(t *testing.T) {
	for name, wrap := range map[string]bool{"of a sealed password": false, "of a wrapped one": true} {
		t.Run(name, func(t *testing.T) {
			h := imported(t, 1)
			w := h.wrapper(discard(), nil)
			if wrap {
				if _, err := w.WrapAll(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			before := h.account(t, "u1")
			w.Upgrade(t.Context(), before.Account, password.Static("pw1"))
			after := h.account(t, "u1")
			if !strings.HasPrefix(after.PasswordHash, "$argon2id$") || !h.opens(t, "u1", "pw1") {
				t.Errorf("the password is %q", after.PasswordHash)
			}
			if after.Epoch != before.Epoch || after.PasswordAt != before.PasswordAt {
				t.Error("it looks like a change of the password")
			}
			w.Upgrade(t.Context(), before.Account, password.Static("stale"))
			w.Upgrade(t.Context(), after.Account, password.Static("plain already"))
			if h.account(t, "u1").PasswordHash != after.PasswordHash {
				t.Error("a stale or needless upgrade wrote")
			}
		})
	}
}

func TestAFailingUpgradeIsLogged(t *testing.T) {
	h := imported(t, 1)
	var log strings.Builder
	w := h.wrapper(slog.New(slog.NewTextHandler(&log, nil)), func(string) error { return errors.New("disk full") })
	w.Upgrade(t.Context(), h.account(t, "u1").Account, password.Static("pw1"))
	if !h.opens(t, "u1", "pw1") || !strings.Contains(log.String(), "disk full") {
		t.Errorf("log %q", &log)
	}
}
