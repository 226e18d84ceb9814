package account

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/model"
	"latchkey/service/fault"
)

// maxEmail is the longest address in bytes that mail servers take (RFC 5321
// §4.5.3.1.3, less the brackets of the path).
const maxEmail = 254

// ErrEmail says that an address cannot be one.
var ErrEmail = fault.New(fault.Invalid, "email_invalid", "email must be one address such as ann@example.org, of at most 254 bytes")

// CheckEmail fails with ErrEmail unless the text is empty, which is no address,
// or one address and nothing beside it: no name, no comment, no brackets.
func CheckEmail(address string) error {
	if address == "" {
		return nil
	}
	if len(address) > maxEmail || !utf8.ValidString(address) || strings.ContainsFunc(address, notInAddress) {
		return ErrEmail
	}
	read, err := mail.ParseAddress(address)
	if err != nil || read.Address != address {
		return ErrEmail
	}
	return nil
}

func notInAddress(r rune) bool { return unseen(r) || unicode.IsSpace(r) }

// ForEmail finds the account that an address typed at sign-in means: the only one
// whose owner confirmed it. Letter case counts where people wrote capitals. It
// fails with ErrUnknown.
func (s *Service) ForEmail(ctx context.Context, address string) (model.Account, error) {
	if len(address) > maxEmail || address == "" {
		address = "-" // nobody's, at the same price
	}
	a, err := s.store.AccountByEmail(ctx, []string{address, strings.ToLower(address)})
	if errors.Is(err, model.ErrNotFound) {
		return a, ErrUnknown
	}
	if err != nil {
		return a, fmt.Errorf("find account by address: %w", err)
	}
	return a, nil
}

// editEmail leaves an address alone that does not change, and takes a new one
// for unconfirmed unless it is said to be confirmed. No address is never
// confirmed.
func editEmail(old model.Account, e *model.AccountEdit) error {
	if e.Email != nil && *e.Email == old.Email {
		e.Email = nil
	}
	if e.Email == nil {
		if old.Email == "" {
			e.EmailVerified = nil
		}
		return nil
	}
	if e.EmailVerified == nil || *e.Email == "" {
		e.EmailVerified = new(bool)
	}
	return CheckEmail(*e.Email)
}
