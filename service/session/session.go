package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/behind"
	"latchkey/service/cache"
	"latchkey/service/fault"
	"latchkey/service/keyring"
	"latchkey/service/revocation"
)

// What can be wrong with a session.
var (
	// ErrInvalid says that a token is malformed, forged or unknown.
	ErrInvalid = fault.New(fault.Unauthenticated, "token_invalid", "token is invalidated")
	// ErrExpired says that a token is past its time.
	ErrExpired = fault.New(fault.Unauthenticated, "token_expired", "token is expired")
	// ErrInactive says that the login was ended, or is another device's.
	ErrInactive = fault.New(fault.Unauthenticated, "session_inactive", "session inactive")
	// ErrPasswordChanged says that the login ended with its password.
	ErrPasswordChanged = fault.New(fault.Unauthenticated, "password_changed", "Password has been changed, login please")
	// ErrNoDevice says that the caller has no such device.
	ErrNoDevice = fault.New(fault.Invalid, "device_unknown", "failed find session: record not found")
	// ErrTooManyDevices says that the account has as many devices as it may.
	ErrTooManyDevices = fault.New(fault.Forbidden, "device_limit", "too many active devices")
	// ErrOvertaken says that the account changed while it signed in.
	ErrOvertaken = fault.New(fault.Invalid, "sign_in_overtaken", "username or password is incorrect")
)

// Limits that hold whatever the settings say (rulings 6 and 7).
const (
	deviceCap       = 100  // live devices of an account
	loginCap        = 20   // live logins of a device with a Client-Id
	namelessCap     = 500  // live logins of the device without one
	keepEnded       = 1000 // ended logins whose reason is still told
	keepIdle        = 100  // devices of an account that are kept without a live login
	keepPlaces      = 500  // places of an account that are known
	newFor          = 7 * 24 * time.Hour
	knownFor        = 30 * 24 * time.Hour
	clockLeeway     = 60 * time.Second
	rememberedFor   = time.Hour // how long an expired login's row is kept
	cleanAtMost     = 500
	minIdle         = 5 * time.Minute
	minTouch        = time.Second
	minCache        = 64
	defaultLifetime = 48 * time.Hour
	defaultTouch    = time.Minute
	defaultCache    = 1_000_000
)

// Config is what an operator decides about sessions.
type Config struct {
	Lifetime    time.Duration // of a login, from sign-in on (ASVS 5.0 V7.3.2)
	IdleTimeout time.Duration // a login unused for this long is over (V7.3.1), to within TouchEvery; 0 means never
	TouchEvery  time.Duration // how stale "last active" may be; one write per login and interval
	CacheSize   int           // logins remembered in memory
}

// Defaults is a configuration that suits AList's clients, which keep a token
// for 48 hours.
func Defaults() Config {
	return Config{Lifetime: defaultLifetime, TouchEvery: defaultTouch, CacheSize: defaultCache}
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Lifetime < time.Minute {
		errs = append(errs, errors.New("a login must live at least one minute"))
	}
	if c.IdleTimeout != 0 && c.IdleTimeout < max(minIdle, 2*c.TouchEvery) {
		errs = append(errs, errors.New("the idle timeout must be 0, or at least 5 minutes and twice the touch interval"))
	}
	if c.TouchEvery < minTouch {
		errs = append(errs, errors.New("the touch interval must be at least one second"))
	}
	if c.CacheSize < minCache {
		errs = append(errs, fmt.Errorf("the cache must hold at least %d logins", minCache))
	}
	return errors.Join(errs...)
}

// Store keeps devices and logins. Every method is one transaction.
type Store interface {
	// OpenLogin makes a login and the room for it and returns how many others
	// it ended. model.ErrNotFound, model.ErrStale, model.ErrLimit.
	OpenLogin(ctx context.Context, o model.LoginOpening) (int64, error)
	// NotePlace remembers where the account signed in from, and reports whether
	// that is news: it was never there before, and has been elsewhere. Then the
	// device's row is marked as new. Of parallel calls one is told so.
	NotePlace(ctx context.Context, n model.PlaceNote) (bool, error)
	// JoinLogin renews the newest live login of the opening's device, or makes
	// one as OpenLogin does, and returns it and how many others it ended. As
	// OpenLogin, and model.ErrStale if the SSH key behind the device is gone or
	// suspended.
	JoinLogin(ctx context.Context, o model.LoginOpening) (model.Login, int64, error)
	// RenewLogins moves the lifetime of those logins that are live, and returns
	// them.
	RenewLogins(ctx context.Context, r model.Renewal) ([]string, error)
	// Login finds a login, live or ended; model.ErrNotFound.
	Login(ctx context.Context, id string) (model.Login, error)
	// EndLogin ends one login of the account if it is live.
	EndLogin(ctx context.Context, accountKey, id string, why model.EndReason, at model.Time) (int64, error)
	// EndDevice ends every login of a device; an empty accountKey means
	// anybody's. Evicting the device of an SSH key suspends the key.
	// model.ErrNotFound.
	EndDevice(ctx context.Context, accountKey, deviceKey string, why model.EndReason, at model.Time) (model.Device, int64, error)
	// EndOthers ends every login of the account except keepLogin, and returns
	// how many devices other than its device and how many logins that ended, of
	// those that were as l says; model.ErrStale, and nothing ends, unless
	// keepLogin is live.
	EndOthers(ctx context.Context, accountKey, keepLogin string, why model.EndReason, l model.Live) (devices, logins int64, err error)
	// FreshenLogin writes when the login's owner proved who they are and nothing
	// else; model.ErrStale unless the login is live, the account enabled and its
	// epoch the proof's.
	FreshenLogin(ctx context.Context, p model.LoginProof) error
	// LastExpiry is when the last of the logins with a session token that were
	// made before an instant expires, live or ended; zero if there are none.
	LastExpiry(ctx context.Context, createdBefore model.Time) (model.Time, error)
	// Devices lists active devices; an empty accountKey means everybody's.
	Devices(ctx context.Context, accountKey string, l model.Live) ([]model.DeviceView, error)
	// DeviceSeen reports whether the account's device was seen after since.
	DeviceSeen(ctx context.Context, accountKey, deviceKey string, since model.Time) (bool, error)
	// DropInactive deletes devices without a live login: of one account unless
	// accountID is 0, one device unless deviceKey is empty.
	DropInactive(ctx context.Context, accountID int64, deviceKey string, l model.Live) (int64, error)
	// Touch writes when logins were last used, and never a status.
	Touch(ctx context.Context, touches []model.Touch) error
	// Clean takes away what nobody needs any more.
	Clean(ctx context.Context, c model.Cleaning) (int64, []string, error)
}

