package client

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

const (
	minSecret  = 32 // characters of a supplied one (rulings 31)
	maxSecret  = 256
	fewest     = 10 // different characters in it
	maxOverlap = 24 * time.Hour
)

// Authenticate is the app that proves itself with a secret, or the public app
// of that id if none was sent. It fails with ErrClient, alike and after the
// same work whether the app is unknown, off or shows a wrong secret.
func (s *Service) Authenticate(ctx context.Context, id, text string) (model.OAuthClient, error) {
	shown := s.hash(id, text)
	c, err := s.Store.OAuthClient(ctx, id)
	if err != nil && !errors.Is(err, model.ErrNotFound) {
		return model.OAuthClient{}, appFailure(err, "authenticate", id)
	}
	previous := c.PreviousHash
	if !s.Now().Before(c.PreviousUntil.Time) {
		previous = ""
	}
	right := equal(shown, c.SecretHash)
	right = equal(shown, previous) || right // both are always compared
	if !c.Confidential {
		right = text == ""
	}
	if err != nil || c.ID != id || c.Disabled || !right { // a collation may find an id that is not the one
		return model.OAuthClient{}, ErrClient
	}
	return c, nil
}

// equal compares in constant time; nothing is equal to no hash.
func equal(shown, stored string) bool {
	if stored == "" {
		stored = "-" // of another length than any hash
	}
	return hmac.Equal([]byte(shown), []byte(stored))
}

// Rotate gives a confidential app another secret, a supplied one or a new one,
// and returns it. The old one counts for the overlap, which is at most 24
// hours; without one, no earlier secret counts any more. What was issued to the
// app lives on. It fails with ErrUnknown, ErrNoSecret, ErrSecret or ErrOverlap.
func (s *Service) Rotate(ctx context.Context, id, supplied string, overlap time.Duration) (string, error) {
	if overlap < 0 || overlap > maxOverlap {
		return "", ErrOverlap
	}
	text := supplied
	if text == "" {
		text = secret.NewBearer(secret.ClientSecret)
	} else if !isSecret(text) {
		return "", ErrSecret
	}
	c, err := s.change(ctx, id, func(c *model.OAuthClient) ([]string, error) {
		if !c.Confidential {
			return nil, ErrNoSecret
		}
		c.PreviousHash, c.PreviousUntil = "", model.Time{}
		if overlap > 0 {
			c.PreviousHash, c.PreviousUntil = c.SecretHash, model.At(s.Now().Add(overlap))
		}
		c.SecretHash = s.hash(id, text)
		return nil, nil
	})
	if err != nil {
		return "", err
	}
	return text, s.tell(ctx, audit.AppSecretRotated, c)
}

// firstSecret gives a new app its secret, if it has one.
func (s *Service) firstSecret(c *model.OAuthClient, supplied string) (string, error) {
	switch {
	case !c.Confidential && supplied != "":
		return "", ErrNoSecret
	case !c.Confidential:
		return "", nil
	case supplied == "":
		supplied = secret.NewBearer(secret.ClientSecret)
	case !isSecret(supplied):
		return "", ErrSecret
	}
	c.SecretHash = s.hash(c.ID, supplied)
	return supplied, nil
}

// hash is a secret as rows keep it: HMAC-SHA-256 under the pepper, of the app's
// id and the secret. A new secret has 256 random bits, for which any hash would
// do. A supplied one may be guessable, and a slow hash would let everybody at
// the token endpoint spend our processor; with the pepper, which is sealed under
// a master key outside of the database, a stolen database has nothing to guess
// against (decision 17).
func (s *Service) hash(id, text string) string {
	mac := hmac.New(sha256.New, s.Pepper)
	mac.Write([]byte(id)) // an id has no NUL
	mac.Write([]byte{0})
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// isSecret reports whether a supplied secret will do.
func isSecret(text string) bool {
	different := map[rune]bool{}
	for _, r := range text {
		if r <= ' ' || r > '~' {
			return false
		}
		different[r] = true
	}
	return len(text) >= minSecret && len(text) <= maxSecret && len(different) >= fewest
}
