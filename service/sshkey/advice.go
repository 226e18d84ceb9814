package sshkey

import (
	"fmt"
	"time"

	"latchkey/model"
)

// soon is how long before its end a key is said to expire.
const soon = 14 * 24 * time.Hour

const day = 24 * time.Hour

// Advice is what the owner of a key should know about it, each a sentence;
// often there is nothing.
func (s *Service) Advice(key model.SSHKey) []string {
	now, advice := s.now(), []string{}
	if !key.SuspendedAt.IsZero() {
		advice = append(advice, "Suspended, because its device was evicted; lift it to use it again.")
	}
	switch left := key.ExpiresAt.Sub(now); {
	case key.ExpiresAt.IsZero():
	case left <= 0:
		advice = append(advice, "Expired.")
	case left < day:
		advice = append(advice, "Expires in less than a day.")
	case left <= soon:
		advice = append(advice, fmt.Sprintf("Expires in %s.", days(left)))
	}
	used := key.AddedAt
	if !key.LastUsedAt.IsZero() {
		used = key.LastUsedAt
	}
	if idle, most := now.Sub(used.Time), s.unusedFor(); most > 0 && idle >= most {
		advice = append(advice, fmt.Sprintf("Not used for %s; delete it if you do not need it.", days(idle)))
	}
	if parsed, err := Parse(key.PublicKey); err == nil && parsed.Note != "" {
		advice = append(advice, parsed.Note+".")
	}
	return advice
}

// days is a span in whole days, at least one.
func days(span time.Duration) string {
	n := max(1, int64((span+day/2)/day))
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
