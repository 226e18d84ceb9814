package grant

import (
	"context"

	"latchkey/model"
)

// Store keeps codes, families, consents and device authorizations. Every method
// is one transaction; a storage that cannot serve is model.ErrUnavailable.
type Store interface {
	// AddCode stores a code and forgets the account's oldest unused ones beyond
	// keep. model.ErrStale if the account is gone.
	AddCode(ctx context.Context, c model.GrantCode, keep int) error
	// Code finds a code, used or not; model.ErrNotFound.
	Code(ctx context.Context, hash string) (model.GrantCode, error)
	// BurnCode makes an unused code used.
	BurnCode(ctx context.Context, hash string, at model.Time) error
	// Redeem uses a code that is unused and expires after the opening's login
	// was made, and opens the login with its tokens; it returns how many other
	// logins that ended. Of parallel calls one succeeds. If the code was used
	// before, the login it was exchanged for ends with model.EndReused, and the
	// answer is model.ErrConflict and how many that were. model.ErrNotFound if it
	// is unknown or expired, model.ErrStale if the account is disabled or its
	// epoch is another, or the app is gone or switched off.
	Redeem(ctx context.Context, codeHash string, o model.GrantOpening) (int64, error)
	// EndRedeemed ends the login that a used code was exchanged for with
	// model.EndReused, and returns how many that were; model.ErrNotFound unless
	// the code was used.
	EndRedeemed(ctx context.Context, codeHash string, at model.Time) (int64, error)

	// AddGrant gives a live login of the account a family; model.ErrStale if it
	// is not live.
	AddGrant(ctx context.Context, g model.Grant, tokens []model.GrantToken, at model.Time) error
	// Token finds a token, whatever became of it; model.ErrNotFound.
	Token(ctx context.Context, hash string) (model.GrantView, error)
	// Rotate marks a refresh token as used and stores its successors, if it is
	// unused and unexpired, its login live and its app in use, else
	// model.ErrStale. Of parallel calls one succeeds. It reports whether an access token that had not
	// expired was forgotten for the new one.
	Rotate(ctx context.Context, r model.GrantRotation) (forgot bool, err error)
	// EndFamily ends the family's login, and returns how many that were: 0 if it
	// was over. Its successors are dropped.
	EndFamily(ctx context.Context, loginID string, why model.EndReason, at model.Time) (int64, error)
	// EndToken deletes an access token, or ends its login with model.EndRevoked
	// if that has no refresh token.
	EndToken(ctx context.Context, hash string, at model.Time) error

	// Consent is what the account lets the app do; model.ErrNotFound.
	Consent(ctx context.Context, accountKey, clientID string) (model.GrantConsent, error)
	// AddConsent lets the app do what c says besides what it may already.
	// model.ErrStale if the account is gone.
	AddConsent(ctx context.Context, c model.GrantConsent) error
	// Consents lists what the account lets apps do, by app.
	Consents(ctx context.Context, accountKey string) ([]model.GrantConsent, error)
	// Withdraw forgets the consent, the unused codes and the approved device
	// authorizations of the app, ends its logins with model.EndRevoked, and
	// returns how many these were.
	// model.ErrNotFound if there was none of all that.
	Withdraw(ctx context.Context, accountKey, clientID string, at model.Time) (int64, error)
	// EndClient is Withdraw for every account, and forgets the device
	// authorizations of the app. It returns the accounts whose logins ended.
	EndClient(ctx context.Context, clientID string, at model.Time) ([]string, error)

	// AddDeviceCode stores a device authorization; model.ErrLimit if too many
	// are under way, model.ErrConflict if the user code is taken.
	AddDeviceCode(ctx context.Context, c model.DeviceCode, limit model.DeviceCodeCap) error
	// DeviceCode finds one by the hash of its device code; model.ErrNotFound.
	DeviceCode(ctx context.Context, hash string) (model.DeviceCode, error)
	// DeviceCodeFor finds one by the hash of its user code; model.ErrNotFound.
	DeviceCodeFor(ctx context.Context, userHash string) (model.DeviceCode, error)
	// PollDeviceCode writes PolledAt and Interval if they are still those of
	// was, else model.ErrStale.
	PollDeviceCode(ctx context.Context, was, becomes model.DeviceCode) error
	// DecideDeviceCode writes who decided what, and when and how they had
	// proven who they are, if it is pending and expires after at, else
	// model.ErrNotFound. model.ErrStale if the account is
	// disabled or its epoch is another.
	DecideDeviceCode(ctx context.Context, c model.DeviceCode, at model.Time) error
	// RedeemDeviceCode is Redeem for a device code that is approved. One that
	// is not, or not any more, is model.ErrNotFound: nothing ends for it.
	RedeemDeviceCode(ctx context.Context, hash string, o model.GrantOpening) (int64, error)

	// DropSuccessors drops the successors of at most so many tokens that were
	// used before that instant, and reports whether any are left.
	DropSuccessors(ctx context.Context, before model.Time, atMost int) (left bool, err error)
	// Clean forgets what expired before c.ExpiredAt, or belongs to a login that
	// ended before it, and returns how many rows that were. A used code stays
	// while the login lives that it was exchanged for.
	Clean(ctx context.Context, c model.GrantCleaning) (int64, error)
}
