package grant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/address"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

const (
	deviceFor       = 10 * time.Minute
	pollEvery       = 5  // seconds (RFC 8628 §3.5)
	pollSlower      = 5  // seconds more for an app that polls too often
	pollSlowest     = 60 // seconds: from then on it is not written any more
	pollEarly       = time.Second
	devicesOfClient = 2_000 // device authorizations of an app under way
	devicesInAll    = 10_000
	userCodeTries   = 5 // until a user code is free
)

// DeviceStart is an app on a device without a browser that asks for access.
type DeviceStart struct {
	ClientID string
	Scopes   []string
	Resource string
	Address  string // the client's, in full
}

// DeviceAnswer is what the app is told.
type DeviceAnswer struct {
	DeviceCode string
	UserCode   string        // XXXX-XXXX
	For        time.Duration // how long both work
	Interval   time.Duration // between two polls
}

// DeviceAsk is what the owner is asked.
type DeviceAsk struct {
	ClientID string
	UserCode string // as it is shown
	Scopes   []string
	Address  string // masked: where the app asked from
	Since    time.Time
}

// DeviceDecision is what the owner said.
type DeviceDecision struct {
	UserCode string
	Approve  bool
	AuthTime time.Time
	AMR      []string
}

// DevicePoll is an app that asks whether the owner has decided. The app has
// proven who it is.
type DevicePoll struct {
	DeviceCode string
	ClientID   string
	Resource   string // empty: not sent
	Address    string // the client's, in full
	UserAgent  string
}

// StartDevice begins a device authorization (RFC 8628 §3.2), which lasts 10
// minutes. It fails with ErrBusy.
func (s *Service) StartDevice(ctx context.Context, d DeviceStart) (DeviceAnswer, error) {
	for range userCodeTries {
		code, user, now := secret.ID()+secret.ID(), secret.UserCode(), model.At(s.Now())
		err := s.Store.AddDeviceCode(ctx, model.DeviceCode{
			Hash: hashOf(code), UserHash: hashOf(user), ClientID: d.ClientID,
			Scopes: model.UnionScopes("", strings.Join(d.Scopes, " ")), Resource: d.Resource, Address: address.Mask(d.Address),
			CreatedAt: now, ExpiresAt: model.At(now.Add(deviceFor)), Interval: pollEvery, State: model.DevicePending,
		}, model.DeviceCodeCap{Client: devicesOfClient, All: devicesInAll})
		switch {
		case errors.Is(err, model.ErrConflict):
			continue
		case errors.Is(err, model.ErrLimit):
			return DeviceAnswer{}, ErrBusy
		case err != nil:
			return DeviceAnswer{}, fmt.Errorf("store device code: %w", err)
		}
		return DeviceAnswer{DeviceCode: code, UserCode: shown(user), For: deviceFor, Interval: pollEvery * time.Second}, nil
	}
	return DeviceAnswer{}, ErrBusy
}

// shown is a user code as people read it.
func shown(user string) string { return user[:len(user)/2] + "-" + user[len(user)/2:] }

// DeviceRequest finds the device that waits under a user code, however it is
// spelled. It fails with ErrUserCode, or with ErrGuesses after ten wrong codes
// in ten minutes.
func (s *Service) DeviceRequest(ctx context.Context, by access.Caller, userCode string) (DeviceAsk, error) {
	row, user, err := s.waiting(ctx, by, userCode)
	if err != nil {
		return DeviceAsk{}, err
	}
	return DeviceAsk{
		ClientID: row.ClientID, UserCode: shown(user), Scopes: strings.Fields(row.Scopes),
		Address: row.Address, Since: row.CreatedAt.Time,
	}, nil
}

// waiting finds a device authorization that nobody has decided.
func (s *Service) waiting(ctx context.Context, by access.Caller, userCode string) (model.DeviceCode, string, error) {
	user := plain(userCode)
	if !secret.IsUserCode(user) {
		return model.DeviceCode{}, "", ErrUserCode // no guess: it can be nobody's
	}
	if wait := s.guesses.take(by.Account.Key, s.Now()); wait > 0 {
		return model.DeviceCode{}, "", ErrGuesses.After(wait)
	}
	row, err := s.Store.DeviceCodeFor(ctx, hashOf(user))
	switch {
	case errors.Is(err, model.ErrNotFound):
		return row, "", ErrUserCode
	case err != nil:
		s.guesses.giveBack(by.Account.Key)
		return row, "", fmt.Errorf("find device code: %w", err)
	case row.State != model.DevicePending || !row.ExpiresAt.After(s.Now()):
		return row, "", ErrUserCode
	}
	s.guesses.giveBack(by.Account.Key)
	return row, user, nil
}

