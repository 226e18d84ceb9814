// Package outbox owns what waits to be sent: messages that were accepted are kept, sealed,
// until somebody took them or they are too old. A message may arrive twice, and
// has the same id then. It does not know what a message says.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/secret"
)

const (
	// capacity is how many messages may wait. Beyond, new ones are refused: what
	// waits was promised earlier.
	capacity   = 10_000
	batch      = 50
	deliverFor = 30 * time.Second
	firstDelay = time.Minute
	longDelay  = 6 * time.Hour
	keepFor    = 72 * time.Hour
	lookEvery  = time.Minute // commands add messages beside the server
)

// ErrFull says that too many messages wait.
var ErrFull = errors.New("the outbox is full")

// Store keeps messages. Every method is one transaction.
type Store interface {
	// AddNotices stores all or none; model.ErrLimit if more than atMost would be
	// there.
	AddNotices(ctx context.Context, rows []model.Notice, atMost int) error
	// DueNotices lists those whose NextAt has come, the longest due first.
	DueNotices(ctx context.Context, at model.Time, atMost int) ([]model.Notice, error)
	// PostponeNotice counts one more try; model.ErrNotFound.
	PostponeNotice(ctx context.Context, id string, next model.Time) error
	// DropNotice deletes a message, also one that is gone.
	DropNotice(ctx context.Context, id string) error
}

// Sealer encrypts payloads for the store. What was sealed opens only with the
// same aad.
type Sealer interface {
	Seal(aad string, plain []byte) (string, error)
	Open(aad, sealed string) ([]byte, error)
}

// Carry takes one message to where it goes. The id is the same on every try.
// The error must not hold the payload: it is logged.
type Carry func(ctx context.Context, id string, payload []byte) error

// Deps are what the service works with.
type Deps struct {
	Store   Store
	Sealer  Sealer
	Log     *slog.Logger
	Now     func() time.Time
	Carries map[model.NoticeChannel]Carry // the channels that are set up
}

// Service is the outbox. It is safe for concurrent use; one Run is under way at
// a time.
type Service struct {
	Deps

	wake chan struct{} // holds one token when there may be work
}

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// Mail is the payload of model.NoticeMail, as JSON.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// Draft is a message to be sent.
type Draft struct {
	ID      string // from NewID
	Channel model.NoticeChannel
	Payload []byte
}

// NewID is the id of a message, of which no other has the same.
func NewID() string { return secret.ID() }

// Goes reports whether the channel is set up.
func (s *Service) Goes(c model.NoticeChannel) bool { return s.Carries[c] != nil }

// Send keeps the drafts until they are delivered. It returns when they are
// stored, and does not wait for anybody. It fails with ErrFull.
func (s *Service) Send(ctx context.Context, accountKey string, drafts ...Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	now := model.At(s.Now())
	rows := make([]model.Notice, len(drafts))
	for i, d := range drafts {
		sealed, err := s.Sealer.Seal(aad(d.ID), d.Payload)
		if err != nil {
			return fmt.Errorf("seal notice: %w", err)
		}
		rows[i] = model.Notice{
			ID: d.ID, AccountKey: accountKey, Channel: d.Channel, Payload: sealed, NextAt: now, CreatedAt: now,
		}
	}
	err := s.Store.AddNotices(ctx, rows, capacity)
	if errors.Is(err, model.ErrLimit) {
		return ErrFull
	}
	if err != nil {
		return fmt.Errorf("store notices: %w", err)
	}
	select {
	case s.wake <- struct{}{}:
	default: // Run will look anyway
	}
	return nil
}

// aad binds a sealed payload to its row.
func aad(id string) string { return "notices|payload|" + id }

// Run delivers until ctx ends, then returns nil. What is left is found at the
// next start.
func (s *Service) Run(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "deliver notices", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-look.C:
		}
	}
}

// Deliver tries every message that is due, once. Messages that cannot be
// delivered are postponed, which is no error.
func (s *Service) Deliver(ctx context.Context) error {
	at := model.At(s.Now())
	for {
		rows, err := s.Store.DueNotices(ctx, at, batch)
		if err != nil {
			return fmt.Errorf("list notices: %w", err)
		}
		for _, row := range rows {
			if err := s.deliver(ctx, row); err != nil {
				return err
			}
		}
		if len(rows) < batch {
			return nil
		}
	}
}

// deliver tries one message, and drops or postpones it. Only what the store
// could not do is an error.
func (s *Service) deliver(ctx context.Context, row model.Notice) error {
	failed := s.carry(ctx, row)
	if ctx.Err() != nil {
		return ctx.Err() // stopped: the try does not count
	}
	if failed == nil {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "notice delivered", about(row)...)
		return s.drop(ctx, row)
	}
	now, attrs := s.Now(), append(about(row), slog.Any("error", failed))
	if errors.Is(failed, errLost) || !now.Before(row.CreatedAt.Add(keepFor)) {
		s.Log.LogAttrs(ctx, slog.LevelError, "notice given up", attrs...)
		return s.drop(ctx, row)
	}
	s.Log.LogAttrs(ctx, slog.LevelWarn, "notice not delivered", attrs...)
	err := s.Store.PostponeNotice(ctx, row.ID, model.At(now.Add(delay(row.Tries))))
	if err != nil && !errors.Is(err, model.ErrNotFound) {
		return fmt.Errorf("postpone notice: %w", err)
	}
	return nil
}

func (s *Service) drop(ctx context.Context, row model.Notice) error {
	if err := s.Store.DropNotice(ctx, row.ID); err != nil {
		return fmt.Errorf("drop notice: %w", err)
	}
	return nil
}

// errLost says that a payload does not open any more.
var errLost = errors.New("its payload does not open")

func (s *Service) carry(ctx context.Context, row model.Notice) error {
	carry := s.Carries[row.Channel]
	if carry == nil {
		return fmt.Errorf("%s is not set up", row.Channel)
	}
	payload, err := s.Sealer.Open(aad(row.ID), row.Payload)
	if err != nil {
		return errLost
	}
	ctx, cancel := context.WithTimeout(ctx, deliverFor)
	defer cancel()
	return carry(ctx, row.ID, payload)
}

// delay is how long to wait after so many failures: twice as long each time.
func delay(failures int64) time.Duration {
	return min(firstDelay<<min(failures, 16), longDelay)
}

// about says in the log which message it is, and nothing of what it says.
func about(row model.Notice) []slog.Attr {
	return []slog.Attr{
		slog.String("notice", row.ID), slog.String("channel", string(row.Channel)),
		slog.String("account_key", row.AccountKey), slog.Int64("failures", row.Tries),
	}
}
