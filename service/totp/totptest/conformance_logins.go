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
	if s.NewLogin == nil || s.EndLogin == nil || s.EndReason == nil {
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

func testReplaceLogins(t *testing.T, s suite) {
	row := s.enrolled(t)
	l := s.logins(t, row.AccountKey)
	s.replaced(t, row, l.kept)
	s.ended(t, l.kept, "")
	s.ended(t, l.other, model.EndTwoFactor)
	s.ended(t, l.foreign, "")
}

// A device that was thrown out while its request was under way changes nothing.
func testEndedLogins(t *testing.T, s suite) {
	pending, enrolled := s.pending(t), s.renewed(t)
	for name, end := range map[string]func(t *testing.T, accountKey string) string{
		"an ended login": func(t *testing.T, accountKey string) string {
			l := s.logins(t, accountKey)
			s.EndLogin(t, accountKey, l.kept)
			return l.kept
		},
		"a login that is not there": func(*testing.T, string) string { return "00000000000000000000000000000000" },
	} {
		row, gone := pending, end(t, pending.AccountKey)
		row.Secret, row.EnrolledAt = "secret", instant(time.Minute)
		want(t, "EnrolTOTP by "+name, s.Store.EnrolTOTP(t.Context(), row, gone), model.ErrStale)
		s.is(t, pending)

		gone = end(t, enrolled.AccountKey)
		err := s.Store.DeleteTOTP(t.Context(), enrolled.AccountKey, gone, instant(time.Hour))
		want(t, "DeleteTOTP by "+name, err, model.ErrStale)
		err = s.Store.RenewRecoveryCodes(t.Context(), enrolled.AccountKey, gone, set(enrolled.AccountKey, "x"))
		want(t, "RenewRecoveryCodes by "+name, err, model.ErrStale)
		s.is(t, enrolled)
		s.has(t, enrolled.AccountKey, set(enrolled.AccountKey, "a", "b", "c")...)
	}
	admin := s.NewLogin(t, s.NewAccount(t)) // an admin takes somebody else's factor away
	must(t, "DeleteTOTP by an admin", s.Store.DeleteTOTP(t.Context(), enrolled.AccountKey, admin, instant(time.Hour)))
	s.ended(t, admin, "")
}

// One sign-in cannot finish on the terms of before: the epoch it began with is
// not the account's any more.
func testEpochs(t *testing.T, s suite) {
	if s.Epoch == nil {
		t.Skip("the harness has no epochs")
	}
	row := s.pending(t)
	rises := func(what string, act func()) {
		before := s.Epoch(t, row.AccountKey)
		act()
		if after := s.Epoch(t, row.AccountKey); after <= before {
			t.Errorf("%s: the epoch was %d and is %d, want more", what, before, after)
		}
	}
	rises("enrolling", func() {
		next := row
		next.Secret, next.EnrolledAt, next.LastStep = "secret", instant(time.Minute), 7
		must(t, "EnrolTOTP", s.Store.EnrolTOTP(t.Context(), next, ""))
		row = s.row(t, row.AccountKey)
	})
	rises("replacing", func() { row = s.replaced(t, row, "") })
	rises("deleting", func() {
		must(t, "DeleteTOTP", s.Store.DeleteTOTP(t.Context(), row.AccountKey, "", instant(time.Hour)))
	})
}
