package grant

import "latchkey/service/fault"

// Why there are no tokens. The codes are those of RFC 6749 §5.2 and RFC 8628
// §3.5, where they have one.
var (
	// ErrGrant says that a code, refresh token or device code is unknown,
	// expired, used, another app's, or does not go with what came along; which
	// of them is nobody's business.
	ErrGrant = fault.New(fault.Invalid, "invalid_grant", "The code or token is not valid, or not any more")
	// ErrScope says that more was asked for than was granted.
	ErrScope = fault.New(fault.Invalid, "invalid_scope", "More was asked for than was granted")
	// ErrTarget says that tokens were asked for another resource than the approved
	// one (RFC 8707 §2.2); nothing is spent.
	ErrTarget = fault.New(fault.Invalid, "invalid_target", "resource must be the one that access was asked for")
	// ErrPending says that nobody has decided yet.
	ErrPending = fault.New(fault.Invalid, "authorization_pending", "Nobody has decided yet")
	// ErrSlowDown says that the app polls too often: from now on it must wait 5
	// seconds longer.
	ErrSlowDown = fault.New(fault.Invalid, "slow_down", "Poll less often")
	// ErrDenied says that the owner refused.
	ErrDenied = fault.New(fault.Invalid, "access_denied", "Access was refused")
	// ErrDeviceExpired says that nobody decided in time.
	ErrDeviceExpired = fault.New(fault.Invalid, "expired_token", "Nobody decided in time")
)

// What else can be wrong.
var (
	// ErrInvalid says that an access token is malformed, unknown or ended.
	ErrInvalid = fault.New(fault.Unauthenticated, "token_invalid", "token is invalidated")
	// ErrExpired says that an access token is past its time.
	ErrExpired = fault.New(fault.Unauthenticated, "token_expired", "token is expired")
	// ErrUserCode says that no device waits under that user code.
	ErrUserCode = fault.New(fault.NotFound, "user_code_unknown", "No device waits with this code: check it, or start again on the device")
	// ErrGuesses says that the account tried too many user codes. Its RetryAfter
	// says when the next one counts.
	ErrGuesses = fault.New(fault.TooMany, "user_code_guesses", "Too many wrong codes, try again later")
	// ErrBusy says that too many devices are waiting already.
	ErrBusy = fault.New(fault.TooMany, "device_codes_limit", "Too many devices are waiting, try again later")
	// ErrAccount says that the account changed or went away meanwhile.
	ErrAccount = fault.New(fault.Unauthenticated, "token_invalid", "token is invalidated")
	// ErrNoConsent says that the account gave the app nothing.
	ErrNoConsent = fault.New(fault.NotFound, "consent_unknown", "No such app")
)
