package server

import (
	"latchkey/service/password"
	"latchkey/service/secret"
	"latchkey/service/setting"
)

// openPolicy makes the rules for new passwords, and opens the list of breached
// ones if there is one.
func (a *App) openPolicy() (password.Policy, error) {
	policy := password.Policy{
		MinChars: a.Settings.PasswordMin,
		SiteName: func() string { return a.Settings.Get(setting.KeySiteTitle) },
	}
	if a.cfg.BreachedPasswords == "" {
		return policy, nil
	}
	list, err := password.OpenBreached(a.cfg.BreachedPasswords)
	if err != nil {
		return policy, err
	}
	a.closers = append(a.closers, list.Close)
	policy.Breached = list
	return policy, nil
}

// randomChars is the length of a random password: 93 bits.
const randomChars = 16

// RandomPassword is a password that may be chosen.
func (a *App) RandomPassword() string {
	return secret.Password(max(randomChars, a.Settings.PasswordMin()))
}
