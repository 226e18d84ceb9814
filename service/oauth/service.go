package oauth

import (
	"context"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/client"
	"latchkey/service/grant"
	"latchkey/service/keyring"
	"latchkey/service/login"
	"latchkey/service/session"
	"latchkey/service/throttle"
	"latchkey/service/totp"
)

// Scopes of OpenID Connect Core 1.0 §5.4 and §11.
const (
	openID        = "openid"
	profile       = "profile"
	email         = "email"
	offlineAccess = "offline_access"
)

// accessFor is how long an access token, and an id_token with it, lives
// (rulings 32). grant's configuration says the same; here it is said to people.
const accessFor = time.Hour

// Deps are what the flow strings together.
type Deps struct {
	Clients  *client.Service
	Grants   *grant.Service
	Accounts *account.Service
	Sessions *session.Service
	Login    *login.Service
	Throttle *throttle.Service
	Ring     *keyring.Ring
	Now      func() time.Time
	Record   func(ctx context.Context, e audit.Event) error // stores a security event, as audit.Recorder's Record does
}

// Service is the flow. It is safe for concurrent use.
type Service struct {
	Deps

	spent *spent
}

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d, spent: newSpent(d.Now)} }

// NeedsSignIn reports whether the owner must sign in before they are asked: they
// have not, or it is too long ago for the request. Once they did, ask Begin again
// with what AfterSignIn leaves.
func (s *Service) NeedsSignIn(by access.Caller, r Request) bool {
	if by.Kind != access.SessionToken || by.Account.IsGuest() || r.PromptLogin {
		return true
	}
	return r.MaxAge != nil && s.Now().Sub(by.FreshAt) > *r.MaxAge
}

// NeedsConsent reports whether the owner must be asked: they did not let the app
// do all of it before, it wants them to be, or nobody can tell that it is this
// app (RFC 8252 §8.6).
func (s *Service) NeedsConsent(ctx context.Context, by access.Caller, r Request) (bool, error) {
	if r.PromptConsent || r.App.Public && !isSite(r.RedirectURI) {
		return true, nil
	}
	given, err := s.Grants.Consented(ctx, by.Account.Key, r.App.ID, r.Scopes)
	return !given, err
}

// Approve gives the app a code and returns where the browser is sent. The caller
// is the owner, signed in, who was asked or need not be. It fails with
// access.ErrFirstParty for all others, totp.ErrRequired for those who must first
// enrol a second factor, access.ErrNotFresh where NeedsProof holds and the owner
// was never asked, and with a *RedirectError if what the app wants is not the
// owner's to give.
func (s *Service) Approve(ctx context.Context, by access.Caller, r Request) (string, error) {
	if err := mayApprove(by); err != nil {
		return "", err
	}
	if wantsAdmin(r.Scopes) && !by.Account.IsAdmin() {
		return "", r.refused("access_denied", "Only an admin can give what the app asks for")
	}
	if s.NeedsProof(by, r.Scopes) {
		given, err := s.Grants.Consented(ctx, by.Account.Key, r.App.ID, r.Scopes)
		if err != nil {
			return "", err
		}
		if !given {
			return "", access.ErrNotFresh
		}
	}
	if err := s.Grants.Consent(ctx, by, r.App.ID, r.Scopes); err != nil {
		return "", err
	}
	code, err := s.Grants.Code(ctx, grant.Approval{
		ClientID: r.App.ID, AccountKey: by.Account.Key, Epoch: by.Account.Epoch, Scopes: r.Scopes,
		RedirectURI: r.RedirectURI, Challenge: r.Challenge, Nonce: r.Nonce, Resource: r.Resource,
		AuthTime: by.FreshAt, AMR: methodsOf(by),
	})
	if err != nil {
		return "", err
	}
	return answerTo(r.RedirectURI, map[string][]string{"code": {code}, "state": {r.State}, "iss": {r.Issuer}}), nil
}

// mayApprove lets the owner pass who signed in themselves: no program may let
// another one in, or itself further.
func mayApprove(by access.Caller) error {
	switch {
	case by.Kind != access.SessionToken || by.Account.IsGuest():
		return access.ErrFirstParty
	case by.MustEnrol():
		return totp.ErrRequired
	}
	return nil
}

// wantsAdmin reports whether only an admin has what is asked for. Who is not one
// must not give it beforehand, for the day they become one.
func wantsAdmin(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(name string) bool { return access.Scope(name).IsAdmin() })
}

// NeedsProof reports whether the owner must prove who they are once more before
// they are asked: an admin's scopes outlive the login that gives them, as an API
// key does (security.md, step-up).
func (s *Service) NeedsProof(by access.Caller, scopes []string) bool {
	return wantsAdmin(scopes) && by.Account.IsAdmin() && !by.IsFresh(s.Now())
}

// methodsOf is how the owner signed in (RFC 8176).
func methodsOf(by access.Caller) []string {
	if by.Account.TwoFactor {
		return []string{"pwd", "otp", "mfa"}
	}
	return []string{"pwd"}
}

// Deny is where the browser is sent when the owner said no.
func (*Service) Deny(r Request) string {
	return (&RedirectError{
		Code: "access_denied", Description: "Access was refused", RedirectURI: r.RedirectURI, State: r.State, Issuer: r.Issuer,
	}).Location()
}

// Refuse is where the browser is sent when prompt=none cannot be met: with
// LoginRequired or ConsentRequired.
func (*Service) Refuse(r Request, code string) string {
	return (&RedirectError{
		Code: code, Description: "A page would have to be shown", RedirectURI: r.RedirectURI, State: r.State, Issuer: r.Issuer,
	}).Location()
}

// isSite reports whether a redirect URI leads to a site, which only its owner can
// answer for.
func isSite(uri string) bool { return len(uri) > 8 && uri[:8] == "https://" }

// lifeOf is how long an app keeps access without asking again.
func lifeOf(c model.OAuthClient, scopes []string) time.Duration {
	if slices.Contains(scopes, offlineAccess) {
		return time.Duration(c.RefreshTTL) * time.Second
	}
	return accessFor
}
