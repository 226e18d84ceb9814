// Package throttle owns how often a sign-in may fail: per address, per account
// and per known source, counted before the password is looked at. What decides
// is in memory and bounded; what was counted is stored before the attempt goes
// on, so that a restart forgives nothing (F-07). It knows neither passwords nor
// who an account belongs to.
package throttle
