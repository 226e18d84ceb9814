package grant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/cache"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// offlineAccess is the scope without which there is no refresh token (OpenID
// Connect Core 1.0 §11).
const offlineAccess = "offline_access"

// Config is how long what is given lives.
type Config struct {
	Access      time.Duration // of an access token
	Refresh     time.Duration // of an app's refresh token; an app may have its own
	PairRefresh time.Duration // of the owner's own
	Family      time.Duration // of a family, however often it is refreshed (ASVS 5.0 V7.3.2)
	CacheSize   int           // access tokens remembered in memory
}

// Defaults are the lifetimes of rulings 32, and a year for a family.
func Defaults() Config {
	const day = 24 * time.Hour
	return Config{
		Access: time.Hour, Refresh: 90 * day, PairRefresh: 180 * day, Family: 365 * day,
		CacheSize: defaultCache,
	}
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Access < time.Minute {
		errs = append(errs, errors.New("an access token must live at least one minute"))
	}
	if c.Refresh < c.Access || c.PairRefresh < c.Access {
		errs = append(errs, errors.New("a refresh token must live as long as an access token, at least"))
	}
	if c.Family < c.Access {
		errs = append(errs, errors.New("a grant must live as long as an access token, at least"))
	}
	if c.CacheSize < minCache {
		errs = append(errs, fmt.Errorf("the cache must hold at least %d access tokens", minCache))
	}
	return errors.Join(errs...)
}

const (
	defaultCache = 1_000_000
	minCache     = 64
	codeFor      = 60 * time.Second // O-03
	graceFor     = 10 * time.Second // O-06
	keptCodes    = 100              // unused codes of an account
	keptAccess   = 100              // access tokens of a family
	keptRefresh  = 1000             // used refresh tokens of a family, by which a re-use is seen
)

// App is what the registry of apps knows of one.
type App struct {
	ID         string
	Name       string
	Scopes     []string      // what it may be given
	RefreshFor time.Duration // how long its refresh tokens live; 0: the default
}

// Opening asks for the login of an app.
type Opening struct {
	AccountKey string
	Epoch      int64
	App        App
	Address    string        // the client's, in full
	For        time.Duration // how long the login lives
	At         time.Time
}

// Use is a token that is used.
type Use struct {
	AccountKey string
	LoginID    string
	Address    string // the client's, in full; empty: somebody asks about the token
	UserAgent  string
}

// Reuse is a used refresh token that came again.
type Reuse struct {
	AccountKey string
	DeviceKey  string
	ClientID   string // empty: the owner's own program
}

// Deps are what the service works with. What another capability owns is handed
// in as a function.
type Deps struct {
	Store Store
	Hub   *revocation.Hub
	Now   func() time.Time
	Seal  func(aad string, plain []byte) (string, error)
	Open  func(aad, sealed string) ([]byte, error)
	// Record stores a security event that must not be lost, Note one that may
	// be stored a little later.
	Record func(ctx context.Context, e audit.Event) error
	Note   func(ctx context.Context, e audit.Event)
	// App finds a registered app that is in use; any error refuses it.
	App func(ctx context.Context, clientID string) (App, error)
	// Device is the key of the app's device under the account.
	Device func(accountKey, clientID string) string
	// Opening is how a login of an app is opened.
	Opening func(o Opening) model.LoginOpening
	// Use judges the login of a token and notes its use: nil while it is live.
	// It is asked for every refresh and introspection and must be quick.
	Use func(ctx context.Context, u Use) error
	// Reused tells the owner that a used refresh token came again and the
	// family was ended. It must not wait for anybody. nil: nobody is told but
	// the audit log.
	Reused func(ctx context.Context, r Reuse)
	Log    *slog.Logger
}

// Service gives, renews and ends. It is safe for concurrent use.
type Service struct {
	Deps

	cfg     Config
	known   *cache.Cache[secret.Hash, *Known]
	guesses guesses
	sealed  atomic.Bool // there may be successors to drop
}

// New makes the service.
func New(cfg Config, d Deps) *Service {
	s := &Service{Deps: d, cfg: cfg, known: cache.New[secret.Hash, *Known](cfg.CacheSize)}
	s.sealed.Store(true)
	d.Hub.Subscribe(func(_ context.Context, n revocation.Notice) {
		if n.AccountKey == "" {
			s.known.InvalidateAll()
			return
		}
		s.known.Invalidate(n.AccountKey)
	})
	return s
}

// Lifetime is how long a login with a pair of tokens lives.
func (s *Service) Lifetime() time.Duration { return s.cfg.Family }

// Tokens is what an app, or the owner's own program, is handed.
type Tokens struct {
	Access         string
	AccessExpires  time.Time
	Refresh        string // empty: none
	RefreshExpires time.Time
	ClientID       string // empty: the owner's own
	AccountKey     string
	LoginID        string
	Scopes         []string // of the access token
	Nonce          string   // of the code; empty at a refresh
	Resource       string
	AuthTime       time.Time // when the owner last proved who they are, before approving
	AMR            []string
}
