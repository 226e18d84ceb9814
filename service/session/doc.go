// Package session owns devices, the logins below them and the tokens that name
// those logins: opening, checking, listing and ending them. It does not know
// passwords, second factors or how an account is named at sign-in.
//
// A check costs no query and no write once a login is remembered. An ending is
// committed, forgotten by everybody who remembers, and only then answered.
package session
