package apikey

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/behind"
	"latchkey/service/cache"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

const (
	maxKeys   = 100  // per account, revoked ones included
	maxName   = 64   // characters
	maxPage   = 1000 // keys in one answer
	maxAgent  = 512  // bytes of a user agent that are kept
	prefixLen = 8    // characters of a text that are kept for display

	day        = 24 * time.Hour
	maxLife    = 10 * 365 * day // how far ahead a key may expire
	maxOverlap = day            // how long a replaced text may work
	minLearn   = time.Minute
	maxLearn   = 30 * day
	touchEvery = time.Minute // how stale LastUsedAt may be; one write per key and interval
)

// Store keeps the keys. Every method is one transaction; a storage that cannot
// serve is model.ErrUnavailable. A key is the account's, or with an empty
// accountKey anybody's; one that is not there is model.ErrNotFound.
type Store interface {
	// AddAPIKey adds key and returns it with its ID, which is never one that a
	// deleted key had. In this order: an account that does not exist or whose
	// epoch is another by now, or a login that is over or another account's, is
	// model.ErrStale, a name that a key of the account has which is not revoked
	// is model.ErrConflict, limit keys there already is model.ErrLimit.
	AddAPIKey(ctx context.Context, key model.APIKey, by model.APIKeyMaker, limit int) (model.APIKey, error)
	// APIKeyByHash is the key whose Hash or OldHash that is, whatever became of
	// it; model.ErrNotFound.
	APIKeyByHash(ctx context.Context, hash string) (model.APIKey, error)
	// APIKey is a key of the account; model.ErrNotFound.
	APIKey(ctx context.Context, accountKey string, id int64) (model.APIKey, error)
	// APIKeys returns the account's keys by ascending ID, at most limit of them
	// after the first offset, and how many there are in all.
	APIKeys(ctx context.Context, accountKey string, offset, limit int) ([]model.APIKey, int64, error)
	// CountAPIKeys is how many keys of the account are neither revoked nor
	// expired at that time.
	CountAPIKeys(ctx context.Context, accountKey string, at model.Time) (int64, error)
	// EditAPIKey writes what an edit may change (model.APIKey.Edited) as key has
	// it. model.ErrNotFound; model.ErrStale if the key is revoked or not as old
	// any more; model.ErrConflict if the account has another key of that name
	// that is not revoked.
	EditAPIKey(ctx context.Context, old, key model.APIKey) error
	// RotateAPIKey gives a key of the account another text, and returns the key
	// as it is then. Of an earlier rotation nothing is left. model.ErrNotFound;
	// model.ErrConflict if it is revoked; model.ErrStale as AddAPIKey.
	RotateAPIKey(ctx context.Context, accountKey string, id int64, r model.APIKeyRotation) (model.APIKey, error)
	// DeleteAPIKey deletes a key and returns it; model.ErrNotFound.
	DeleteAPIKey(ctx context.Context, accountKey string, id int64) (model.APIKey, error)
	// RevokeAPIKeyText revokes the key whose text that is, as leaked. If it is
	// the text before the last rotation and works still, that alone ends.
	// model.ErrNotFound says that no text that works has that hash.
	RevokeAPIKeyText(ctx context.Context, hash string, at model.Time) (model.APIKey, error)
	// RevokeDeviceAPIKeys revokes the keys that were made on a device, and
	// returns those that were not revoked before.
	RevokeDeviceAPIKeys(ctx context.Context, accountKey, deviceKey string, at model.Time) ([]model.APIKey, error)
	// NoteAPIKeys writes when and from where keys were last used, and what they
	// learnt, and nothing else. Keys that are gone are passed over; an older use
	// does not replace a newer one.
	NoteAPIKeys(ctx context.Context, notes []model.APIKeyNote) error

	UpkeepStore
}

// Config is what an operator decides about API keys.
type Config struct {
	CacheSize int // texts remembered in memory
}

// Deps are what the service works with.
type Deps struct {
	Store Store
	Hub   *revocation.Hub
	Log   *slog.Logger
	Now   func() time.Time
	// Record stores a security event, as audit.Recorder's Record does; it is
	// called after the event is true everywhere.
	Record func(ctx context.Context, e audit.Event) error
	// UnusedFor says from when on an unused key is spoken of; 0 is never.
	UnusedFor func() time.Duration
	// SwitchOff says whether unused keys are revoked instead of spoken of.
	SwitchOff func() bool
	// Expiring and Leaked tell the owner; what goes wrong is theirs to log.
	Expiring func(ctx context.Context, key model.APIKey)
	Leaked   func(ctx context.Context, key model.APIKey)
}

// Service is the API keys. It is safe for concurrent use and starts no
// goroutine.
type Service struct {
	Deps

	remembered *cache.Cache[secret.Hash, *remembered]
	notes      *behind.Writer[int64, model.APIKeyNote] // by key
	unusedAt   atomic.Int64                            // when unused keys were last looked for, Unix milliseconds

	learning  sync.RWMutex
	learners  map[int64]*learner // keys that learn
	learnings atomic.Int64       // how many those are: most requests need to know no more
}

// New makes the service. It forgets what the hub says has changed.
func New(cfg Config, d Deps) *Service {
	s := &Service{
		Deps:       d,
		remembered: cache.New[secret.Hash, *remembered](cfg.CacheSize),
		notes:      behind.New[int64](merged, d.Store.NoteAPIKeys),
		learners:   map[int64]*learner{},
	}
	d.Hub.Subscribe(func(_ context.Context, n revocation.Notice) {
		if n.AccountKey == "" {
			s.remembered.InvalidateAll()
			return
		}
		s.remembered.Invalidate(n.AccountKey)
	})
	return s
}

// View is a key as lists show it.
type View struct {
	model.APIKey

	Unused bool // for so long that it should be deleted
}

// ScopesOf is what a stored key may do.
func ScopesOf(key model.APIKey) access.Scopes { return scopes(key.Scopes) }
