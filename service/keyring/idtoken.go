package keyring

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"latchkey/model"
)

// rsaBits is the size of a key that signs id_tokens: the least that RFC 7518
// §3.3 allows for RS256, which every client can check, and NIST SP 800-57 lets
// pass for what is signed for an hour.
const rsaBits = 2048

// idKeptFor is how long a key that does not sign id_tokens any more stays
// published: their hour, the time in which a server hears of a new key, and a
// day for clients that look at a token late.
const idKeptFor = switchedFor + time.Hour + 24*time.Hour

// switchedFor bounds how long after a new key was made the old one may sign: a
// server reads keys once a minute even if nobody told it, and clocks may step.
const switchedFor = time.Hour

// IDKey is a key that signs id_tokens. Its public half is for everybody.
type IDKey struct {
	ID        string // kid
	Private   *rsa.PrivateKey
	CreatedAt time.Time
}

// IDKeys are the keys whose id_tokens count, oldest first; the last one signs.
// The first is made when somebody first asks, because few servers need one.
func (r *Ring) IDKeys(ctx context.Context) ([]IDKey, error) {
	if list := r.keys.Load().ids; len(list) > 0 {
		return slices.Clone(list), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil { // another process may have made one
		return nil, err
	}
	if len(r.keys.Load().ids) == 0 {
		row, err := r.newIDKey(newID())
		if err != nil {
			return nil, err
		}
		if err := r.store.AddKeys(ctx, []model.Key{row}); err != nil {
			return nil, fmt.Errorf("store keys: %w", err)
		}
		if err := r.refresh(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	return slices.Clone(r.keys.Load().ids), nil
}

func (r *Ring) newIDKey(id string) (model.Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return model.Key{}, fmt.Errorf("make RSA key: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return model.Key{}, fmt.Errorf("encode RSA key: %w", err)
	}
	return r.sealKey(id, model.KeyIDToken, secret), nil
}

func parseIDKey(row model.Key, secret []byte) (IDKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return IDKey{}, ErrWeak // the parser's words are about a secret
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < rsaBits {
		return IDKey{}, ErrWeak
	}
	return IDKey{ID: row.ID, Private: private, CreatedAt: row.CreatedAt.Time}, nil
}

// IDSignedUntil is until when a key that was followed by one made at that
// instant is published; zero if nobody can hold a token of it any more.
func (r *Ring) IDSignedUntil(successorAt time.Time) time.Time {
	until := successorAt.Add(idKeptFor)
	if !r.now().Before(until) {
		return time.Time{}
	}
	return until
}

// DropIDKeys removes the keys of id_tokens that all have expired, and returns
// their ids.
func (r *Ring) DropIDKeys(ctx context.Context) ([]string, error) {
	all := r.keys.Load().ids
	var dropped []string
	for i := 0; i < len(all)-1; i++ {
		if !r.IDSignedUntil(all[i+1].CreatedAt).IsZero() {
			break // those that came after it are needed for longer
		}
		if err := r.Remove(ctx, all[i].ID); err != nil && !errors.Is(err, model.ErrNotFound) {
			return dropped, err
		}
		dropped = append(dropped, all[i].ID)
	}
	return dropped, nil
}
