package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/address"
	"latchkey/service/secret"
)

// appDeviceCap is how many apps of an account may be live (ruling 7).
const appDeviceCap = 100

// OAuthClient stands where other devices have their Client-Id: no HTTP client can
// send it, because a Client-Id is printable.
func OAuthClient(clientID string) string { return "\x00oauth:" + clientID }

// Granting is an app that was given access.
type Granting struct {
	AccountKey string
	Epoch      int64  // the account's when its owner approved
	ClientID   string // the app's
	App        string // its name, which its device goes by
	Address    string // the client's, in full; rows hold it masked
	Lifetime   time.Duration
	At         time.Time
}

// Granted is how the login of an app is opened: whoever stores what the app is
// given stores it in the same transaction. The device counts among apps only.
func (s *Service) Granted(g Granting) model.LoginOpening {
	now := model.At(g.At)
	key := s.DeviceKey(g.AccountKey, OAuthClient(g.ClientID))
	return model.LoginOpening{
		Login: model.Login{
			ID: secret.ID(), AccountKey: g.AccountKey, DeviceKey: key, Kind: model.LoginApp,
			CreatedAt: now, SeenAt: now, ExpiresAt: model.At(now.Add(g.Lifetime)),
		},
		Live: s.live(now.Time), Epoch: g.Epoch,
		DeviceCap: appDeviceCap, LoginCap: loginCap, KeepEnded: keepEnded, KeepIdle: keepIdle,
		Device: model.Device{
			Key: key, AccountKey: g.AccountKey, Kind: model.DeviceOAuth,
			UserAgent: g.App, IP: address.Mask(g.Address), CreatedAt: now, SeenAt: now,
		},
	}
}

// Use is a login that a token of a family stands for, and where the token came
// from.
type Use struct {
	LoginID    string
	AccountKey string
	ClientID   string // as Presented has it; apps may send any
	AnyDevice  bool   // take it under any Client-Id, for logging out
	UserAgent  string
	Address    string // the client's, in full; empty: it is asked about, and not used from anywhere
}

// Use judges a login that no session token names, by the rules and the memory of
// Resolve, and notes that it is used. It fails with ErrInvalid, ErrInactive,
// ErrPasswordChanged or ErrExpired. The device of an app keeps the app's name.
func (s *Service) Use(ctx context.Context, u Use) (Login, error) {
	now := s.now()
	r, err := s.lookup(ctx, u)
	if err != nil {
		return Login{}, err
	}
	p := Presented{ClientID: u.ClientID, AnyDevice: u.AnyDevice, UserAgent: u.UserAgent, Address: u.Address}
	if r.kind == model.LoginApp {
		p.AnyDevice, p.UserAgent = true, ""
	}
	if err := s.judge(r, p, now); err != nil {
		return r.Login, err
	}
	s.touch(r, p, now)
	return r.Login, nil
}

// lookup is a login by its id, whatever became of it.
func (s *Service) lookup(ctx context.Context, u Use) (*remembered, error) {
	if r, ok := s.used.Get(u.LoginID); ok && r.AccountKey == u.AccountKey {
		return r, nil
	}
	r, err := s.used.Load(ctx, u.LoginID, u.AccountKey, func(ctx context.Context) (*remembered, error) {
		row, err := s.store.Login(ctx, u.LoginID)
		if err != nil {
			return nil, err
		}
		if row.AccountKey != u.AccountKey || row.Kind.IsSigned() {
			return nil, ErrInvalid
		}
		return s.remember(row), nil
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("read login: %w", err)
	}
	return r, nil
}
