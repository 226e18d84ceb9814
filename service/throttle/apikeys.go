package throttle

import (
	"time"

	"latchkey/service/fault"
)

// ErrAPIKeys says that an address sent so many wrong API keys that its next one is
// not even called wrong. A right one is not refused by it.
var ErrAPIKeys = fault.New(fault.TooMany, "api_keys_throttled", "Too many wrong API keys have been sent from this address, try again later")

// WrongAPIKey counts an API key that there never was against the address that sent
// it, or is ErrAPIKeys once the address's budget is used up. The budget is not that
// of passwords: a forgotten script must not keep its household from signing in
// (decision 16). What is counted is stored within a second and not before this
// returns, for nobody guesses one of 2^256 keys within that.
func (s *Service) WrongAPIKey(address string) error {
	who, shown := s.address(address)
	k := key{who: who}
	_, wait := s.apiKeys.take(k, s.instant())
	if wait > 0 {
		return ErrAPIKeys.After(time.Duration(wait))
	}
	s.note(entry{in: s.apiKeys, key: k, address: shown})
	return nil
}
