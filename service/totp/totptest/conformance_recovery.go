package totptest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/racetest"
)

// set is an account's codes of these hashes, which must be in order.
func set(accountKey string, hashes ...string) []model.RecoveryCode {
	rows := make([]model.RecoveryCode, len(hashes))
	for i, h := range hashes {
		rows[i] = model.RecoveryCode{AccountKey: accountKey, Hash: h, CreatedAt: instant(time.Minute)}
	}
	return rows
}

// renewed is an account with a factor and three codes: a, b and c.
func (s suite) renewed(t *testing.T) model.TOTP {
	t.Helper()
	row := s.enrolled(t)
	must(t, "RenewRecoveryCodes", s.Store.RenewRecoveryCodes(t.Context(), row.AccountKey, "", set(row.AccountKey, "a", "b", "c")))
	return row
}

func (s suite) has(t *testing.T, accountKey string, want ...model.RecoveryCode) {
	t.Helper()
	got, err := s.Store.RecoveryCodes(t.Context(), accountKey)
	must(t, "RecoveryCodes", err)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the codes differ (-want +got):\n%s", diff)
	}
}

func (s suite) use(t *testing.T, accountKey, hash string, wantLeft int64, wantErr error) {
	t.Helper()
	left, err := s.Store.UseRecoveryCode(t.Context(), accountKey, hash, instant(time.Hour))
	want(t, "UseRecoveryCode", err, wantErr)
	if left != wantLeft {
		t.Errorf("%d codes are left after %s, want %d", left, hash, wantLeft)
	}
}

func testRenew(t *testing.T, s suite) {
	row, other := s.renewed(t), s.renewed(t)
	s.use(t, row.AccountKey, "a", 2, nil)
	newer := set(row.AccountKey, "b", "d") // b again: a set owes nothing to the one before
	must(t, "RenewRecoveryCodes", s.Store.RenewRecoveryCodes(t.Context(), row.AccountKey, "", newer))
	s.has(t, row.AccountKey, newer...)
	s.has(t, other.AccountKey, set(other.AccountKey, "a", "b", "c")...)
	s.use(t, row.AccountKey, "c", 0, model.ErrStale)
	s.is(t, row)
}

func testRenewNeedsFactor(t *testing.T, s suite) {
	for name, key := range map[string]string{"without a row": s.NewAccount(t), "with a pending secret": s.pending(t).AccountKey} {
		err := s.Store.RenewRecoveryCodes(t.Context(), key, "", set(key, "a"))
		want(t, "RenewRecoveryCodes "+name, err, model.ErrNotFound)
		s.has(t, key)
	}
}

func testUse(t *testing.T, s suite) {
	row, other := s.renewed(t), s.renewed(t)
	s.use(t, row.AccountKey, "b", 2, nil)
	s.use(t, row.AccountKey, "b", 0, model.ErrStale)
	s.use(t, row.AccountKey, "d", 0, model.ErrStale)
	s.use(t, row.AccountKey, "c", 1, nil)
	s.use(t, row.AccountKey, "a", 0, nil)
	s.use(t, s.NewAccount(t), "a", 0, model.ErrStale)
	spent := set(row.AccountKey, "a", "b", "c")
	for i := range spent {
		spent[i].UsedAt = instant(time.Hour)
	}
	s.has(t, row.AccountKey, spent...)
	s.has(t, other.AccountKey, set(other.AccountKey, "a", "b", "c")...)
}

// T-10: 16 parallel uses of one code, 1 success.
func testUseOnce(t *testing.T, s suite) {
	row := s.renewed(t)
	racetest.Once(t, 16, model.ErrStale, func(int) error {
		_, err := s.Store.UseRecoveryCode(t.Context(), row.AccountKey, "a", instant(time.Hour))
		return err
	})
}

