package apikey

import (
	"fmt"

	"latchkey/service/fault"
)

// Why a key that was presented is refused (contract "API keys", status).
var (
	// ErrInvalid says that a key is mistyped, unknown, replaced or revoked.
	ErrInvalid = fault.New(fault.Unauthenticated, "api_key_invalid", "Invalid API key")
	// ErrExpired says that a key is past its time.
	ErrExpired = fault.New(fault.Unauthenticated, "api_key_expired", "API key expired")
	// ErrAddress says that a key may not come from there.
	ErrAddress = fault.New(fault.Forbidden, "api_key_address", "API key not allowed from this address")
	// ErrInURL says that a key was sent in the URL and was not made for it.
	ErrInURL = fault.New(fault.Unauthenticated, "api_key_in_url", "This API key may not be sent in the URL")
)

// Who has no keys.
var (
	// ErrStaticToken says that the static token is the operator's, who is no
	// account.
	ErrStaticToken = fault.New(fault.Forbidden, "api_key_static_token", "The static token cannot have API keys: sign in to make one")
	// ErrGuest says that a key is somebody's.
	ErrGuest = fault.New(fault.Forbidden, "api_key_guest", "Guests cannot have API keys")
)

// What can be wrong with what is asked for.
var (
	// ErrName says that a name is empty, blank, too long or cannot be printed.
	ErrName = fault.New(fault.Invalid, "api_key_name", fmt.Sprintf("name must be 1 to %d printable characters", maxName))
	// ErrNameTaken says that the account has a key of that name that is not
	// revoked.
	ErrNameTaken = fault.New(fault.Invalid, "api_key_name_taken", "an API key with the same name already exists")
	// ErrNoScopes says that a key could do nothing.
	ErrNoScopes = fault.New(fault.Invalid, "api_key_scopes", "scopes must name at least one permission")
	// ErrAdminScope says that only admins can give a scope; the text names it.
	ErrAdminScope = fault.New(fault.Forbidden, "api_key_admin_scope", "Only admins can give this permission")
	// ErrExpiry says that a key would be expired already, or expire too late.
	ErrExpiry = fault.New(fault.Invalid, "api_key_expiry", "expires_at must be in the future, and within 10 years")
	// ErrAddresses says that an address or network cannot be read, or that
	// there are too many.
	ErrAddresses = fault.New(fault.Invalid, "api_key_allowed_ips", "allowed_ips must be at most 32 addresses or networks, such as 192.0.2.7 or 2001:db8::/32")
	// ErrOverlap says that an old text would live for too long.
	ErrOverlap = fault.New(fault.Invalid, "api_key_overlap", "overlap_seconds must be 0 to 86400")
	// ErrLearnFor says that a key would learn for too short or too long.
	ErrLearnFor = fault.New(fault.Invalid, "api_key_learn_for", "learn_for must be 60 to 2592000 seconds")
	// ErrTooMany says that the account has as many keys as it may.
	ErrTooMany = fault.New(fault.Invalid, "api_key_limit", fmt.Sprintf("an account may have at most %d API keys, revoked ones included", maxKeys))
	// ErrNoKey says that there is no such key, or that it is somebody else's.
	ErrNoKey = fault.New(fault.NotFound, "api_key_unknown", "API key not found")
	// ErrRevoked says that nothing can be done with a key but delete it.
	ErrRevoked = fault.New(fault.Invalid, "api_key_revoked", "This API key was revoked: delete it and make another")
	// ErrEnded says that the caller's login or account came to its end, or the
	// account's password changed, while the request was under way.
	ErrEnded = fault.New(fault.Unauthenticated, "api_key_caller_ended", "token is invalidated")
)
