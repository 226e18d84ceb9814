// Package sessiontest owns the working stand-in for the store of devices and
// logins, and the suite that every such store must pass. It is for tests only
// and must not be touched by the program.
package sessiontest
