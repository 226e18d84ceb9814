package grant

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/secret"
)

// Approval is what an account let an app have.
type Approval struct {
	ClientID    string
	AccountKey  string
	Epoch       int64 // the account's when its owner approved
	Scopes      []string
	RedirectURI string // where the code goes
	Challenge   string // PKCE S256; empty: none
	Nonce       string
	Resource    string
	AuthTime    time.Time
	AMR         []string
}

// Redemption is an app that fetches the tokens for a code. The app has proven
// who it is.
type Redemption struct {
	Code        string
	ClientID    string
	RedirectURI string // empty: not sent
	Verifier    string // empty: not sent
	Resource    string // empty: not sent
	Address     string // the client's, in full
	UserAgent   string
}

// Code makes a code for what was approved: 64 hex digits that work once, within
// 60 seconds. It fails with ErrAccount.
func (s *Service) Code(ctx context.Context, a Approval) (string, error) {
	code, now := secret.ID()+secret.ID(), model.At(s.Now())
	err := s.Store.AddCode(ctx, model.GrantCode{
		Hash: hashOf(code), ClientID: a.ClientID, AccountKey: a.AccountKey, DeviceKey: s.Device(a.AccountKey, a.ClientID),
		Epoch: a.Epoch, RedirectURI: a.RedirectURI, Scopes: model.UnionScopes("", strings.Join(a.Scopes, " ")),
		Challenge: a.Challenge, Nonce: a.Nonce, Resource: a.Resource,
		AuthTime: model.At(a.AuthTime), AMR: strings.Join(a.AMR, " "),
		CreatedAt: now, ExpiresAt: model.At(now.Add(codeFor)),
	}, keptCodes)
	if errors.Is(err, model.ErrStale) {
		return "", ErrAccount
	}
	if err != nil {
		return "", fmt.Errorf("store code: %w", err)
	}
	return code, nil
}

// Redeem exchanges a code for tokens under a new login. It fails with ErrGrant or
// ErrTarget.
//
// A code works once. A second use by its app, also at the same moment, is
// refused and ends the login that the first one made: two have the code, and
// which of them stole it cannot be told (RFC 6749 §4.1.2, §10.5). A use with the
// wrong verifier or redirect URI burns the code: whoever holds it holds it for
// nobody else's good. Another app's use changes nothing.
func (s *Service) Redeem(ctx context.Context, r Redemption) (Tokens, error) {
	code, err := s.Store.Code(ctx, hashOf(r.Code))
	if errors.Is(err, model.ErrNotFound) || err == nil && code.ClientID != r.ClientID {
		return Tokens{}, ErrGrant
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("find code: %w", err)
	}
	switch now := model.At(s.Now()); {
	case !code.UsedAt.IsZero():
		ended, err := s.Store.EndRedeemed(ctx, code.Hash, now)
		return Tokens{}, s.replayed(ctx, code, ended, err)
	case !code.ExpiresAt.After(now.Time):
		return Tokens{}, ErrGrant
	case !goesWith(code, r):
		if err := s.Store.BurnCode(ctx, code.Hash, now); err != nil {
			return Tokens{}, fmt.Errorf("burn code: %w", err)
		}
		return Tokens{}, ErrGrant
	case isOther(r.Resource, code.Resource):
		return Tokens{}, ErrTarget
	}
	a := approved{
		clientID: code.ClientID, accountKey: code.AccountKey, epoch: code.Epoch, scopes: code.Scopes,
		resource: code.Resource, authTime: code.AuthTime, amr: code.AMR, address: r.Address,
	}
	tokens, ended, err := s.give(ctx, a, func(o model.GrantOpening) (int64, error) {
		return s.Store.Redeem(ctx, code.Hash, o)
	})
	if errors.Is(err, model.ErrConflict) {
		return Tokens{}, s.replayed(ctx, code, ended, nil)
	}
	tokens.Nonce = code.Nonce
	return tokens, err
}

// goesWith reports whether what came along is what the code was made for.
func goesWith(code model.GrantCode, r Redemption) bool {
	if r.RedirectURI != "" && r.RedirectURI != code.RedirectURI {
		return false
	}
	if code.Challenge == "" {
		return r.Verifier == "" // nobody asked for a proof: one is a sign of a downgrade (RFC 9700 §2.1.1)
	}
	sum := sha256.Sum256([]byte(r.Verifier))
	return isVerifier(r.Verifier) && secret.Equal(base64.RawURLEncoding.EncodeToString(sum[:]), code.Challenge)
}

// isOther reports whether a resource was sent that is not the approved one.
func isOther(sent, approved string) bool { return sent != "" && sent != approved }

// isVerifier reports whether text has the form of a verifier (RFC 7636 §4.1), or is
// one in Base64 with its plus, slash and padding, as git-credential-oauth sends it.
func isVerifier(text string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
	return len(text) >= 43 && len(text) <= 128 && strings.Trim(text, allowed) == ""
}

// replayed ends what a code was exchanged for that came again.
func (s *Service) replayed(ctx context.Context, code model.GrantCode, ended int64, err error) error {
	if errors.Is(err, model.ErrNotFound) { // forgotten meanwhile
		return ErrGrant
	}
	if err != nil {
		return fmt.Errorf("end what a code was exchanged for: %w", err)
	}
	if ended == 0 {
		return ErrGrant
	}
	s.announce(ctx, code.AccountKey)
	if err := s.Record(ctx, audit.Event{
		Kind: audit.CodeReused, AccountKey: code.AccountKey, DeviceKey: code.DeviceKey, Detail: appDetail(code.ClientID),
	}); err != nil {
		return err
	}
	return ErrGrant
}

// hashOf is a text as rows keep it.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// isRefusal reports whether err refuses, and is not a failure of ours.
func isRefusal(err error) bool {
	k := fault.Of(err).Kind
	return k != fault.Internal && k != fault.Unavailable
}