// A code that is used while the set is renewed is one of the old set or none.
func testUseWhileRenewed(t *testing.T, s suite) {
	row := s.renewed(t)
	newer := set(row.AccountKey, "x", "y")
	racetest.AtOnce(2, func(i int) {
		if i == 0 {
			if err := s.Store.RenewRecoveryCodes(t.Context(), row.AccountKey, "", newer); err != nil {
				t.Errorf("RenewRecoveryCodes = %v", err)
			}
			return
		}
		left, err := s.Store.UseRecoveryCode(t.Context(), row.AccountKey, "a", instant(time.Hour))
		if err == nil && left != 2 {
			t.Errorf("%d codes are left, want 2", left)
		} else if err != nil {
			want(t, "UseRecoveryCode", err, model.ErrStale)
		}
	})
	s.has(t, row.AccountKey, newer...)
}

func testCodesEndWithTheFactor(t *testing.T, s suite) {
	row, other := s.renewed(t), s.renewed(t)
	must(t, "DeleteTOTP", s.Store.DeleteTOTP(t.Context(), row.AccountKey, "", instant(time.Hour)))
	s.has(t, row.AccountKey)
	s.use(t, row.AccountKey, "a", 0, model.ErrStale)
	s.has(t, other.AccountKey, set(other.AccountKey, "a", "b", "c")...)

	row = s.replaced(t, other, "")
	s.has(t, row.AccountKey)
	s.use(t, row.AccountKey, "a", 0, model.ErrStale)
}

// replaced puts another secret in the place of the enrolled one, whose last
// step is 50.
func (s suite) replaced(t *testing.T, row model.TOTP, keepLogin string) model.TOTP {
	t.Helper()
	row.Pending, row.PendingAt = "replacement of "+row.AccountKey, instant(2*time.Minute)
	must(t, "SaveReplacementTOTP", s.Store.SaveReplacementTOTP(t.Context(), row))
	s.is(t, row)
	next := row
	next.Secret, next.EnrolledAt, next.LastStep = "next secret of "+row.AccountKey, instant(3*time.Minute), 50
	must(t, "EnrolTOTP", s.Store.EnrolTOTP(t.Context(), next, keepLogin))
	return s.row(t, row.AccountKey)
}

func testReplace(t *testing.T, s suite) {
	old, other := s.enrolled(t), s.enrolled(t)
	must(t, "ClaimTOTPStep", s.Store.ClaimTOTPStep(t.Context(), old, 120))
	old.LastStep = 120
	got := s.replaced(t, old, "")
	want(t, "ClaimTOTPStep of the old secret", s.Store.ClaimTOTPStep(t.Context(), old, 200), model.ErrStale)
	want(t, "ClaimTOTPStep of the proof's step", s.Store.ClaimTOTPStep(t.Context(), got, 50), model.ErrStale)
	must(t, "ClaimTOTPStep of the next step", s.Store.ClaimTOTPStep(t.Context(), got, 51))
	s.is(t, model.TOTP{AccountKey: old.AccountKey, Secret: "next secret of " + old.AccountKey, EnrolledAt: instant(3 * time.Minute), LastStep: 51})
	s.is(t, other)
}

func testReplacementStale(t *testing.T, s suite) {
	row := s.enrolled(t)
	for name, change := range map[string]func(*model.TOTP){
		"another secret":        func(r *model.TOTP) { r.Secret = "another" },
		"no secret":             func(r *model.TOTP) { r.Secret = "" },
		"somebody else's":       func(r *model.TOTP) { r.AccountKey = s.enrolled(t).AccountKey },
		"a pending one":         func(r *model.TOTP) { *r = s.pending(t); r.Pending = "newer" },
		"an account without it": func(r *model.TOTP) { r.AccountKey = s.NewAccount(t) },
	} {
		changed := row
		changed.Pending, changed.PendingAt = "replacement", instant(time.Minute)
		change(&changed)
		want(t, "SaveReplacementTOTP with "+name, s.Store.SaveReplacementTOTP(t.Context(), changed), model.ErrStale)
	}
	s.is(t, row)
}
