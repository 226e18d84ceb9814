// Package apikey owns the API keys of accounts: their text, what each may do and
// from where, how long it lives, and what is learnt from its use. It decides
// whether a key is good; whether its owner may sign in, and what its scopes
// open, is decided by those who ask. It must not know HTTP or SQL.
package apikey
