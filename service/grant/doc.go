// Package grant owns what apps are given: codes, the families of tokens that
// they are exchanged for, consents, and device authorizations; and the token
// pairs of the owner's own logins. A family is a login: it hangs on a device of
// kind oauth, and whatever ends the login ends its tokens. The package must not
// know HTTP, SQL, or how an app proves who it is: its callers have checked that.
package grant
