package throttle

import (
	"errors"
	"fmt"
	"time"
)

// Limit is a budget of failures: Burst at once, then one more each Every.
type Limit struct {
	Burst int
	Every time.Duration
}

// maxSpan is how long a full budget may take to come back.
const maxSpan = 30 * 24 * time.Hour

func (l Limit) check(name string) error {
	if l.Burst < 1 || l.Every <= 0 || l.Every > maxSpan/time.Duration(l.Burst) {
		return fmt.Errorf("%s: %d failures and one more each %v, want at least one and 30 days in all", name, l.Burst, l.Every)
	}
	return nil
}

// full is how long a budget that is used up takes to come back, in nanoseconds.
func (l Limit) full() int64 { return int64(l.Every) * int64(l.Burst) }

// Config is the budgets and what is remembered.
type Config struct {
	Address     Limit         // one address (IPv6: its /64), whatever the account
	Account     Limit         // one account, all unknown sources together
	Source      Limit         // one account from one known source
	Codes       Limit         // one account's second-factor codes after a right password
	SourceCodes Limit         // the same from one address
	APIKeys     Limit         // one address's wrong API keys
	Lifts       Limit         // how often an account's owner may lift it
	Reports     Limit         // one address's reports of leaked keys
	KnownFor    time.Duration // how long an address is known to an account after a sign-in
	TakeBackFor time.Duration // how soon a success makes the failure before it undone
	MaxKeys     int           // entries of each of the ten tables, and rows of each kind; the most decayed go first
}

// Defaults is the table of ruling 26. Codes from one address come back as fast
// as the account's do. An owner may lift three times, and once more each 20
// minutes: whoever holds a stolen token must not guess on for ever. A scanner that
// finds keys sends them in lists: 30 reports, and one more each 10 seconds.
func Defaults() Config {
	return Config{
		Address:     Limit{Burst: 15, Every: 5 * time.Minute / 15},
		Account:     Limit{Burst: 10, Every: 6 * time.Minute},
		Source:      Limit{Burst: 10, Every: 5 * time.Minute / 10},
		Codes:       Limit{Burst: 20, Every: time.Hour / 20},
		SourceCodes: Limit{Burst: 5, Every: time.Hour / 20},
		APIKeys:     Limit{Burst: 15, Every: 5 * time.Minute / 15},
		Lifts:       Limit{Burst: 3, Every: 20 * time.Minute},
		Reports:     Limit{Burst: 30, Every: 10 * time.Second},
		KnownFor:    30 * 24 * time.Hour,
		TakeBackFor: 10 * time.Second,
		MaxKeys:     100_000,
	}
}

// Validate reports every mistake at once.
func (c Config) Validate() error {
	errs := []error{
		c.Address.check("address"), c.Account.check("account"), c.Source.check("source"), c.Codes.check("codes"),
		c.SourceCodes.check("codes from one address"), c.APIKeys.check("API keys"), c.Lifts.check("lifts by owners"), c.Reports.check("reports"),
	}
	if c.KnownFor <= 0 {
		errs = append(errs, fmt.Errorf("known for %v, want more than nothing", c.KnownFor))
	}
	if c.TakeBackFor < 0 {
		errs = append(errs, fmt.Errorf("taken back for %v, want nothing or more", c.TakeBackFor))
	}
	if c.MaxKeys < shards {
		errs = append(errs, fmt.Errorf("%d keys, want at least %d", c.MaxKeys, shards))
	}
	return errors.Join(errs...)
}
