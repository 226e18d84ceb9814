package oauth

import (
	"context"
	"net/url"

	"latchkey/service/access"
)

// Service is the flow. It is safe for concurrent use.
type Service struct{}

// Begin reads an app's request for access. Client and redirect URI are looked at
// first: what is wrong with them is ErrPageClient, ErrPageRedirect or
// ErrPageRequest, for a page. All that is wrong with the rest is a
// *RedirectError. issuer is the server's address, as Origin finds it.
func (s *Service) Begin(ctx context.Context, issuer string, asked url.Values) (Request, error) {
	return Request{}, ErrPageRequest
}

// NeedsSignIn reports whether the owner must sign in before they are asked: they
// have not, or it is too long ago for the request. Once they did, leave
// prompt=login out of what Begin is asked: see AfterSignIn.
func (s *Service) NeedsSignIn(by access.Caller, r Request) bool { return true }

// NeedsConsent reports whether the owner must be asked: they did not give the
// app all of these scopes before, or nobody can tell that it is this app
// (RFC 8252 §8.6).
func (s *Service) NeedsConsent(ctx context.Context, by access.Caller, r Request) (bool, error) {
	return true, nil
}

// Approve gives the app a code and returns where the browser is sent. It fails
// with access.ErrFirstParty for callers who are not the owner themselves.
func (s *Service) Approve(ctx context.Context, by access.Caller, r Request) (string, error) {
	return "", access.ErrFirstParty
}

// Deny is where the browser is sent when the owner said no.
func (s *Service) Deny(r Request) string { return "" }

// Refuse is where the browser is sent when the app's own wish, prompt=none,
// cannot be met: with LoginRequired or ConsentRequired.
func (s *Service) Refuse(r Request, code string) string { return "" }

// DeviceAsk is what a device that shows this code asks for, however people type
// it. It fails with ErrUserCode.
func (s *Service) DeviceAsk(ctx context.Context, userCode string) (Question, error) {
	return Question{}, ErrPageRequest
}

// DeviceDecide answers the device, once. It fails with ErrUserCode, and as
// Approve does.
func (s *Service) DeviceDecide(ctx context.Context, by access.Caller, userCode string, approve bool) error {
	return ErrPageRequest
}

// AfterSignIn is a request without its wish for a new sign-in, once that was
// granted.
func AfterSignIn(asked url.Values) url.Values { return asked }
