package totp

import (
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/pquerna/otp/hotp"
)

const (
	// digits is the length of a code.
	digits = 6
	// period is the length of a step in seconds (RFC 6238 5.2).
	period = 30
	// skew is how many steps a code may be early or late (RFC 6238 5.2 advises
	// no more than one).
	skew = 1
	// noStep says that a code belongs to no step of the window.
	noStep = int64(-1)
)

// wellFormed reports whether code is exactly six ASCII digits.
func wellFormed(code string) bool {
	if len(code) != digits {
		return false
	}
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// matchStep is the step that code belongs to, or noStep. Should two steps of
// the window have the same code, it is the later one: claiming the earlier
// would leave the code good for another time.
func matchStep(secret, code string, now time.Time) (int64, error) {
	found := noStep
	current := now.Unix() / period
	for step := current - skew; step <= current+skew; step++ {
		same, err := isStep(secret, code, step)
		if err != nil {
			return noStep, err
		}
		if same {
			found = step
		}
	}
	return found, nil
}

// isStep reports whether code is that of the step. There are none before 1970.
func isStep(secret, code string, step int64) (bool, error) {
	if step < 0 {
		return false, nil
	}
	want, err := hotp.GenerateCode(secret, uint64(step))
	if err != nil {
		return false, fmt.Errorf("make code: %w", err)
	}
	return subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1, nil
}
