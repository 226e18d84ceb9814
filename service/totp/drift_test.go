package totp_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/service/fault"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

// At enrolment the owner is told that a clock is wrong; they know the secret.
func TestEnrolmentTellsThatTheClockIsOff(t *testing.T) {
	const head, tail = "Invalid 2FA code: the clock of your device is about ", ", set it to automatic"
	for name, tt := range map[string]struct {
		off  time.Duration
		want string
	}{
		"a minute behind":              {-60 * time.Second, head + "60 seconds behind" + tail},
		"a minute ahead":               {60 * time.Second, head + "60 seconds ahead" + tail},
		"a minute and a half ahead":    {90 * time.Second, head + "2 minutes ahead" + tail},
		"three minutes behind":         {-3 * time.Minute, head + "3 minutes behind" + tail},
		"ten minutes behind":           {-10 * time.Minute, head + "10 minutes behind" + tail},
		"ten minutes ahead":            {10 * time.Minute, head + "10 minutes ahead" + tail},
		"one step more is only wrong":  {10*time.Minute + 30*time.Second, "Invalid 2FA code"},
		"an hour behind is only wrong": {-time.Hour, "Invalid 2FA code"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			by := f.fresh()
			secret := f.generate(t, by)
			err := f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at.Add(tt.off)))
			wantErr(t, "Confirm", err, totp.ErrWrongEnrolCode)
			if got := fault.Of(err); got.Text != tt.want || got.Kind != fault.Invalid {
				t.Errorf("Confirm says %q, kind %d, want %q", got.Text, got.Kind, tt.want)
			}
			if on, err := f.Enabled(t.Context(), by.Account.Key); on || err != nil {
				t.Errorf("Enabled = %t, %v", on, err)
			}
		})
	}
}

// At sign-in only the log is told: a guess must not learn that it was close.
func TestCheckKeepsTheClockToItself(t *testing.T) {
	for name, tt := range map[string]struct{ off, want time.Duration }{
		"two steps behind":    {-time.Minute, -time.Minute},
		"three minutes ahead": {3 * time.Minute, 3 * time.Minute},
		"ten minutes behind":  {-10 * time.Minute, -10 * time.Minute},
		"eleven minutes":      {11 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			key := f.enrolSecret(t, rfcSecret)
			err := f.Check(t.Context(), key, totptest.Code(rfcSecret, f.at.Add(tt.off)))
			wantErr(t, "Check", err, totp.ErrWrongCode)
			if text := fault.Of(err); *text != *totp.ErrWrongCode || err.Error() != "Invalid 2FA code" {
				t.Errorf("Check = %+v, %q, want %+v", text, err, totp.ErrWrongCode)
			}
			var got time.Duration
			if drift, ok := errors.AsType[*totp.ClockDriftError](err); ok {
				got = drift.By
			}
			if got != tt.want {
				t.Errorf("the clock is off by %v, want %v", got, tt.want)
			}
			wantErr(t, "Check of the code of the moment", f.Check(t.Context(), key, totptest.Code(rfcSecret, f.at)), nil)
		})
	}
}
