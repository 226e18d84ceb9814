// Package account owns people and roles: finding, founding and changing
// accounts, and the snapshot of an account that every check works with. It
// must not know how anybody proves who they are.
package account
