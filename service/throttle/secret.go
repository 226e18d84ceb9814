package throttle

import (
	"time"

	"latchkey/service/fault"
)

// ErrSecrets says that an app showed too many wrong secrets. Its RetryAfter says
// when the next one will be looked at.
var ErrSecrets = fault.New(fault.TooMany, "secrets_throttled", "Too many wrong client secrets, try again later")

// MayShowSecret fails with ErrSecrets while an app's budget of wrong secrets at
// the address is used up. Others, and the app elsewhere, go on.
func (s *Service) MayShowSecret(clientID, address string) error {
	t, now := s.secrets, s.instant()
	next := max(t.get(s.secretKey(clientID, address)), now) + int64(t.limit.Every)
	if wait := next - t.limit.full() - now; wait > 0 {
		return ErrSecrets.After(time.Duration(wait))
	}
	return nil
}

// WrongSecret counts a wrong secret. It is not stored: whoever guesses 256 bits
// does not wait for a restart.
func (s *Service) WrongSecret(clientID, address string) {
	_, _ = s.secrets.take(s.secretKey(clientID, address), s.instant())
}

func (s *Service) secretKey(clientID, address string) key {
	place, _ := s.address(address)
	return key{who: s.hash("client", []byte(clientID)), place: place}
}
