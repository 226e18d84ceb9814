package client

import "latchkey/service/fault"

// What is answered to an app, or about one that is asked for.
var (
	// ErrUnknown says that no app has the id.
	ErrUnknown = fault.New(fault.NotFound, "oauth_app_unknown", "No such app")
	// ErrDisabled says that the operator switched the app off.
	ErrDisabled = fault.New(fault.Forbidden, "oauth_app_disabled", "This app is switched off")
	// ErrClient says that an app did not prove who it is (RFC 6749 §5.2,
	// invalid_client): it is unknown, switched off, or its secret is wrong.
	ErrClient = fault.New(fault.Unauthenticated, "invalid_client", "Client authentication failed")
	// ErrScope says that an app may not ask for a scope, or that there is no
	// such scope (RFC 6749 §4.1.2.1, invalid_scope).
	ErrScope = fault.New(fault.Invalid, "invalid_scope", "The app may not ask for this scope")
)

// What can be wrong with an app that is registered or changed.
var (
	// ErrID says that a wished id is neither 32 hex digits nor a UUID.
	ErrID = fault.New(fault.Invalid, "oauth_app_id", "client_id must be 32 hex digits or a UUID, in lower case")
	// ErrTaken says that another app has the wished id.
	ErrTaken = fault.New(fault.Conflict, "oauth_app_taken", "An app with this client_id is registered already")
	// ErrName says that a name is empty, too long, or holds what cannot be seen.
	ErrName = fault.New(fault.Invalid, "oauth_app_name", "name must be 1 to 64 printable characters")
	// ErrIcon says that an icon is neither an https URL nor an Iconify name.
	ErrIcon = fault.New(fault.Invalid, "oauth_app_icon", "icon must be an https URL, or an Iconify name such as mdi:home")
	// ErrHomepage says that a homepage is no plain URL.
	ErrHomepage = fault.New(fault.Invalid, "oauth_app_homepage", "homepage must be an http or https URL")
	// ErrRedirect says that answers cannot be sent to a URI; the text says why.
	ErrRedirect = fault.New(fault.Invalid, "oauth_app_redirect", "redirect URI refused")
	// ErrScopes says that an app cannot be allowed a scope; the text names it.
	ErrScopes = fault.New(fault.Invalid, "oauth_app_scopes", "Unknown scope")
	// ErrSecret says that a supplied secret is too easy to guess.
	ErrSecret = fault.New(fault.Invalid, "oauth_app_secret", "secret must be 32 to 256 printable ASCII characters without blanks, at least 10 of them different")
	// ErrNoSecret says that a public app cannot have a secret.
	ErrNoSecret = fault.New(fault.Invalid, "oauth_app_public", "A public app has no secret")
	// ErrKind says that an app cannot become public or confidential.
	ErrKind = fault.New(fault.Invalid, "oauth_app_kind", "confidential cannot be changed: register another app")
	// ErrPKCE says that a public app cannot do without PKCE.
	ErrPKCE = fault.New(fault.Invalid, "oauth_app_pkce", "Only a confidential app may do without PKCE")
	// ErrRefreshTTL says that refresh tokens would live too short or too long.
	ErrRefreshTTL = fault.New(fault.Invalid, "oauth_app_refresh_ttl", "refresh_ttl must be 3600 to 31536000 seconds")
	// ErrOverlap says that an old secret would live on for too long.
	ErrOverlap = fault.New(fault.Invalid, "oauth_app_overlap", "overlap_seconds must be 0 to 86400")
	// ErrTooMany says that there are as many apps as there may be.
	ErrTooMany = fault.New(fault.Invalid, "oauth_app_limit", "At most 1000 apps can be registered")
)

// What can be wrong with a scope that is declared or withdrawn.
var (
	// ErrScopeName says that a scope cannot be called that.
	ErrScopeName = fault.New(fault.Invalid, "oauth_scope_name", "scope must be 1 to 64 letters, digits and . _ : / -")
	// ErrScopeReserved says that a scope is one of ours, or looks like one.
	ErrScopeReserved = fault.New(fault.Invalid, "oauth_scope_reserved", "This scope is kept for the server itself")
	// ErrScopeText says that a description is empty, too long, or holds what
	// cannot be seen.
	ErrScopeText = fault.New(fault.Invalid, "oauth_scope_text", "description must be 1 to 200 printable characters")
	// ErrScopeUnknown says that no such scope is declared.
	ErrScopeUnknown = fault.New(fault.NotFound, "oauth_scope_unknown", "No such scope is declared")
	// ErrScopeHeld says that an app may still ask for the scope.
	ErrScopeHeld = fault.New(fault.Conflict, "oauth_scope_held", "An app may still ask for this scope")
	// ErrScopesTooMany says that there are as many declared scopes as there may be.
	ErrScopesTooMany = fault.New(fault.Invalid, "oauth_scope_limit", "At most 500 scopes can be declared")
)
