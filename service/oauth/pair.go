package oauth

import (
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/grant"
	"latchkey/service/login"
	"latchkey/service/secret"
	"latchkey/service/session"
)

// Pair is the tokens of the owner's own login.
type Pair struct {
	Owner          *access.Account
	Access         string
	AccessExpires  time.Time
	Refresh        string
	RefreshExpires time.Time
}

// SignIn makes a login and a pair of tokens for it. It fails as login.Begin does;
// with login.ErrCodeNeeded, ticket is what Finish wants.
func (s *Service) SignIn(ctx context.Context, r login.Request) (pair Pair, ticket string, err error) {
	r.PairFor = s.Grants.Lifetime()
	opened, half, err := s.Login.Begin(ctx, r)
	if errors.Is(err, login.ErrCodeNeeded) {
		ticket, sealErr := s.sealTicket(half)
		return Pair{}, ticket, errors.Join(sealErr, err)
	}
	if err != nil {
		return Pair{}, "", err
	}
	pair, err = s.openPair(ctx, opened)
	return pair, "", err
}

// Finish is the second half of SignIn: r has the code. A ticket lives for five
// minutes, and lets in once. It fails with ErrTicket, or as login.Finish does.
func (s *Service) Finish(ctx context.Context, ticket string, r login.Request) (Pair, error) {
	t, err := s.openTicket(ticket)
	if err != nil {
		return Pair{}, err
	}
	if !s.spent.take(t.ID, t.until()) { // of parallel uses one goes on
		return Pair{}, ErrTicket
	}
	r.PairFor = s.Grants.Lifetime()
	opened, err := s.Login.Finish(ctx, login.Half{AccountKey: t.AccountKey, Epoch: t.Epoch}, r)
	if err != nil {
		s.spent.giveBack(t.ID) // a mistyped code is no use of it
		return Pair{}, err
	}
	return s.openPair(ctx, opened)
}

func (s *Service) openPair(ctx context.Context, o session.Opened) (Pair, error) {
	tokens, err := s.Grants.OpenPair(ctx, grant.Pair{AccountKey: o.AccountKey, LoginID: o.LoginID, Ends: o.ExpiresAt})
	if err != nil {
		return Pair{}, err
	}
	pair := pairOf(tokens)
	pair.Owner, err = s.Accounts.Snapshot(ctx, o.AccountKey)
	if errors.Is(err, account.ErrUnknown) { // gone since
		err = login.ErrCredentials
	}
	return pair, err
}

func pairOf(t grant.Tokens) Pair {
	return Pair{Access: t.Access, AccessExpires: t.AccessExpires, Refresh: t.Refresh, RefreshExpires: t.RefreshExpires}
}

// RefreshPair puts new tokens in the place of a refresh token, whosever it is
// (rulings 33). It fails with grant.ErrGrant.
func (s *Service) RefreshPair(ctx context.Context, h Holder) (Pair, error) {
	tokens, err := s.Grants.Refresh(ctx, grant.Refreshing{Token: h.Token, AnyClient: true, Address: h.Address, UserAgent: h.UserAgent})
	return pairOf(tokens), err
}

// EndPair ends the login that a refresh token belongs to, with its access
// tokens. One that is over already, or is none, is no error: there is nothing
// left to end.
func (s *Service) EndPair(ctx context.Context, token string) error {
	if !secret.IsBearer(secret.RefreshToken, token) { // an access token is not asked for here (K-05)
		return nil
	}
	return s.Grants.EndAny(ctx, token) // one that was used already counts, too
}

// AppView is an app for whoever decides about it.
type AppView struct {
	App
	Consented []string // what the caller lets it do without being asked; nil for strangers
}

// AppFor is an app as the caller may see it. It fails with client.ErrUnknown or
// client.ErrDisabled.
func (s *Service) AppFor(ctx context.Context, by access.Caller, clientID string) (AppView, error) {
	c, err := s.Clients.Get(ctx, clientID)
	if err != nil {
		return AppView{}, err
	}
	view := AppView{App: appOf(c)}
	if by.Kind != access.SessionToken || by.Account.IsGuest() {
		return view, nil
	}
	given, err := s.Grants.Consents(ctx, by)
	if i := slices.IndexFunc(given, func(g grant.Consent) bool { return g.ClientID == clientID }); err == nil && i >= 0 {
		view.Consented = given[i].Scopes
	}
	return view, err
}

// Withdraw takes back what the caller lets an app do, and ends its logins. It
// fails with access.ErrFirstParty or grant.ErrNoConsent.
func (s *Service) Withdraw(ctx context.Context, by access.Caller, clientID string) error {
	if by.Kind != access.SessionToken || by.Account.IsGuest() {
		return access.ErrFirstParty
	}
	return s.Grants.Withdraw(ctx, by, clientID)
}
