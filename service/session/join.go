package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/address"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

// sftpDeviceCap is how many SFTP devices of an account may be live (ruling 7).
const sftpDeviceCap = 100

// SFTPClient stands where other devices have their Client-Id: no HTTP client can
// send it, because a Client-Id is printable. An empty fingerprint is the device
// that signs in with the password.
func SFTPClient(fingerprint string) string {
	if fingerprint == "" {
		return "\x00sftp:password"
	}
	return "\x00sftp:" + fingerprint
}

// Joining is a sign-in at the SFTP door that succeeded.
type Joining struct {
	AccountKey  string
	Epoch       int64  // the account's when its credential was checked
	Fingerprint string // of the key that signed; empty: the password
	SSHKeyID    int64  // of that key; 0: the password
	UserAgent   string
	Address     string // the client's, in full; rows hold it masked
}

// Join makes the account's device live under one login: the one that is there,
// renewed, or a new one. So connections side by side share a login, and no cap
// of logins ends one of them for another. The login has no token. It fails with
// ErrOvertaken if the account or the key changed since Epoch.
func (s *Service) Join(ctx context.Context, j Joining) (Opened, error) {
	now := model.At(s.now())
	login := model.Login{
		ID: secret.ID(), AccountKey: j.AccountKey, DeviceKey: s.DeviceKey(j.AccountKey, SFTPClient(j.Fingerprint)),
		CreatedAt: now, FreshAt: now, SeenAt: now, ExpiresAt: s.expiry(now),
	}
	opening := model.LoginOpening{
		Login: login, Live: s.live(now.Time), Epoch: j.Epoch,
		DeviceCap: sftpDeviceCap, LoginCap: loginCap, KeepEnded: keepEnded, KeepIdle: keepIdle,
		Device: model.Device{
			Key: login.DeviceKey, AccountKey: j.AccountKey, Kind: model.DeviceSFTP,
			UserAgent: j.UserAgent, IP: address.Mask(j.Address), CreatedAt: now, SeenAt: now,
		},
	}
	if j.SSHKeyID != 0 {
		opening.Device.SSHKeyID = &j.SSHKeyID
	}
	joined, ended, err := s.store.JoinLogin(ctx, opening)
	switch {
	case errors.Is(err, model.ErrStale), errors.Is(err, model.ErrNotFound):
		return Opened{}, ErrOvertaken
	case err != nil:
		return Opened{}, fmt.Errorf("join login: %w", err)
	}
	if ended > 0 {
		s.announce(ctx, j.AccountKey)
		s.audit.Note(ctx, audit.Event{
			Kind: audit.DevicesCleaned, AccountKey: j.AccountKey, Detail: []slog.Attr{slog.Int64("logins", ended)},
		})
	}
	opened := Opened{
		AccountKey: joined.AccountKey, DeviceKey: joined.DeviceKey, LoginID: joined.ID, ExpiresAt: joined.ExpiresAt.Time,
	}
	at := Opening{AccountKey: j.AccountKey, ClientID: SFTPClient(j.Fingerprint), Address: j.Address}
	if s.isNew(ctx, at, opening.Device) {
		opened.New = &opening.Device
	}
	return opened, nil
}

// expiry is when a login that begins now ends.
func (s *Service) expiry(now model.Time) model.Time {
	return model.At(now.Truncate(time.Second).Add(s.cfg.Lifetime))
}

// Standing asks the database what became of a login. It is nil while the login is
// live, else what its token is refused with (rulings 19): ErrInvalid, ErrInactive,
// ErrPasswordChanged or ErrExpired.
func (s *Service) Standing(ctx context.Context, loginID string) error {
	row, err := s.store.Login(ctx, loginID)
	if errors.Is(err, model.ErrNotFound) {
		return ErrInvalid
	}
	if err != nil {
		return fmt.Errorf("read login: %w", err)
	}
	return s.judge(s.remember(row), Presented{}, s.now())
}

// Held is a login that a connection hangs on.
type Held struct {
	LoginID   string
	DeviceKey string
	UsedAt    time.Time // when the connection was last used
	UserAgent string
	Address   string // the client's, in full
}

// Hold renews those of the logins that are live, notes their uses, and returns
// the ids of those that are live. Whatever hangs on the others must end.
func (s *Service) Hold(ctx context.Context, held []Held) ([]string, error) {
	if len(held) == 0 {
		return nil, nil
	}
	ids := make([]string, 0, len(held))
	for _, h := range held {
		ids = append(ids, h.LoginID)
		s.touches.Add(h.LoginID, model.Touch{
			LoginID: h.LoginID, DeviceKey: h.DeviceKey, At: model.At(h.UsedAt), UserAgent: h.UserAgent, IP: address.Mask(h.Address),
		})
	}
	if s.cfg.IdleTimeout > 0 { // what was just used is not idle
		if err := s.Flush(ctx); err != nil {
			return nil, err
		}
	}
	now := model.At(s.now())
	alive, err := s.store.RenewLogins(ctx, model.Renewal{IDs: ids, Live: s.live(now.Time), ExpiresAt: s.expiry(now)})
	if err != nil {
		return nil, fmt.Errorf("renew %d logins: %w", len(ids), err)
	}
	return alive, nil
}
