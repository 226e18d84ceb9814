// Package password owns AList's static hash, the Argon2id form in which it is
// stored, the bound on how much hashing goes on at once, and which passwords are
// good enough. It stores nothing, knows no account and counts no failures.
package password
