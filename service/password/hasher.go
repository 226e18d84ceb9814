package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/argon2"

	"latchkey/service/fault"
)

// ErrBusy is a hash that was not begun because too many wait already.
var ErrBusy = fault.New(fault.TooMany, "password_busy", "Too many sign-ins at the moment, try again later.")

// Config is the cost of a new hash and how many are computed at once.
type Config struct {
	Workers   int    // hashes computed at once; each needs MemoryKiB and one core
	Queue     int    // callers that wait for a worker; one more is ErrBusy
	MemoryKiB uint32 // Argon2's m
	Time      uint32 // Argon2's t: passes over the memory
	Lanes     uint8  // Argon2's p
}

// Defaults is the OWASP minimum (m=19 MiB, t=2, p=1: about 35 ms of one core),
// and leaves one core to everything but sign-ins.
func Defaults() Config {
	return Config{
		Workers:   max(1, runtime.GOMAXPROCS(0)-1),
		Queue:     64,
		MemoryKiB: 19 * 1024,
		Time:      2,
		Lanes:     1,
	}
}

// Validate reports every mistake at once. Nothing below the OWASP minimum of
// time is refused: tests want to be fast.
func (c Config) Validate() error {
	var errs []error
	if c.Workers < 1 {
		errs = append(errs, fmt.Errorf("workers is %d, want at least 1", c.Workers))
	}
	if c.Queue < 0 {
		errs = append(errs, fmt.Errorf("queue is %d, want at least 0", c.Queue))
	}
	if err := c.cost().check(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c Config) cost() cost { return cost{memory: c.MemoryKiB, time: c.Time, lanes: c.Lanes} }

// keyFunc is argon2.IDKey, or something a test can count and hold.
type keyFunc func(password, salt []byte, passes, memory uint32, threads uint8, keyLen uint32) []byte

// Hasher turns static hashes into stored ones and compares with them, a bounded
// number at a time. It is safe for concurrent use and starts no goroutine.
type Hasher struct {
	cost    cost
	admit   chan struct{} // one per caller inside, computing or waiting
	workers chan struct{} // one per caller that computes
	busy    error
	garbage *bin
	key     keyFunc
}

// New is a Hasher of the given cost.
func New(cfg Config) (*Hasher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("password hashing: %w", err)
	}
	// A refused caller comes back when a full queue has been worked off, at about
	// 50 ms a hash.
	wait := time.Duration(cfg.Queue/cfg.Workers) * 50 * time.Millisecond
	return &Hasher{
		cost:    cfg.cost(),
		admit:   make(chan struct{}, cfg.Workers+cfg.Queue),
		workers: make(chan struct{}, cfg.Workers),
		busy:    ErrBusy.After(min(max(wait.Round(time.Second), time.Second), 5*time.Second)),
		garbage: newBin(cfg.Workers, cfg.MemoryKiB),
		key:     argon2.IDKey,
	}, nil
}

// Hash is the stored form of a password's static hash, with a salt of its own.
// It fails with ErrBusy, when ctx ends while it waits, and for anything that is
// not a static hash.
func (h *Hasher) Hash(ctx context.Context, static string) (string, error) {
	if !IsStatic(static) {
		return "", errors.New("hash a password: not a static hash")
	}
	var salt [saltLen]byte
	_, _ = rand.Read(salt[:]) // never fails: the program ends instead
	rec := record{cost: h.cost, salt: salt[:]}
	key, err := h.compute(ctx, rec, static, keyLen)
	if err != nil {
		return "", err
	}
	rec.key = key
	return rec.String(), nil
}

// Verify reports whether encoded was made from static. An account without a
// password (encoded is empty) matches nothing and costs as much as any other.
// It fails with ErrTooLong, with ErrBusy, when ctx ends while it waits, and with
// an error for the log when the stored form cannot be read or asks for more work
// than is ever given.
func (h *Hasher) Verify(ctx context.Context, encoded, static string) (bool, error) {
	if encoded == "" {
		return false, h.VerifyNothing(ctx, static)
	}
	rec, err := parse(encoded)
	if err != nil {
		return false, fmt.Errorf("read a stored password: %w", err)
	}
	key, err := h.compute(ctx, rec, static, uint32(len(rec.key))) //nolint:gosec // parse bounds it
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, rec.key) == 1, nil
}

// VerifyNothing does the work of a Verify for a name that nobody has, so that
// the time of an answer does not tell which names exist.
func (h *Hasher) VerifyNothing(ctx context.Context, static string) error {
	var salt [saltLen]byte
	_, err := h.compute(ctx, record{cost: h.cost, salt: salt[:]}, static, keyLen)
	return err
}

// compute waits for its turn and derives the key on the caller's goroutine. What
// has been begun is finished: a hash cannot be stopped.
func (h *Hasher) compute(ctx context.Context, rec record, static string, size uint32) ([]byte, error) {
	if err := CheckLength(static); err != nil {
		return nil, err
	}
	select {
	case h.admit <- struct{}{}:
		defer func() { <-h.admit }()
	default:
		return nil, h.busy
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for a hash: %w", err)
	}
	select {
	case h.workers <- struct{}{}:
		defer func() { <-h.workers }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a hash: %w", context.Cause(ctx))
	}
	c := rec.cost
	h.garbage.add(c.memory)
	return h.key([]byte(NormalizeStatic(static)), rec.salt, c.time, c.memory, c.lanes, size), nil
}
