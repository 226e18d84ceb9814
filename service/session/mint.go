package session

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/secret"
)

// ErrMintFor says that a minted login would live too short or too long.
var ErrMintFor = fault.New(fault.Invalid, "mint_lifetime", "a token lives for one minute at least, and no longer than a login")

// CommandClient stands where other devices have their Client-Id: no HTTP client
// can send it, because a Client-Id is printable. Tokens of one name share a
// device.
func CommandClient(name string) string { return "\x00cli:" + name }

// Minting asks for a login without a password, as the operator may.
type Minting struct {
	AccountKey string
	Epoch      int64
	Username   string
	Name       string        // of its device, as lists show it
	For        time.Duration // at most Config.Lifetime
}

// Mint makes a login under a device of kind cli, and the token that names it. It
// is no proof of who holds it: it is never fresh. It fails with ErrMintFor, or
// with ErrOvertaken if the account changed since Epoch.
func (s *Service) Mint(ctx context.Context, m Minting) (Opened, error) {
	if m.For < time.Minute || m.For > s.cfg.Lifetime {
		return Opened{}, ErrMintFor.WithText(fmt.Sprintf("a token lives for one minute at least and %g hours at most, as logins do (--token-lifetime)", s.cfg.Lifetime.Hours()))
	}
	now := model.At(s.now())
	login := model.Login{
		ID: secret.ID(), AccountKey: m.AccountKey, DeviceKey: s.DeviceKey(m.AccountKey, CommandClient(m.Name)), Kind: model.LoginMinted,
		CreatedAt: now, SeenAt: now, ExpiresAt: model.At(now.Truncate(time.Second).Add(m.For)),
	}
	token, err := s.sign(Opening{AccountKey: m.AccountKey, Username: m.Username}, login)
	if err != nil {
		return Opened{}, err
	}
	if err := s.open(ctx, model.LoginOpening{
		Login: login, Live: s.live(now.Time), Epoch: m.Epoch,
		DeviceCap: deviceCap, LoginCap: loginCap, KeepEnded: keepEnded, KeepIdle: keepIdle,
		Device: model.Device{
			Key: login.DeviceKey, AccountKey: m.AccountKey, Kind: model.DeviceCLI, UserAgent: m.Name, CreatedAt: now, SeenAt: now,
		},
	}); err != nil {
		return Opened{}, err
	}
	opened := Opened{
		Token: token, AccountKey: login.AccountKey, DeviceKey: login.DeviceKey, LoginID: login.ID, ExpiresAt: login.ExpiresAt.Time,
	}
	return opened, s.audit.Record(ctx, audit.Event{
		Kind: audit.TokenMinted, AccountKey: m.AccountKey, DeviceKey: login.DeviceKey,
		Detail: []slog.Attr{slog.String("login", login.ID), slog.Int64("lifetime_seconds", int64(m.For/time.Second))},
	})
}
