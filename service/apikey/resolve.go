package apikey

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/address"
	"latchkey/service/secret"
)

// Presented is what a request brings.
type Presented struct {
	Text      string // of the key
	InURL     bool   // where it stood
	Address   string // the client's, in full; rows hold it masked
	UserAgent string
}

// Known is which key a text turned out to be.
type Known struct {
	ID         int64
	AccountKey string
	Scopes     access.Scopes // shared between requests; not to be written to
}

// remembered is what the memory holds of a text: state, never a verdict.
type remembered struct {
	Known

	revoked   bool
	until     time.Time // the text works before that: OldUntil, or zero for the present text
	expiresAt time.Time // zero: never
	inURL     bool
	networks  address.Networks
	noted     atomic.Int64 // last request that was written down, Unix milliseconds
}

// Resolve says which key this is, if it is good (P-02, P-03). It fails with
// ErrInvalid, ErrInURL, ErrExpired or ErrAddress; for all but ErrInvalid the
// Known is filled in, because a disabled account is told so first. With ErrInvalid
// it has an ID if the text was a key's once: whoever sends it guesses nothing. A
// mistyped text costs no look-up, and one that was seen before neither query nor write.
func (s *Service) Resolve(ctx context.Context, p Presented) (Known, error) {
	if !secret.IsBearer(secret.APIKey, p.Text) {
		return Known{}, ErrInvalid
	}
	// Nothing compares texts: the hash of 256 random bits is looked up, and how
	// long that takes tells nothing of another key's text.
	hash := secret.HashOf(p.Text)
	r, ok := s.remembered.Get(hash)
	if !ok {
		var err error
		if r, err = s.recall(ctx, hash); err != nil {
			return Known{}, err
		}
	}
	now := s.Now()
	if err := r.judge(p, now); err != nil {
		if errors.Is(err, ErrInvalid) {
			return Known{ID: r.ID}, err
		}
		return r.Known, err
	}
	s.touch(r, p, now)
	return r.Known, nil
}

// recall reads a text from the database.
func (s *Service) recall(ctx context.Context, hash secret.Hash) (*remembered, error) {
	r, err := s.remembered.Find(ctx, hash, func(ctx context.Context) (*remembered, string, error) {
		text := hex.EncodeToString(hash[:])
		row, err := s.Store.APIKeyByHash(ctx, text)
		if err != nil {
			return nil, "", err
		}
		return s.remember(row, text == row.Hash), row.AccountKey, nil
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("read API key: %w", err)
	}
	return r, nil
}

// remember is a row's state, as it concerns its present text or the one before.
func (s *Service) remember(row model.APIKey, present bool) *remembered {
	r := &remembered{
		Known:     Known{ID: row.ID, AccountKey: row.AccountKey, Scopes: scopes(row.Scopes)},
		revoked:   !row.RevokedAt.IsZero(),
		expiresAt: row.ExpiresAt.Time,
		inURL:     row.AllowQuery,
		networks:  address.Read(row.AllowedIPs),
	}
	if !present {
		r.until, r.revoked = row.OldUntil.Time, r.revoked || row.OldUntil.IsZero()
	}
	r.noted.Store(row.LastUsedAt.UnixMilli())
	s.learn(row)
	return r
}

// judge holds the rules of who is let in.
func (r *remembered) judge(p Presented, now time.Time) error {
	switch {
	case r.revoked, !r.until.IsZero() && !now.Before(r.until):
		return ErrInvalid
	case p.InURL && !r.inURL:
		return ErrInURL
	case !r.expiresAt.IsZero() && !now.Before(r.expiresAt):
		return ErrExpired
	case !r.networks.Allow(p.Address):
		return ErrAddress
	}
	return nil
}

// touch notes that the key was used, once per interval.
func (s *Service) touch(r *remembered, p Presented, now time.Time) {
	at, last := now.UnixMilli(), r.noted.Load()
	if at-last < touchEvery.Milliseconds() || !r.noted.CompareAndSwap(last, at) {
		return // written down lately, or another request is doing it right now
	}
	s.notes.Add(r.ID, model.APIKeyNote{ID: r.ID, At: model.At(now), IP: address.Mask(p.Address), UA: agent(p.UserAgent)})
}

// agent is a user agent as a row keeps it.
func agent(text string) string {
	text = strings.ToValidUTF8(text, "")
	if len(text) <= maxAgent {
		return text
	}
	n := maxAgent
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// scopes reads what a row keeps. What a newer version wrote opens nothing here.
func scopes(row string) access.Scopes {
	var list access.Scopes
	for name := range strings.FieldsSeq(row) {
		list = append(list, access.Scope(name))
	}
	return list
}
