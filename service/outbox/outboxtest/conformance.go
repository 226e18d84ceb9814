package outboxtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/outbox"
)

// Harness is an empty store to try, and an account.
type Harness struct {
	Store   outbox.Store
	Account string // its key
}

// later is so long after the beginning.
func later(d time.Duration) model.Time {
	return model.At(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(d))
}

func (h Harness) notice(id string, next time.Duration) model.Notice {
	return model.Notice{
		ID: id, AccountKey: h.Account, Channel: model.NoticeMail, Payload: "sealed " + id, NextAt: later(next), CreatedAt: later(0),
	}
}

// due are the ids of what is due, in order.
func (h Harness) due(t *testing.T, at time.Duration, atMost int) string {
	t.Helper()
	rows, err := h.Store.DueNotices(t.Context(), later(at), atMost)
	if err != nil {
		t.Fatal(err)
	}
	var ids strings.Builder
	for _, r := range rows {
		ids.WriteString(r.ID)
	}
	return ids.String()
}

func (h Harness) add(t *testing.T, atMost int, rows ...model.Notice) error {
	t.Helper()
	return h.Store.AddNotices(t.Context(), rows, atMost)
}

// Conformance is what every outbox.Store must do.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, try := range map[string]func(*testing.T, Harness){
		"what is due comes in order":       inOrder,
		"all are stored or none":           allOrNone,
		"a failure is counted and waits":   postponed,
		"what is dropped is gone for good": dropped,
	} {
		t.Run(name, func(t *testing.T) { try(t, open(t)) })
	}
}

func inOrder(t *testing.T, h Harness) {
	a, b, c := h.notice("a", 2*time.Second), h.notice("b", time.Second), h.notice("c", time.Second)
	if err := h.add(t, 10, a, b, c); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]string{time.Second - 1*time.Millisecond: "", time.Second: "bc", 2 * time.Second: "bca"} {
		if got := h.due(t, at, 9); got != want {
			t.Errorf("after %s: %q, want %q", at, got, want)
		}
	}
	if got := h.due(t, time.Hour, 2); got != "bc" {
		t.Errorf("two of them: %q", got)
	}
	if rows, _ := h.Store.DueNotices(t.Context(), later(time.Second), 1); len(rows) != 1 || rows[0] != b {
		t.Errorf("%+v, want %+v", rows, b)
	}
}

func allOrNone(t *testing.T, h Harness) {
	if err := h.add(t, 3, h.notice("a", 0), h.notice("b", 0)); err != nil {
		t.Fatal(err)
	}
	if err := h.add(t, 3, h.notice("c", 0), h.notice("d", 0)); !errors.Is(err, model.ErrLimit) {
		t.Errorf("one too many: %v", err)
	}
	if err := h.add(t, 9, h.notice("e", 0), h.notice("a", 0)); !errors.Is(err, model.ErrConflict) {
		t.Errorf("one that is there: %v", err)
	}
	if got := h.due(t, 0, 9); got != "ab" {
		t.Errorf("due: %q", got)
	}
}

func postponed(t *testing.T, h Harness) {
	if err := h.add(t, 9, h.notice("a", 0)); err != nil {
		t.Fatal(err)
	}
	if err := h.Store.PostponeNotice(t.Context(), "a", later(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := h.due(t, time.Minute-time.Millisecond, 9); got != "" {
		t.Errorf("due too early: %q", got)
	}
	want := h.notice("a", time.Minute)
	want.Tries = 1
	if rows, _ := h.Store.DueNotices(t.Context(), later(time.Minute), 9); len(rows) != 1 || rows[0] != want {
		t.Errorf("%+v, want %+v", rows, want)
	}
	if err := h.Store.PostponeNotice(t.Context(), "b", later(0)); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func dropped(t *testing.T, h Harness) {
	if err := h.add(t, 9, h.notice("a", 0), h.notice("b", 0)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.Store.DropNotice(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
	if got := h.due(t, 0, 9); got != "b" {
		t.Errorf("due: %q", got)
	}
}
