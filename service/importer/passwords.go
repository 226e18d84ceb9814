package importer

import (
	"fmt"
	"slices"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/password"
	"latchkey/service/secret"
)

// saltLen is the length of AList's salts in characters.
const saltLen = 16

// password is the stored form of a user's password; empty if nobody can sign
// in with one.
func (p *plan) password(u alistdb.User, a model.Account) (string, error) {
	if slices.Contains(a.Roles, model.RoleGuest) {
		return "", nil // guests never sign in, and theirs is known: "guest"
	}
	hash, salt := u.PwdHash, u.Salt
	switch {
	case hash == "" && u.Password == "":
		p.userLine(u, "it has no password", "imported; nobody can sign in with one until an admin sets it")
		return "", nil
	case hash == "" && tooLong(u.Password):
		p.userLine(u, "its password is longer than 1 KiB", "left out; an admin can set another")
		return "", nil
	case hash == "":
		if !p.dump.Lacks("users.pwd_hash") {
			p.userLine(u, "its password is in plain text", "hashed and sealed; it goes on working")
		}
		salt = secret.Password(saltLen)
		hash = password.Legacy(password.Static(u.Password), salt)
	case !password.IsLegacy(hash):
		p.userLine(u, "its password hash is not one of AList's", "left out; an admin can set a password")
		return "", nil
	}
	stored, err := p.Passwords.Import(a.Key, hash, salt)
	if err != nil {
		return "", fmt.Errorf("user %d: %w", u.ID, err)
	}
	return stored, nil
}

func tooLong(plain string) bool { return password.CheckLength(plain) != nil }

// planFactors seals the second factors of new accounts.
func (p *plan) planFactors() error {
	count := Count{What: "second factors"}
	for _, u := range p.dump.Users {
		if u.OTPSecret == "" { // AList asks for a code where there is anything else, be it a blank
			continue
		}
		count.Found++
		switch _, here := p.accounts[u.ID]; {
		case p.fresh[u.ID]:
			if err := p.factor(u); err != nil {
				return err
			}
			count.New++
		case here:
			count.There++
		default:
			count.Left++ // with its user, who has a line
		}
	}
	p.report.Counts = append(p.report.Counts, count)
	return nil
}

// factor enrols a user's second factor. One that cannot be read must not turn
// into none: a random secret takes its place, so that every code is wrong, as
// it was in AList, until an admin takes the factor away.
func (p *plan) factor(u alistdb.User) error {
	text, ok := base32Secret(u.OTPSecret)
	if !ok {
		text = randomBase32()
		p.userLine(u, "its second factor cannot be read", "it stays on, and no code fits; an admin can take it away (cancel 2FA)")
	}
	key := p.accounts[u.ID].Key
	sealed, err := p.Sealer.Seal(factorAAD(key), []byte(text))
	if err != nil {
		return fmt.Errorf("seal the second factor of user %d: %w", u.ID, err)
	}
	p.in.TOTP = append(p.in.TOTP, model.TOTP{AccountKey: key, Secret: sealed, EnrolledAt: p.at})
	return nil
}

// factorAAD is what package totp seals enrolled secrets with; its Check opens
// what is sealed here.
func factorAAD(accountKey string) string { return "totp|secret|" + accountKey }
