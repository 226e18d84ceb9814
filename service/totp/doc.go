// Package totp owns the second factor: making a secret, enrolling and replacing
// it, taking each one-time code of RFC 6238 at most once, and the recovery codes
// that stand in for one. What needs a fresh proof of identity is refused here
// without it, as only the stored row says whether there is a factor to protect.
// It decides nothing about passwords and does not count attempts: that is the
// business of the flow that calls it.
package totp
