package totptest

import (
	"testing"
	"time"

	"latchkey/model"
)

// logins are a login to keep, another of the same account and somebody else's.
type logins struct{ kept, other, foreign string }

func (s suite) logins(t *testing.T, accountKey string) logins {
	t.Helper()
	if s.NewLogin == nil || s.EndReason == nil {
		t.Skip("the harness makes no logins")
	}
	return logins{
		kept:    s.NewLogin(t, accountKey),
		other:   s.NewLogin(t, accountKey),
		foreign: s.NewLogin(t, s.NewAccount(t)),
	}
}

func (s suite) ended(t *testing.T, loginID string, want model.EndReason) {
	t.Helper()
	if got := s.EndReason(t, loginID); got != want {
		t.Errorf("login %s ended for %q, want %q", loginID, got, want)
	}
}

func testLogins(t *testing.T, s suite) {
	row := s.pending(t)
	l := s.logins(t, row.AccountKey)
	row.Secret, row.EnrolledAt, row.LastStep = "secret", instant(time.Minute), 7
	must(t, "EnrolTOTP", s.Store.EnrolTOTP(t.Context(), row, l.kept))
	s.ended(t, l.kept, "")
	s.ended(t, l.other, model.EndTwoFactor)
	s.ended(t, l.foreign, "")

	newer := s.NewLogin(t, row.AccountKey)
	must(t, "DeleteTOTP", s.Store.DeleteTOTP(t.Context(), row.AccountKey, newer, instant(time.Hour)))
	s.ended(t, newer, "")
	s.ended(t, l.kept, model.EndTwoFactor)
	s.ended(t, l.foreign, "")

	row = s.enrolled(t)
	l = s.logins(t, row.AccountKey)
	must(t, "DeleteTOTP", s.Store.DeleteTOTP(t.Context(), row.AccountKey, "", instant(time.Hour)))
	s.ended(t, l.kept, model.EndTwoFactor)
	s.ended(t, l.other, model.EndTwoFactor)
	s.ended(t, l.foreign, "")
}

func testLoginsKept(t *testing.T, s suite) {
	row := s.pending(t)
	l := s.logins(t, row.AccountKey)
	want(t, "DeleteTOTP", s.Store.DeleteTOTP(t.Context(), row.AccountKey, "", instant(0)), model.ErrNotFound)
	row.Pending, row.Secret, row.EnrolledAt = "another", "secret", instant(0)
	want(t, "EnrolTOTP", s.Store.EnrolTOTP(t.Context(), row, ""), model.ErrStale)
	s.ended(t, l.kept, "")
	s.ended(t, l.other, "")
}
