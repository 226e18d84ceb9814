// Package secret owns random text and what must not leak from it: identifiers,
// generated passwords, the operator's static token, and comparing them. It
// stores nothing and knows no account.
package secret