// plain is a user code without what people put into it.
func plain(userCode string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(userCode)))
}

// DecideDevice says yes or no, once. It fails as DeviceRequest does, with
// access.ErrFirstParty unless the caller signed in, or with ErrAccount.
func (s *Service) DecideDevice(ctx context.Context, by access.Caller, d DeviceDecision) error {
	if by.Kind != access.SessionToken {
		return access.ErrFirstParty
	}
	row, _, err := s.waiting(ctx, by, d.UserCode)
	if err != nil {
		return err
	}
	row.State, row.AccountKey, row.Epoch = model.DeviceDenied, by.Account.Key, by.Account.Epoch
	row.DeviceKey = s.Device(by.Account.Key, row.ClientID)
	row.AuthTime, row.AMR = model.At(d.AuthTime), strings.Join(d.AMR, " ")
	if d.Approve {
		row.State = model.DeviceApproved
	}
	err = s.Store.DecideDeviceCode(ctx, row, model.At(s.Now()))
	switch {
	case errors.Is(err, model.ErrNotFound):
		return ErrUserCode
	case errors.Is(err, model.ErrStale):
		return ErrAccount
	case err != nil:
		return fmt.Errorf("decide device code: %w", err)
	case !d.Approve:
		s.Note(ctx, audit.Event{Kind: audit.AppRefused, AccountKey: by.Account.Key, Detail: appDetail(row.ClientID)})
	}
	return nil
}

// PollDevice fetches the tokens once the owner has approved: a device code that
// was exchanged is ErrGrant ever after. It fails with ErrPending, ErrSlowDown,
// ErrDenied, ErrDeviceExpired, ErrTarget or ErrGrant.
func (s *Service) PollDevice(ctx context.Context, p DevicePoll) (Tokens, error) {
	row, err := s.Store.DeviceCode(ctx, hashOf(p.DeviceCode))
	if errors.Is(err, model.ErrNotFound) || err == nil && row.ClientID != p.ClientID {
		return Tokens{}, ErrGrant
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("find device code: %w", err)
	}
	switch {
	case row.State == model.DeviceDone:
		return Tokens{}, ErrGrant
	case !row.ExpiresAt.After(s.Now()):
		return Tokens{}, ErrDeviceExpired
	case isOther(p.Resource, row.Resource):
		return Tokens{}, ErrTarget
	case row.State == model.DeviceDenied:
		return Tokens{}, ErrDenied
	case row.State == model.DevicePending:
		return Tokens{}, s.polled(ctx, row)
	}
	a := approved{
		clientID: row.ClientID, accountKey: row.AccountKey, epoch: row.Epoch, scopes: row.Scopes,
		resource: row.Resource, authTime: row.AuthTime, amr: row.AMR, address: p.Address,
	}
	tokens, _, err := s.give(ctx, a, func(o model.GrantOpening) (int64, error) {
		return s.Store.RedeemDeviceCode(ctx, row.Hash, o)
	})
	return tokens, err
}

// polled notes a poll, and says whether it came too early.
func (s *Service) polled(ctx context.Context, row model.DeviceCode) error {
	becomes, answer := row, error(ErrPending)
	becomes.PolledAt = model.At(s.Now())
	next := row.PolledAt.Add(time.Duration(row.Interval)*time.Second - pollEarly)
	if !row.PolledAt.IsZero() && becomes.PolledAt.Before(next) {
		if row.Interval >= pollSlowest {
			return ErrSlowDown
		}
		becomes.Interval, answer = row.Interval+pollSlower, ErrSlowDown
	}
	err := s.Store.PollDeviceCode(ctx, row, becomes)
	if errors.Is(err, model.ErrStale) {
		return ErrSlowDown // two polls at once
	}
	if err != nil {
		return fmt.Errorf("note poll: %w", err)
	}
	return answer
}
