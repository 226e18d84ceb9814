package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"latchkey/service/grant"
)

// idClaims is the payload of an id_token (OpenID Connect Core 1.0 §2).
type idClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"` // the account's key, which never changes
	Audience string   `json:"aud"`
	Expires  int64    `json:"exp"` // Unix seconds, as are the next two
	IssuedAt int64    `json:"iat"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	AtHash   string   `json:"at_hash"`
}

// idToken is who the owner is, signed for the app.
func (s *Service) idToken(ctx context.Context, issuer string, t grant.Tokens) (string, error) {
	keys, err := s.Ring.IDKeys(ctx)
	if err != nil {
		return "", err
	}
	key := keys[len(keys)-1]
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key.Private, KeyID: key.ID}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return "", fmt.Errorf("make signer: %w", err)
	}
	now := s.Now()
	payload, err := json.Marshal(idClaims{
		Issuer: issuer, Subject: t.AccountKey, Audience: t.ClientID,
		Expires: now.Add(accessFor).Unix(), IssuedAt: now.Unix(), AuthTime: t.AuthTime.Unix(),
		Nonce: t.Nonce, AMR: t.AMR, AtHash: halfHash(t.Access),
	})
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// halfHash is at_hash: the left half of the hash that RS256 uses (OpenID Connect
// Core 1.0 §3.1.3.6).
func halfHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// PublicKeys are the keys that id_tokens are checked with (RFC 7517 §5), newest
// first.
func (s *Service) PublicKeys(ctx context.Context) (jose.JSONWebKeySet, error) {
	keys, err := s.Ring.IDKeys(ctx)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	var set jose.JSONWebKeySet
	for _, key := range slices.Backward(keys) {
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: key.Private.Public(), KeyID: key.ID, Algorithm: string(jose.RS256), Use: "sig",
		})
	}
	return set, nil
}
