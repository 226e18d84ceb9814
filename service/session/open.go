package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/address"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

// Opening is a sign-in that succeeded.
type Opening struct {
	AccountKey string
	Epoch      int64 // the account's when its password was checked
	Username   string
	ClientID   string
	UserAgent  string
	Address    string // the client's, in full; rows hold it masked
	Replaces   string // a live token of the same device that this sign-in replaces
	Limits     Limits

	PairFor time.Duration // not 0: no session token stands for the login but a pair of tokens, and it lives for so long
}

// Limits are the account's device limits.
type Limits struct {
	MaxDevices  int64 // 0 means no limit
	EvictOldest bool  // end the idlest device instead of refusing
}

// Opened is a new login.
type Opened struct {
	Token      string // empty: none names the login
	AccountKey string
	DeviceKey  string
	LoginID    string
	ExpiresAt  time.Time
	New        *model.Device // the device, if its owner may want to hear of it; else nil
}

// Open makes a login under the device (account, Client-Id). It fails with
// ErrTooManyDevices, or with ErrOvertaken if the account's password, second
// factor or state changed since Epoch.
func (s *Service) Open(ctx context.Context, o Opening) (Opened, error) {
	now := model.At(s.now())
	login := model.Login{
		ID: secret.ID(), AccountKey: o.AccountKey, DeviceKey: s.DeviceKey(o.AccountKey, o.ClientID),
		CreatedAt: now, FreshAt: now, SeenAt: now,
		ExpiresAt: s.expiry(now),
	}
	if o.PairFor > 0 {
		login.Kind, login.ExpiresAt = model.LoginPair, model.At(now.Add(o.PairFor))
	}
	opening := model.LoginOpening{
		Login: login, Live: s.live(now.Time), Epoch: o.Epoch, Replaces: s.loginOf(ctx, o.Replaces),
		MaxDevices: o.Limits.MaxDevices, EvictOldest: o.Limits.EvictOldest,
		DeviceCap: deviceCap, LoginCap: loginCap, KeepEnded: keepEnded, KeepIdle: keepIdle,
		Device: model.Device{
			Key: login.DeviceKey, AccountKey: o.AccountKey, Kind: kindOf(o.ClientID, o.UserAgent),
			UserAgent: o.UserAgent, IP: address.Mask(o.Address), CreatedAt: now, SeenAt: now,
		},
	}
	if o.ClientID == "" {
		opening.LoginCap = namelessCap
	}
	token, err := s.sign(o, login)
	if err != nil {
		return Opened{}, err
	}
	if err := s.open(ctx, opening); err != nil {
		return Opened{}, err
	}
	opened := Opened{
		Token: token, AccountKey: login.AccountKey, DeviceKey: login.DeviceKey, LoginID: login.ID, ExpiresAt: login.ExpiresAt.Time,
	}
	if s.isNew(ctx, o, opening.Device) {
		opened.New = &opening.Device
	}
	return opened, nil
}

// sign makes the session token of a login that begins, if it has one.
func (s *Service) sign(o Opening, l model.Login) (string, error) {
	if !l.Kind.IsSigned() {
		return "", nil
	}
	at := l.CreatedAt.Unix()
	return tokens{s.ring}.sign(claims{
		Username: o.Username, Subject: o.AccountKey, LoginID: l.ID, IssuedAt: at, NotUntil: at, Expires: l.ExpiresAt.Unix(),
	})
}

func (s *Service) open(ctx context.Context, o model.LoginOpening) error {
	if o.MaxDevices > 0 { // who is idlest decides who goes
		if err := s.Flush(ctx); err != nil {
			return err
		}
	}
	ended, err := s.store.OpenLogin(ctx, o)
	switch {
	case errors.Is(err, model.ErrLimit):
		return ErrTooManyDevices
	case errors.Is(err, model.ErrStale), errors.Is(err, model.ErrNotFound):
		return ErrOvertaken
	case err != nil:
		return fmt.Errorf("open login: %w", err)
	}
	if ended > 0 {
		s.announce(ctx, o.Login.AccountKey)
		s.audit.Note(ctx, audit.Event{
			Kind: audit.DevicesCleaned, AccountKey: o.Login.AccountKey, Detail: []slog.Attr{slog.Int64("logins", ended)},
		})
	}
	return nil
}

// loginOf is the login that a genuine token names, or "". To be replaced is no
// use of it: it is not touched.
func (s *Service) loginOf(ctx context.Context, token string) string {
	if token == "" {
		return ""
	}
	r, err := s.find(ctx, token, s.now())
	if err != nil {
		return ""
	}
	return r.ID
}

// kindOf guesses a device's kind: browsers send a Client-Id and call
// themselves Mozilla.
func kindOf(clientID, userAgent string) model.DeviceKind {
	if clientID != "" && strings.HasPrefix(userAgent, "Mozilla/") {
		return model.DeviceWeb
	}
	return model.DeviceAPI
}

// Known reports whether the account was seen under the Client-Id within 30
// days. The device of callers without a Client-Id is nobody's in particular, and
// so is that of passwords at the SFTP door.
func (s *Service) Known(ctx context.Context, accountKey, clientID string) (bool, error) {
	if isAnybody(clientID) {
		return false, nil
	}
	since := model.At(s.now().Add(-knownFor))
	return s.store.DeviceSeen(ctx, accountKey, s.DeviceKey(accountKey, clientID), since)
}
