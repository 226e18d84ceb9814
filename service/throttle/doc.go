// Package throttle owns how often a sign-in may fail: per address, per account
// and per known source, counted before the password is looked at. It lives in
// memory, is bounded, and knows neither passwords nor who an account belongs to.
package throttle
