package totp

import (
	"fmt"
	"time"
)

// driftSteps is how many steps off a code is still told from a wrong one, so
// that somebody can be told that a clock is wrong: 10 minutes.
const driftSteps = 20

// ClockDriftError is ErrWrongCode for a code that is right at another time. It
// is for the log: somebody who guesses must not learn that they were close.
type ClockDriftError struct {
	By time.Duration // how far the clock that made the code is ahead; negative: behind
}

// Error is the text for people, which says nothing of the clock.
func (*ClockDriftError) Error() string { return ErrWrongCode.Error() }

// Unwrap is ErrWrongCode.
func (*ClockDriftError) Unwrap() error { return ErrWrongCode }

// driftOf is how far the clock that made the code is ahead of ours, in whole
// steps, negative if it is behind; 0 if that is more than 10 minutes, or if the
// code is wrong. It looks at every step, so that its time tells nothing.
func driftOf(secret, code string, now time.Time) (time.Duration, error) {
	found := int64(0)
	current := now.Unix() / period
	for off := int64(driftSteps); off > skew; off-- {
		for _, signed := range [2]int64{off, -off} {
			same, err := isStep(secret, code, current+signed)
			if err != nil {
				return 0, err
			}
			if same {
				found = signed // the nearest comes last
			}
		}
	}
	return time.Duration(found) * period * time.Second, nil
}

// driftText says how far a clock is off, and what to do.
func driftText(by time.Duration) string {
	direction := "ahead"
	if by < 0 {
		by, direction = -by, "behind"
	}
	span := fmt.Sprintf("%d seconds", int64(by.Seconds()))
	if by >= 90*time.Second {
		span = fmt.Sprintf("%d minutes", int64(by.Round(time.Minute).Minutes()))
	}
	return ErrWrongEnrolCode.Text + ": the clock of your device is about " + span + " " + direction + ", set it to automatic"
}
