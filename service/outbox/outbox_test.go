package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/model"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/outbox"
	"latchkey/service/outbox/outboxtest"
)

// carrier notes when a message came, and fails while it is told to.
type carrier struct {
	mu    sync.Mutex
	fails bool
	came  []time.Time
	begun time.Time
}

func (c *carrier) carry(_ context.Context, id string, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if string(payload) != "payload of "+id {
		return errors.New("another payload")
	}
	c.came = append(c.came, time.Now())
	if c.fails {
		return errors.New("the way is blocked")
	}
	return nil
}

func (c *carrier) tries() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var after []time.Duration
	for _, at := range c.came {
		after = append(after, at.Sub(c.begun))
	}
	return after
}

func open(store outbox.Store, c *carrier, log *strings.Builder) *outbox.Service {
	c.begun = time.Now()
	return outbox.New(outbox.Deps{
		Store: store, Sealer: keyringtest.NewSealer(), Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
		Carries: map[model.NoticeChannel]outbox.Carry{model.NoticeMail: c.carry},
	})
}

func send(t *testing.T, s *outbox.Service, channel model.NoticeChannel) {
	t.Helper()
	id := outbox.NewID()
	if err := s.Send(t.Context(), "ann", outbox.Draft{ID: id, Channel: channel, Payload: []byte("payload of " + id)}); err != nil {
		t.Fatal(err)
	}
}

func TestRunDeliversAtOnceAndTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		store, c := outboxtest.New(), &carrier{fails: true}
		s := open(store, c, &log)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		send(t, s, model.NoticeMail)
		time.Sleep(8 * time.Minute)
		c.mu.Lock()
		c.fails = false
		c.mu.Unlock()
		time.Sleep(time.Hour)
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		want := []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute, 15 * time.Minute}
		got := c.tries()
		if len(got) != len(want) {
			t.Fatalf("tried after %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("try %d after %s, want %s", i, got[i], want[i])
			}
		}
		if strings.Contains(log.String(), "payload of") {
			t.Errorf("the log holds a payload: %s", &log)
		}
	})
}

func TestAMessageIsGivenUpAfter3Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		store, c := outboxtest.New(), &carrier{fails: true}
		s := open(store, c, &log)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		send(t, s, model.NoticeMail)
		send(t, s, model.NoticeWebhook) // which is not set up any more
		time.Sleep(5 * 24 * time.Hour)
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		last := c.tries()[len(c.tries())-1]
		if last < 72*time.Hour || last > 79*time.Hour {
			t.Errorf("the last try is after %s", last)
		}
		if n := strings.Count(log.String(), `msg="notice given up"`); n != 2 {
			t.Errorf("%d messages were given up, want 2", n)
		}
	})
}

func TestAPayloadThatDoesNotOpenIsGivenUpAtOnce(t *testing.T) {
	var log strings.Builder
	store, c := outboxtest.New(), &carrier{}
	send(t, open(store, c, &log), model.NoticeMail)
	other := open(store, c, &log) // with other keys
	if err := other.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.tries()) != 0 || !strings.Contains(log.String(), "its payload does not open") {
		t.Errorf("%d tries, log %s", len(c.tries()), &log)
	}
	if rows, _ := store.DueNotices(t.Context(), model.At(time.Now()), 9); len(rows) != 0 {
		t.Errorf("%d messages wait", len(rows))
	}
}

func TestTheOutboxIsBounded(t *testing.T) {
	store, c := outboxtest.New(), &carrier{}
	rows := make([]model.Notice, 10_000)
	for i := range rows {
		rows[i] = model.Notice{ID: outbox.NewID(), NextAt: model.At(time.Now().Add(time.Hour))}
	}
	if err := store.AddNotices(t.Context(), rows, len(rows)); err != nil {
		t.Fatal(err)
	}
	err := open(store, c, new(strings.Builder)).Send(t.Context(), "ann", outbox.Draft{ID: outbox.NewID(), Channel: model.NoticeMail})
	if !errors.Is(err, outbox.ErrFull) {
		t.Errorf("Send = %v, want ErrFull", err)
	}
}

func TestWhatIsStoppedDoesNotCount(t *testing.T) {
	store, c := outboxtest.New(), &carrier{}
	s := open(store, c, new(strings.Builder))
	send(t, s, model.NoticeMail)
	ctx, stop := context.WithCancel(t.Context())
	s.Carries[model.NoticeMail] = func(context.Context, string, []byte) error {
		stop()
		return errors.New("cut off")
	}
	if err := s.Deliver(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver = %v", err)
	}
	if rows, _ := store.DueNotices(t.Context(), model.At(time.Now()), 9); len(rows) != 1 || rows[0].Tries != 0 {
		t.Errorf("rows %+v", rows)
	}
}
