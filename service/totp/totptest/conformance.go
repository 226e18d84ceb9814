package totptest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/totp"
)

// Harness is a store and what must exist around it. Without NewLogin, EndLogin
// and EndReason the suite skips what it says about logins, without Epoch what it
// says about epochs.
type Harness struct {
	Store      totp.Store
	NewAccount func(t *testing.T) string                          // makes an account, returns its key
	NewLogin   func(t *testing.T, accountKey string) string       // makes a live login, returns its id
	EndLogin   func(t *testing.T, accountKey, loginID string)     // ends it, as evicting its device does
	Epoch      func(t *testing.T, accountKey string) int64        // the account's
	EndReason  func(t *testing.T, loginID string) model.EndReason // why it ended, empty while live
}

// Conformance is what every totp.Store must do.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, suite){
		"an account without a row is not found":                   testNoRow,
		"the newest pending secret replaces the older one":        testPendingReplaced,
		"enrolling stores the factor and drops the pending one":   testEnrol,
		"only the pending secret that was looked at is enrolled":  testEnrolStale,
		"a pending secret is enrolled once by parallel calls":     testEnrolOnce,
		"an enrolled factor refuses a pending secret":             testPendingRefused,
		"a step is claimed only if it is later than the last one": testClaim,
		"a step is claimed once by parallel calls":                testClaimOnce,
		"a step is claimed only for the enrolled secret":          testClaimStale,
		"deleting drops the factor":                               testDelete,
		"deleting needs an enrolled factor":                       testDeleteNothing,
		"enrolling and deleting end the account's other logins":   testLogins,
		"nothing ends when nothing is done":                       testLoginsKept,
		"a replacement works from its first step on":              testReplace,
		"a replacement belongs to the secret that was looked at":  testReplacementStale,
		"replacing ends the account's other logins":               testReplaceLogins,
		"a login that ended changes nothing":                      testEndedLogins,
		"every change of the factor raises the epoch":             testEpochs,
		"renewing recovery codes voids the older set":             testRenew,
		"there are recovery codes only beside a factor":           testRenewNeedsFactor,
		"a recovery code is used once":                            testUse,
		"a recovery code is used once by parallel calls":          testUseOnce,
		"a recovery code belongs to one set":                      testUseWhileRenewed,
		"recovery codes end with the factor":                      testCodesEndWithTheFactor,
	} {
		t.Run(name, func(t *testing.T) { test(t, suite{Harness: open(t)}) })
	}
}

// suite is the harness with the steps that the tests share.
type suite struct{ Harness }

// instant is when the suite's rows were made; stores keep whole milliseconds.
func instant(after time.Duration) model.Time {
	return model.At(time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC).Add(after))
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// must ends the test, so that later checks speak of the right state.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func (s suite) row(t *testing.T, accountKey string) model.TOTP {
	t.Helper()
	row, err := s.Store.TOTP(t.Context(), accountKey)
	must(t, "TOTP", err)
	return row
}

func (s suite) is(t *testing.T, want model.TOTP) {
	t.Helper()
	if diff := cmp.Diff(want, s.row(t, want.AccountKey)); diff != "" {
		t.Errorf("the row differs (-want +got):\n%s", diff)
	}
}

// pending makes an account with a pending secret and returns its row.
func (s suite) pending(t *testing.T) model.TOTP {
	t.Helper()
	key := s.NewAccount(t)
	must(t, "SavePendingTOTP", s.Store.SavePendingTOTP(t.Context(), key, "pending of "+key, instant(0)))
	return s.row(t, key)
}

// enrolled makes an account with a factor whose last step is 100.
func (s suite) enrolled(t *testing.T) model.TOTP {
	t.Helper()
	row := s.pending(t)
	row.Secret, row.EnrolledAt, row.LastStep = "secret of "+row.AccountKey, instant(time.Minute), 100
	must(t, "EnrolTOTP", s.Store.EnrolTOTP(t.Context(), row, ""))
	return s.row(t, row.AccountKey)
}
