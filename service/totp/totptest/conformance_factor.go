package totptest

import (
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/racetest"
)

func testNoRow(t *testing.T, s suite) {
	s.pending(t) // somebody else's
	_, err := s.Store.TOTP(t.Context(), s.NewAccount(t))
	want(t, "TOTP", err, model.ErrNotFound)
}

func testPendingReplaced(t *testing.T, s suite) {
	row, other := s.pending(t), s.pending(t)
	row.Pending, row.PendingAt = "newer", instant(time.Second)
	must(t, "SavePendingTOTP", s.Store.SavePendingTOTP(t.Context(), row.AccountKey, row.Pending, row.PendingAt))
	s.is(t, row)
	s.is(t, other)
}

func testEnrol(t *testing.T, s suite) {
	row, other := s.pending(t), s.pending(t)
	row.Secret, row.EnrolledAt, row.LastStep = "secret", instant(time.Minute), 7
	must(t, "EnrolTOTP", s.Store.EnrolTOTP(t.Context(), row, ""))
	s.is(t, model.TOTP{AccountKey: row.AccountKey, Secret: "secret", EnrolledAt: instant(time.Minute), LastStep: 7})
	s.is(t, other)
}

func testEnrolStale(t *testing.T, s suite) {
	old := s.pending(t)
	for name, change := range map[string]func(*model.TOTP){
		"another secret":        func(r *model.TOTP) { r.Pending = "another" },
		"another time":          func(r *model.TOTP) { r.PendingAt = instant(time.Second) },
		"no secret":             func(r *model.TOTP) { r.Pending, r.PendingAt = "", model.Time{} },
		"somebody else's":       func(r *model.TOTP) { r.AccountKey = s.pending(t).AccountKey },
		"an account without it": func(r *model.TOTP) { r.AccountKey = s.NewAccount(t) },
	} {
		row := old
		row.Secret, row.EnrolledAt, row.LastStep = "secret", instant(time.Minute), 7
		change(&row)
		want(t, "EnrolTOTP with "+name, s.Store.EnrolTOTP(t.Context(), row, ""), model.ErrStale)
	}
	s.is(t, old)
}

func testEnrolOnce(t *testing.T, s suite) {
	row := s.pending(t)
	row.Secret, row.EnrolledAt, row.LastStep = "secret", instant(time.Minute), 7
	racetest.Once(t, 16, model.ErrStale, func(int) error { return s.Store.EnrolTOTP(t.Context(), row, "") })
}

func testPendingRefused(t *testing.T, s suite) {
	row := s.enrolled(t)
	err := s.Store.SavePendingTOTP(t.Context(), row.AccountKey, "pending", instant(time.Hour))
	want(t, "SavePendingTOTP", err, model.ErrConflict)
	s.is(t, row)
}

func testClaim(t *testing.T, s suite) {
	row, other := s.enrolled(t), s.enrolled(t)
	for _, c := range []struct {
		step int64
		want error
	}{{99, model.ErrStale}, {100, model.ErrStale}, {101, nil}, {101, model.ErrStale}, {100, model.ErrStale}, {103, nil}, {102, model.ErrStale}} {
		want(t, "ClaimTOTPStep", s.Store.ClaimTOTPStep(t.Context(), row, c.step), c.want)
	}
	row.LastStep = 103
	s.is(t, row)
	s.is(t, other)
}

func testClaimOnce(t *testing.T, s suite) {
	row := s.enrolled(t)
	racetest.Once(t, 16, model.ErrStale, func(int) error { return s.Store.ClaimTOTPStep(t.Context(), row, 101) })
}

func testClaimStale(t *testing.T, s suite) {
	row := s.enrolled(t)
	replaced := row
	replaced.Secret = "replaced"
	want(t, "ClaimTOTPStep of a replaced secret", s.Store.ClaimTOTPStep(t.Context(), replaced, 200), model.ErrStale)
	s.is(t, row)
	pending := s.pending(t)
	want(t, "ClaimTOTPStep of nothing enrolled", s.Store.ClaimTOTPStep(t.Context(), pending, 200), model.ErrStale)
	s.is(t, pending)
	absent := model.TOTP{AccountKey: s.NewAccount(t)}
	want(t, "ClaimTOTPStep without a row", s.Store.ClaimTOTPStep(t.Context(), absent, 200), model.ErrStale)
}

func testDelete(t *testing.T, s suite) {
	row, other := s.enrolled(t), s.enrolled(t)
	must(t, "DeleteTOTP", s.Store.DeleteTOTP(t.Context(), row.AccountKey, "", instant(time.Hour)))
	_, err := s.Store.TOTP(t.Context(), row.AccountKey)
	want(t, "TOTP", err, model.ErrNotFound)
	s.is(t, other)
	must(t, "SavePendingTOTP", s.Store.SavePendingTOTP(t.Context(), row.AccountKey, "again", instant(time.Hour)))
}

func testDeleteNothing(t *testing.T, s suite) {
	err := s.Store.DeleteTOTP(t.Context(), s.NewAccount(t), "", instant(0))
	want(t, "DeleteTOTP without a row", err, model.ErrNotFound)
	row := s.pending(t)
	err = s.Store.DeleteTOTP(t.Context(), row.AccountKey, "", instant(0))
	want(t, "DeleteTOTP of a pending secret", err, model.ErrNotFound)
	s.is(t, row)
}
