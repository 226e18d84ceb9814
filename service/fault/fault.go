// Package fault owns the kinds of failure the program can answer with. A rule
// picks the kind where it is broken; a door turns the kind into its own status
// and text. It must not know any protocol.
package fault

import (
	"errors"
	"time"
)

// Kind is a class of failure that callers treat alike.
type Kind uint8

// The kinds of failure.
const (
	Internal        Kind = iota // our fault; the text stays inside
	Invalid                     // the request is malformed or breaks a rule
	Unauthenticated             // nobody known is calling
	CodeRequired                // the password is right, a second factor is missing or wrong
	Forbidden                   // the caller is known and may not
	NotFound                    // no such thing, or not the caller's
	Conflict                    // it is there already
	TooMany                     // tried too often, try later
	TooLarge                    // more bytes than taken
	Unsupported                 // a media type that is not taken
	Unavailable                 // the storage is gone or full; nothing was done
)

// Error is a failure with words for the person who caused it. Compare with
// errors.Is: two Errors are the same failure when their codes are.
type Error struct {
	Kind       Kind
	Code       string        // stable, snake_case, for programs
	Text       string        // for people; never a library's or a database's words
	RetryAfter time.Duration // for TooMany: when another try may succeed; 0 if unknown
}

// New makes a failure.
func New(kind Kind, code, text string) *Error {
	return &Error{Kind: kind, Code: code, Text: text}
}

// Error is the text for people.
func (e *Error) Error() string { return e.Text }

// Is reports whether target is the same failure, whatever its words.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// WithText is the same failure in other words.
func (e *Error) WithText(text string) *Error {
	c := *e
	c.Text = text
	return &c
}

// After is the same failure with the time after which a retry makes sense.
func (e *Error) After(wait time.Duration) *Error {
	c := *e
	c.RetryAfter = wait
	return &c
}

// Of finds the failure in err's chain. An error that carries none is Internal
// and keeps its words to itself.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(Internal, "internal", "internal error")
}
