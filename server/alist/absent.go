package alist

import (
	"github.com/gin-gonic/gin"

	"latchkey/service/fault"
)

// What AList has and this server has not. The texts are AList's own: its
// frontend looks for some of them.
var (
	// ErrNoStorage says that there are no files here. Its code is 500, as
	// AList's is; the frontend shows its start page on it.
	ErrNoStorage = fault.New(fault.NotFound, "no_storage", "failed get storage: storage not found; please add a storage first")
	// ErrNoLDAP says that nobody signs in by LDAP.
	ErrNoLDAP = fault.New(fault.Forbidden, "no_ldap", "ldap is not enabled")
	// ErrNoSSO says that nobody signs in by single sign-on.
	ErrNoSSO = fault.New(fault.Forbidden, "no_sso", "Single sign-on is not enabled")
	// ErrNoSSOReturn says the same where a provider sends people back to.
	ErrNoSSOReturn = fault.New(fault.Forbidden, "no_sso_return", "sso login is disabled")
	// ErrNoPasskeys says that nobody signs in by passkey.
	ErrNoPasskeys = fault.New(fault.Forbidden, "no_passkeys", "WebAuthn is not enabled")
)

// Refuse answers every request with the failure.
func Refuse(f *fault.Error) func(*gin.Context) error {
	return func(*gin.Context) error { return f }
}

// EmptyPage answers a list without entries.
func (*API) EmptyPage(c *gin.Context) error { return ok(c, page[struct{}]{Content: []struct{}{}}) }
