package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"latchkey/service/keyring"
	"latchkey/service/secret"
)

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 8 << 10

// tokenID stands for a token in memory: the first 128 bits of its SHA-256.
type tokenID [16]byte

func idOf(token string) tokenID {
	var room [1 << 10]byte // more than our tokens need, so that nothing is allocated
	sum := sha256.Sum256(append(room[:0], token...))
	return tokenID(sum[:16])
}

// claims is the payload of a token, in the order in which it is written.
type claims struct {
	Username string `json:"username"`
	Subject  string `json:"sub"` // the account's key
	LoginID  string `json:"sid"`
	IssuedAt int64  `json:"iat"` // Unix seconds, as are the next two
	NotUntil int64  `json:"nbf"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"` // 128 random bits
}

// tokens signs and reads JWTs of one shape only: RFC 7515 compact form, HS256,
// our own header and our own claims in our own order. Whatever else claims to
// be a JWT is refused before it is understood, so that there is no algorithm,
// key source or second spelling to choose (RFC 8725 §3.1, §3.2).
type tokens struct{ ring *keyring.Ring }

func header(kid string) string {
	return encoding().EncodeToString([]byte(`{"alg":"HS256","kid":"` + kid + `","typ":"JWT"}`))
}

func encoding() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// sign makes the token of a login.
func (t tokens) sign(c claims) (string, error) {
	key := t.ring.Signing()
	c.ID, c.Username = secret.ID(), strings.ToValidUTF8(c.Username, "\uFFFD")
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed := header(key.ID) + "." + encoding().EncodeToString(payload)
	return signed + "." + encoding().EncodeToString(signature(key.Secret, signed)), nil
}

// verify reads a token that this server signed and that is not from the
// future. Whether it is past its time is for the caller to say.
func (t tokens) verify(token string, now time.Time) (claims, error) {
	var c claims
	if strings.Count(token, ".") != 2 {
		return c, ErrInvalid
	}
	cut := strings.LastIndexByte(token, '.')
	signed, sum := token[:cut], token[cut+1:]
	head, body, _ := strings.Cut(signed, ".")
	key, ok := t.keyOf(head)
	if !ok {
		return c, ErrInvalid
	}
	// The texts are compared, not the bytes: a decoder would pass over line breaks.
	if !hmac.Equal([]byte(sum), []byte(encoding().EncodeToString(signature(key.Secret, signed)))) {
		return c, ErrInvalid
	}
	c, ok = decode(body)
	if !ok || !c.plausible(now) {
		return claims{}, ErrInvalid
	}
	return c, nil
}

// plausible reports whether the times are such as sign writes, on a clock that
// is not ahead by more than the leeway.
func (c claims) plausible(now time.Time) bool {
	return c.IssuedAt >= 0 && c.IssuedAt <= now.Add(clockLeeway).Unix() &&
		c.NotUntil == c.IssuedAt && c.Expires > c.IssuedAt
}

// decode reads a payload. What does not come out as it went in has another
// key, order, number format or a claim twice: not a token of ours, whoever
// signed it.
func decode(body string) (claims, bool) {
	var c claims
	payload, err := encoding().DecodeString(body)
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return c, false
	}
	again, err := json.Marshal(c)
	return c, err == nil && encoding().EncodeToString(again) == body
}

func (t tokens) keyOf(head string) (keyring.Key, bool) {
	for _, key := range t.ring.Tokens() {
		if head == header(key.ID) {
			return key, true
		}
	}
	return keyring.Key{}, false
}

func signature(key []byte, signed string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(signed))
	return mac.Sum(nil)
}