// Service is the sessions. It is safe for concurrent use.
type Service struct {
	cfg       Config
	store     Store
	ring      *keyring.Ring
	hub       *revocation.Hub
	audit     *audit.Recorder
	log       *slog.Logger
	now       func() time.Time
	deviceTTL func() time.Duration // the setting; 0 keeps idle devices

	remembered *cache.Cache[tokenID, *remembered]
	used       *cache.Cache[string, *remembered]   // by login id, for which no text of a request is ever looked up
	touches    *behind.Writer[string, model.Touch] // by login id
	namers     sync.Pool                           // of *namer
	seed       maphash.Seed
}

// Deps is what the service works with.
type Deps struct {
	Store     Store
	Ring      *keyring.Ring
	Hub       *revocation.Hub
	Audit     *audit.Recorder
	Log       *slog.Logger
	Now       func() time.Time
	DeviceTTL func() time.Duration // how long an idle device's row is kept; 0 for ever
}

// New makes the service. It forgets what the hub says has changed.
func New(cfg Config, d Deps) *Service {
	s := &Service{
		cfg: cfg, store: d.Store, ring: d.Ring, hub: d.Hub, audit: d.Audit, log: d.Log, now: d.Now,
		deviceTTL:  d.DeviceTTL,
		touches:    behind.New[string](newer, d.Store.Touch),
		remembered: cache.New[tokenID, *remembered](cfg.CacheSize), used: cache.New[string, *remembered](cfg.CacheSize),
		seed: maphash.MakeSeed(),
	}
	s.namers.New = func() any { return &namer{mac: hmac.New(sha256.New, s.ring.Device())} }
	d.Hub.Subscribe(func(_ context.Context, n revocation.Notice) {
		if n.AccountKey == "" {
			s.remembered.InvalidateAll()
			s.used.InvalidateAll()
			return
		}
		s.remembered.Invalidate(n.AccountKey)
		s.used.Invalidate(n.AccountKey)
	})
	return s
}

// deviceKeySize is the size of a device key in bytes: HMAC-SHA-256 cut to 128
// bits (RFC 2104 §5).
const deviceKeySize = 16

// DeviceKey names the device (account, Client-Id): 32 lower-case hex digits,
// the same for ever, and not to be computed without the server's key. An empty
// clientID is the device of all callers without one.
func (s *Service) DeviceKey(accountKey, clientID string) string {
	key := s.deviceKey(accountKey, clientID)
	return string(key[:])
}

// namer computes device keys in memory that it keeps, because every request
// with a Client-Id asks for one.
type namer struct {
	mac     hash.Hash // keyed
	in, out []byte
}

func (s *Service) deviceKey(accountKey, clientID string) (key [2 * deviceKeySize]byte) {
	n, _ := s.namers.Get().(*namer)
	n.mac.Reset()
	n.in = append(append(n.in[:0], accountKey...), clientID...) // accountKey has a fixed length, so the pair is unambiguous
	_, _ = n.mac.Write(n.in)
	n.out = n.mac.Sum(n.out[:0])
	hex.Encode(key[:], n.out[:deviceKeySize])
	s.namers.Put(n)
	return key
}

// live is what makes a login live now, by the same rules as judge.
func (s *Service) live(now time.Time) model.Live {
	l := s.unexpired(now)
	if s.cfg.IdleTimeout > 0 {
		l.SeenAfter = model.At(now.Add(-s.cfg.IdleTimeout))
	}
	return l
}

// unexpired is live whatever the idle timeout says.
func (s *Service) unexpired(now time.Time) model.Live {
	return model.Live{At: model.At(now), CreatedAfter: model.At(now.Add(-s.cfg.Lifetime - clockLeeway))}
}
