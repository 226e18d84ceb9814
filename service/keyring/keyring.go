// Package keyring owns the server's own secrets: the keys that sign tokens,
// name devices and seal secrets in rows. They lie in the database, sealed
// under a master key that never does. It knows nothing of what is signed or
// sealed.
package keyring

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/model"
)

// keySize is the size of every key in bytes: 256 bits, for AES-256-GCM and for
// HMAC-SHA-256 (RFC 7518 §3.2 asks for no less).
const keySize = 32

// deviceID is the id of the only device key there ever is: of two first starts
// at once, one finds it taken and uses the other's keys.
const deviceID = "00000000"

// What can be wrong with keys.
var (
	// ErrMaster says that the master key is not the one the keys were sealed
	// under, or that a row was tampered with.
	ErrMaster = errors.New("the keys in the database do not open with this master key: restore the master.key that belongs to it, or set LATCHKEY_MASTER_KEY")
	// ErrWeak says that a key has too little randomness to be one.
	ErrWeak = errors.New("the key is weak: it must be 32 random bytes")
	// ErrSealed says that a sealed value does not open: it was changed, moved
	// from another row, or its key was removed.
	ErrSealed = errors.New("sealed value does not open")
	// ErrInUse says that the key cannot be removed.
	ErrInUse = errors.New("the key is in use: only a key that no longer signs can be removed")
)

// Store keeps the sealed keys.
type Store interface {
	// Keys lists every key, oldest first.
	Keys(ctx context.Context) ([]model.Key, error)
	// AddKeys stores keys, all or none.
	AddKeys(ctx context.Context, keys []model.Key) error
	// RemoveKey deletes a key or fails with model.ErrNotFound.
	RemoveKey(ctx context.Context, id string) error
	// ResealKeys stores another sealed form of every key, all or none;
	// model.ErrStale unless keys is every stored key.
	ResealKeys(ctx context.Context, keys []model.Key) error

	// Sealed lists values in rows that are not sealed under the key, in an
	// order of the store's, behind the given one (zero: from the first).
	Sealed(ctx context.Context, notUnder string, after model.Sealed, limit int) ([]model.Sealed, error)
	// Reseal replaces those of the values that are still what they were, and
	// returns how many.
	Reseal(ctx context.Context, values []model.Reseal) (int, error)
	// RemoveSealKey deletes a sealing key that no value names;
	// model.ErrConflict, model.ErrNotFound.
	RemoveSealKey(ctx context.Context, id string) error
}

// Key is a secret that signs.
type Key struct {
	ID        string // kid
	Secret    []byte
	CreatedAt time.Time
}

// Ring holds the open keys. It is safe for concurrent use.
type Ring struct {
	store  Store
	now    func() time.Time
	keys   atomic.Pointer[keys]
	master cipher.AEAD // changes under mu only

	mu sync.Mutex // held from reading or changing rows until keys has them, so that no removed key comes back
}

type keys struct {
	all    []Info // oldest first
	tokens []Key  // oldest first; the last one signs
	device []byte
	seals  map[string]cipher.AEAD
	sealID string  // the newest, which seals
	ids    []IDKey // oldest first; the last one signs id_tokens; none until somebody asks
}

// Open reads the keys, and makes those that are missing at the first start.
func Open(ctx context.Context, store Store, master []byte, now func() time.Time) (*Ring, error) {
	if IsWeak(master) {
		return nil, ErrWeak
	}
	aead, err := newAEAD(master)
	if err != nil {
		return nil, err
	}
	r := &Ring{store: store, now: now, master: aead}
	rows, err := store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if len(rows) == 0 {
		first := []model.Key{r.newKey(newID(), model.KeyToken), r.newKey(deviceID, model.KeyDevice), r.newKey(newID(), model.KeySeal)}
		if err := store.AddKeys(ctx, first); err != nil && !errors.Is(err, model.ErrConflict) {
			return nil, fmt.Errorf("store first keys: %w", err)
		}
	}
	return r, r.Refresh(ctx)
}

// Refresh reads the keys again, for when somebody rotated them.
func (r *Ring) Refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refresh(ctx)
}

func (r *Ring) refresh(ctx context.Context) error {
	rows, err := r.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	next := &keys{seals: map[string]cipher.AEAD{}}
	for _, row := range rows {
		secret, err := open(r.master, keyAAD(row), row.Sealed)
		if err != nil {
			return fmt.Errorf("key %s: %w", row.ID, ErrMaster)
		}
		if err := next.add(row, secret); err != nil {
			return fmt.Errorf("key %s: %w", row.ID, err)
		}
	}
	if len(next.tokens) == 0 || next.device == nil || next.sealID == "" {
		return errors.New("the database lacks a key for tokens, devices or sealing: restore it from a backup")
	}
	r.keys.Store(next)
	return nil
}

