package apikey

import (
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/address"
	"latchkey/service/label"
)

// Wanted is a key that is asked for.
type Wanted struct {
	Name       string    // 1 to 64 printable characters, not another living key's
	Scopes     []string  // of access.Vocabulary; may be empty only with LearnFor
	ExpiresAt  time.Time // within 10 years; zero: it works for ever
	AllowQuery bool      // it may be sent in the URL
	AllowedIPs []string  // addresses and networks it may come from; empty: any
	LearnFor   time.Duration
}

// Edit is a change of a key; nil leaves a value as it is.
type Edit struct {
	Name       *string
	Scopes     *[]string
	ExpiresAt  *time.Time // zero: it works for ever
	AllowQuery *bool
	AllowedIPs *[]string
}

// edit makes of a key with nothing set what is asked for.
func (n Wanted) edit() Edit {
	e := Edit{Name: &n.Name, AllowQuery: &n.AllowQuery, AllowedIPs: &n.AllowedIPs}
	if len(n.Scopes) > 0 {
		e.Scopes = &n.Scopes
	}
	if !n.ExpiresAt.IsZero() {
		e.ExpiresAt = &n.ExpiresAt
	}
	return e
}

// apply checks the edit and writes it into a key. now is not looked at while
// the expiry stays what it was.
func (e Edit) apply(key *model.APIKey, now time.Time) error {
	if e.Name != nil {
		if !label.IsName(*e.Name, maxName) {
			return ErrName
		}
		key.Name = *e.Name
	}
	if e.AllowQuery != nil {
		key.AllowQuery = *e.AllowQuery
	}
	if err := e.applyScopes(key); err != nil {
		return err
	}
	if err := e.applyExpiry(key, now); err != nil {
		return err
	}
	return e.applyAddresses(key)
}

func (e Edit) applyScopes(key *model.APIKey) error {
	if e.Scopes == nil {
		return nil
	}
	list, err := access.ParseScopes(*e.Scopes)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return ErrNoScopes
	}
	key.Scopes = list.String()
	return nil
}

func (e Edit) applyExpiry(key *model.APIKey, now time.Time) error {
	if e.ExpiresAt == nil || model.At(*e.ExpiresAt).Equal(key.ExpiresAt.Time) {
		return nil
	}
	expires := model.At(*e.ExpiresAt)
	if !expires.IsZero() && (!expires.After(now) || expires.After(now.Add(maxLife))) {
		return ErrExpiry
	}
	key.ExpiresAt, key.WarnedDays = expires, 0
	for _, days := range warnings() {
		if !expires.IsZero() && expires.Sub(now) <= time.Duration(days)*day {
			key.WarnedDays = days // whoever chooses so short a life needs no warning of it
		}
	}
	return nil
}

func (e Edit) applyAddresses(key *model.APIKey) error {
	if e.AllowedIPs == nil {
		return nil
	}
	list, err := address.Canonical(*e.AllowedIPs)
	if err != nil {
		return ErrAddresses
	}
	key.AllowedIPs = list
	return nil
}

// widens reports whether the key, as it becomes, opens anything to anybody that
// it did not open as it was.
func widens(was, becomes model.APIKey) bool {
	later := !was.ExpiresAt.IsZero() && (becomes.ExpiresAt.IsZero() || becomes.ExpiresAt.After(was.ExpiresAt.Time))
	return later || becomes.AllowQuery && !was.AllowQuery ||
		!scopes(was.Scopes).Cover(scopes(becomes.Scopes)) ||
		!address.Read(was.AllowedIPs).Cover(address.Read(becomes.AllowedIPs))
}

// checkAdmin is ErrAdminScope if somebody who is no admin gives a scope of
// admins that the key did not have.
func checkAdmin(by access.Caller, was, becomes model.APIKey) error {
	for _, s := range scopes(becomes.Scopes) {
		if s.IsAdmin() && !by.Account.IsAdmin() && !scopes(was.Scopes).Allow(s) {
			return ErrAdminScope.WithText("Only admins can give this permission: " + string(s))
		}
	}
	return nil
}
