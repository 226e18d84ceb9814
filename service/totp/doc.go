// Package totp owns the second factor: making a secret, enrolling it, and
// taking each one-time code of RFC 6238 at most once. It decides nothing about
// passwords and does not count attempts; who may enrol or remove a factor, and
// after which proof, is the business of the flow that calls it.
package totp