func (k *keys) add(row model.Key, secret []byte) error {
	k.all = append(k.all, Info{ID: row.ID, Purpose: row.Purpose, CreatedAt: row.CreatedAt.Time})
	if row.Purpose != model.KeyIDToken && IsWeak(secret) {
		return ErrWeak
	}
	switch row.Purpose {
	case model.KeyIDToken:
		id, err := parseIDKey(row, secret)
		k.ids = append(k.ids, id)
		return err
	case model.KeyToken:
		k.tokens = append(k.tokens, Key{ID: row.ID, Secret: secret, CreatedAt: row.CreatedAt.Time})
	case model.KeyDevice:
		k.device = secret
	case model.KeySeal:
		aead, err := newAEAD(secret)
		if err != nil {
			return err
		}
		k.seals[row.ID], k.sealID = aead, row.ID
	}
	return nil
}

// Signing is the key that signs new tokens.
func (r *Ring) Signing() Key {
	tokens := r.keys.Load().tokens
	return tokens[len(tokens)-1]
}

// Tokens are all keys whose tokens count, oldest first.
func (r *Ring) Tokens() []Key { return slices.Clone(r.keys.Load().tokens) }

// Token finds a key whose tokens count by its kid.
func (r *Ring) Token(kid string) (Key, bool) {
	tokens := r.keys.Load().tokens
	i := slices.IndexFunc(tokens, func(k Key) bool { return k.ID == kid })
	if i < 0 {
		return Key{}, false
	}
	return tokens[i], true
}

// Device is the key behind device keys. It never changes.
func (r *Ring) Device() []byte { return r.keys.Load().device }

// Remove ends every token, or id_token, that the key signed. The key that signs
// now cannot be removed: ErrInUse.
func (r *Ring) Remove(ctx context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil { // another process may have rotated
		return err
	}
	switch at := slices.IndexFunc(r.List(), func(k Info) bool { return k.ID == id && k.signs() }); {
	case at < 0:
		return model.ErrNotFound
	case r.List()[at].Newest:
		return ErrInUse
	}
	if err := r.store.RemoveKey(ctx, id); err != nil {
		return fmt.Errorf("remove key %s: %w", id, err)
	}
	return r.refresh(context.WithoutCancel(ctx)) // what is committed counts, whether or not the caller still waits
}

// Seal encrypts plain with AES-256-GCM under the newest sealing key. What aad
// says must be said again to open it: name the table, the column and the row,
// so that a sealed value cannot be moved.
func (r *Ring) Seal(aad string, plain []byte) (string, error) {
	k := r.keys.Load()
	return seal(k.seals[k.sealID], k.sealID, aad, plain), nil
}

// Open decrypts what Seal made, with whichever sealing key it names.
func (r *Ring) Open(aad, sealed string) ([]byte, error) {
	_, rest, _ := strings.Cut(sealed, ":")
	id, _, _ := strings.Cut(rest, ":")
	aead, ok := r.keys.Load().seals[id]
	if !ok {
		return nil, ErrSealed
	}
	return open(aead, aad, sealed)
}

// newID is a random kid.
func newID() string {
	id := make([]byte, 4)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	return hex.EncodeToString(id)
}

func (r *Ring) newKey(id string, purpose model.KeyPurpose) model.Key {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return r.sealKey(id, purpose, secret)
}

func (r *Ring) sealKey(id string, purpose model.KeyPurpose, secret []byte) model.Key {
	row := model.Key{ID: id, Purpose: purpose, CreatedAt: model.At(r.now())}
	row.Sealed = seal(r.master, masterID, keyAAD(row), secret)
	return row
}

func keyAAD(k model.Key) string { return "keys|" + string(k.Purpose) + "|" + k.ID }

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// version begins every sealed value: version, key id, base64.
const version = "v1"

// masterID stands for the master key in values that are sealed under it.
const masterID = "master"

func seal(aead cipher.AEAD, id, aad string, plain []byte) string {
	return version + ":" + id + ":" + base64.RawStdEncoding.EncodeToString(aead.Seal(nil, nil, plain, []byte(aad))) //nolint:gosec // G407: the AEAD makes its own nonce
}

func open(aead cipher.AEAD, aad, sealed string) ([]byte, error) {
	parts := strings.Split(sealed, ":")
	if len(parts) != 3 || parts[0] != version || strings.ContainsAny(parts[2], "\r\n") { // which base64 skips
		return nil, ErrSealed
	}
	text, err := base64.RawStdEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return nil, ErrSealed
	}
	plain, err := aead.Open(nil, nil, text, []byte(aad))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// fewest is how many different bytes a key has at least. One in 2^44 random
// keys has fewer; a shorter key said twice, or one written in hex, always has.
const fewest = 17

// IsWeak reports whether the key is short or plainly not random.
func IsWeak(key []byte) bool {
	different := map[byte]bool{}
	for _, b := range key {
		different[b] = true
	}
	return len(key) != keySize || len(different) < fewest
}
