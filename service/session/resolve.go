package session

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"latchkey/model"
	"latchkey/service/address"
)

// Presented is what a request brings.
type Presented struct {
	Token     string
	ClientID  string // empty: the token's own device
	AnyDevice bool   // take the token under any Client-Id, for logging out
	UserAgent string
	Address   string // the client's, in full; rows hold it masked
}

// Login is who a token turned out to be.
type Login struct {
	ID         string
	AccountKey string
	DeviceKey  string
	FreshAt    time.Time // when its owner last proved who they are
	ExpiresAt  time.Time
}

// remembered is what the memory holds of a login: state, never a verdict.
type remembered struct {
	Login

	kind   model.LoginKind
	end    model.EndReason
	noted  atomic.Int64  // last request that was written down, Unix milliseconds
	origin atomic.Uint64 // address and user agent that were written down
}

// Resolve says whose token this is. It fails with ErrInvalid, ErrInactive,
// ErrPasswordChanged or ErrExpired; for all but ErrInvalid the Login is filled
// in, because a disabled account is told so first.
func (s *Service) Resolve(ctx context.Context, p Presented) (Login, error) {
	now := s.now()
	r, err := s.find(ctx, p.Token, now)
	if err != nil {
		return Login{}, err
	}
	if r.kind == model.LoginMinted { // whatever program has it, the device keeps its name
		p.AnyDevice, p.UserAgent = true, ""
	}
	if err := s.judge(r, p, now); err != nil {
		return r.Login, err
	}
	s.touch(r, p, now)
	return r.Login, nil
}

// find is the login that a token names, whatever became of it.
func (s *Service) find(ctx context.Context, token string, now time.Time) (*remembered, error) {
	if len(token) > maxToken {
		return nil, ErrInvalid
	}
	id := idOf(token)
	if r, ok := s.remembered.Get(id); ok {
		return r, nil
	}
	return s.recall(ctx, id, token, now)
}

// recall reads a login whose token is genuine from the database.
func (s *Service) recall(ctx context.Context, id tokenID, token string, now time.Time) (*remembered, error) {
	c, err := tokens{s.ring}.verify(token, now)
	if err != nil {
		return nil, err
	}
	r, err := s.remembered.Load(ctx, id, c.Subject, func(ctx context.Context) (*remembered, error) {
		row, err := s.store.Login(ctx, c.LoginID)
		if err != nil {
			return nil, err
		}
		if !row.Kind.IsSigned() || row.AccountKey != c.Subject || row.ExpiresAt.Unix() != c.Expires || row.CreatedAt.Unix() != c.IssuedAt {
			return nil, ErrInvalid
		}
		return s.remember(row), nil
	})
	if errors.Is(err, model.ErrNotFound) {
		return forgotten(c, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read login: %w", err)
	}
	return r, nil
}

// remember is a row's state. A lifetime that was shortened since counts.
func (s *Service) remember(row model.Login) *remembered {
	expires := row.ExpiresAt.Time
	latest := row.CreatedAt.Add(s.cfg.Lifetime + clockLeeway)
	if row.Kind.IsSigned() && expires.After(latest) {
		expires = latest
	}
	r := &remembered{kind: row.Kind, end: row.EndReason, Login: Login{
		ID: row.ID, AccountKey: row.AccountKey, DeviceKey: row.DeviceKey,
		FreshAt: row.FreshAt.Time, ExpiresAt: expires,
	}}
	r.noted.Store(row.SeenAt.UnixMilli())
	return r
}

// forgotten is a login that was ours and has no row any more. It expired so
// long ago that the row was cleaned; before that only an account takes its rows
// along, and then nobody is left to be told more than that.
func forgotten(c claims, now time.Time) (*remembered, error) {
	r := &remembered{Login: Login{ID: c.LoginID, AccountKey: c.Subject, ExpiresAt: time.Unix(c.Expires, 0)}}
	if now.Before(r.ExpiresAt) {
		return nil, ErrInvalid
	}
	return r, nil
}

// judge holds the rules of who is let in. The order is that of rulings 19: why
// a login ended comes before its age.
func (s *Service) judge(r *remembered, p Presented, now time.Time) error {
	switch {
	case r.end == model.EndPassword:
		return ErrPasswordChanged
	case r.end != "":
		return ErrInactive
	case !now.Before(r.ExpiresAt):
		return ErrExpired
	case s.idle(r, now):
		return ErrInactive
	case p.ClientID != "" && !p.AnyDevice:
		if key := s.deviceKey(r.AccountKey, p.ClientID); string(key[:]) != r.DeviceKey {
			return ErrInactive
		}
	}
	return nil
}

// idle reports whether the login was unused for too long. An app's never is: it
// may wake up once a month, and unused it ends with its refresh token.
func (s *Service) idle(r *remembered, now time.Time) bool {
	return s.cfg.IdleTimeout > 0 && r.kind != model.LoginApp &&
		now.UnixMilli()-r.noted.Load() >= s.cfg.IdleTimeout.Milliseconds()
}

// touch notes that the login was used: at once when it comes from somewhere
// new, else once per interval. Nowhere is nowhere new.
func (s *Service) touch(r *remembered, p Presented, now time.Time) {
	at := now.UnixMilli()
	keep := r.kind != model.LoginSigned
	last, before := r.noted.Load(), r.origin.Load()
	origin := maphash.String(s.seed, p.Address)*31 + maphash.String(s.seed, p.UserAgent)
	if keep && p.Address == "" {
		origin = before
	}
	if at-last < s.cfg.TouchEvery.Milliseconds() && before == origin {
		return
	}
	if !r.noted.CompareAndSwap(last, at) {
		return // another request of the login is noting it right now
	}
	r.origin.Store(origin)
	s.touches.Add(r.ID, model.Touch{
		LoginID: r.ID, DeviceKey: r.DeviceKey, At: model.At(now), UserAgent: p.UserAgent, IP: address.Mask(p.Address), Keep: keep,
	})
}
