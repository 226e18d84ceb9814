package totp_test

import (
	"context"
	"encoding/base32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/racetest"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

func TestConfirmEnrols(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	key := by.Account.Key
	other, stranger := f.store.NewLogin(key), f.caller()
	secret := f.generate(t, by)
	if on, err := f.Enabled(t.Context(), key); on || err != nil {
		t.Errorf("Enabled after Generate = %t, %v, want false", on, err)
	}
	if len(f.events) != 0 || f.store.EndReason(other) != "" {
		t.Errorf("Generate did more than generate: %q", f.events)
	}
	code := totptest.Code(secret, f.at)
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, code), nil)
	if on, err := f.Enabled(t.Context(), key); !on || err != nil {
		t.Errorf("Enabled after Confirm = %t, %v, want true", on, err)
	}
	got := []model.EndReason{f.store.EndReason(by.LoginID), f.store.EndReason(other), f.store.EndReason(stranger.LoginID)}
	if want := []model.EndReason{"", model.EndTwoFactor, ""}; !slices.Equal(got, want) {
		t.Errorf("the caller's, its other and a stranger's login ended for %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"ended " + key, string(audit.TwoFactorEnabled)}, f.events); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
	// T-01: the code that enrolled cannot sign in again, the next one can.
	wantErr(t, "Check of the enrolling code", f.Check(t.Context(), key, code), totp.ErrWrongCode)
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of the next code", f.Check(t.Context(), key, totptest.Code(secret, f.at)), nil)
}

func TestPendingSecretExpires(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration
		want  error
	}{
		"it can be enrolled at once":              {0, nil},
		"it can be enrolled after ten minutes":    {10 * time.Minute, nil},
		"it is gone a millisecond after that":     {10*time.Minute + time.Millisecond, totp.ErrNoPending},
		"it stays gone when a day has passed":     {24 * time.Hour, totp.ErrNoPending},
		"a clock that was set back does not harm": {-time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			by := f.caller()
			secret := f.generate(t, by)
			f.at = f.at.Add(tt.after)
			wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), tt.want)
		})
	}
}

// T-07.
func TestOnlyTheIssuedSecretIsEnrolled(t *testing.T) {
	f := newFixture(t)
	by, stranger := f.caller(), f.caller()
	older, foreign := f.generate(t, by), f.generate(t, stranger)
	newest := f.generate(t, by)
	for name, secret := range map[string]string{
		"an older secret":                   older,
		"somebody else's secret":            foreign,
		"a secret of the client's choice":   rfcSecret,
		"a short secret":                    "GEZDGNBV",
		"an empty secret":                   "",
		"the beginning of the secret":       newest[:16],
		"the secret in lower case":          strings.ToLower(newest),
		"the secret with padding":           newest + "========",
		"the secret with a blank before it": " " + newest,
		"a secret that is not base32":       "!",
	} {
		code := totptest.Code(secret, f.at)
		wantErr(t, "Confirm of "+name, f.Confirm(t.Context(), by, secret, code), totp.ErrNoPending)
	}
	nobody := f.caller()
	err := f.Confirm(t.Context(), nobody, newest, totptest.Code(newest, f.at))
	wantErr(t, "Confirm before Generate", err, totp.ErrNoPending)
	if len(f.events) != 0 {
		t.Errorf("refusals told %q", f.events)
	}
	wantErr(t, "Confirm of the newest", f.Confirm(t.Context(), by, newest, totptest.Code(newest, f.at)), nil)
}

func TestConfirmRefusesWrongCodes(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	secret := f.generate(t, by)
	codes := malformedCodes(totptest.Code(secret, f.at))
	codes["a code two steps old"] = totptest.Code(secret, f.at.Add(-time.Minute))
	codes["a code two steps early"] = totptest.Code(secret, f.at.Add(time.Minute))
	codes["another secret's code"] = totptest.Code(rfcSecret, f.at)
	for name, code := range codes {
		err := f.Confirm(t.Context(), by, secret, code)
		wantErr(t, "Confirm with "+name, err, totp.ErrWrongEnrolCode)
		if kind := fault.Of(err).Kind; kind != fault.Invalid {
			t.Errorf("the kind of a wrong code is %d, want %d", kind, fault.Invalid)
		}
	}
	wantErr(t, "Confirm at last", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
}

func TestEnrolledFactorStays(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	secret := f.generate(t, by)
	code := totptest.Code(secret, f.at)
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, code), nil)
	f.at = f.at.Add(30 * time.Second)
	_, err := f.Generate(t.Context(), by, "Files")
	wantErr(t, "Generate", err, totp.ErrEnabled)
	code = totptest.Code(secret, f.at)
	wantErr(t, "Confirm again", f.Confirm(t.Context(), by, secret, code), totp.ErrEnabled)
	wantErr(t, "Check of the code that was refused", f.Check(t.Context(), by.Account.Key, code), nil)
}

func TestGuestsHaveNoFactor(t *testing.T) {
	f := newFixture(t)
	guest := access.Caller{Account: &access.Account{Key: "guest", RoleIDs: []int64{model.RoleGuest}}}
	_, err := f.Generate(t.Context(), guest, "Files")
	wantErr(t, "Generate", err, totp.ErrGuest)
	wantErr(t, "Confirm", f.Confirm(t.Context(), guest, rfcSecret, "123456"), totp.ErrGuest)
}

func TestConfirmLosesRaces(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, f *fixture, by access.Caller, secret string)
		want      error
	}{
		"a newer secret was issued meanwhile": {func(t *testing.T, f *fixture, by access.Caller, _ string) {
			f.generate(t, by)
		}, totp.ErrNoPending},
		"the factor was enrolled meanwhile": {func(t *testing.T, f *fixture, by access.Caller, secret string) {
			wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
		}, totp.ErrEnabled},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			by := f.caller()
			secret := f.generate(t, by)
			svc := f.on(hooked{Store: f.store, beforeEnrol: func() { tt.meanwhile(t, f, by, secret) }})
			wantErr(t, "Confirm", svc.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), tt.want)
		})
	}
}

func TestParallelConfirmsEnrolOnce(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	secret := f.generate(t, by)
	code := totptest.Code(secret, f.at)
	racetest.Once(t, 16, totp.ErrEnabled, func(int) error { return f.Confirm(t.Context(), by, secret, code) })
}

func TestRemove(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	key := by.Account.Key
	wantErr(t, "Remove of nothing", f.Remove(t.Context(), key, ""), nil)
	if len(f.events) != 0 || f.store.EndReason(by.LoginID) != "" {
		t.Errorf("Remove of nothing told %q", f.events)
	}
	secret := f.generate(t, by)
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
	f.events = nil
	other := f.store.NewLogin(key)
	wantErr(t, "Remove", f.Remove(t.Context(), key, by.LoginID), nil)
	if on, err := f.Enabled(t.Context(), key); on || err != nil {
		t.Errorf("Enabled after Remove = %t, %v, want false", on, err)
	}
	got := []model.EndReason{f.store.EndReason(by.LoginID), f.store.EndReason(other)}
	if want := []model.EndReason{"", model.EndTwoFactor}; !slices.Equal(got, want) {
		t.Errorf("the kept and the other login ended for %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"ended " + key, string(audit.TwoFactorRemoved)}, f.events); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
	err := f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at))
	wantErr(t, "Confirm of the removed secret", err, totp.ErrNoPending)
}

// T-06: 160 bits, never twice, and nothing readable in the row.
func TestSecretsAreRandomAndSealed(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for range 8 {
		by := f.caller()
		secret := f.generate(t, by)
		raw, err := base32.StdEncoding.DecodeString(secret)
		if err != nil || len(raw) != 20 || len(secret) != 32 || seen[secret] {
			t.Fatalf("secret %q: %d bytes, %v, seen before: %t", secret, len(raw), err, seen[secret])
		}
		seen[secret] = true
		f.sealedAtRest(t, by.Account.Key, secret, string(raw))
		wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
		f.sealedAtRest(t, by.Account.Key, secret, string(raw))
	}
}

func (f *fixture) sealedAtRest(t *testing.T, accountKey string, readable ...string) {
	t.Helper()
	row, err := f.store.TOTP(t.Context(), accountKey)
	if err != nil || row.Secret+row.Pending == "" {
		t.Fatalf("TOTP = %+v, %v, want a row with a secret", row, err)
	}
	for _, text := range readable {
		if strings.Contains(row.Secret, text) || strings.Contains(row.Pending, text) {
			t.Errorf("the row shows %q", text)
		}
	}
}

func TestFaultsOfTheStoreAreNotTheCallers(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	secret := f.generate(t, by)
	svc := f.on(hooked{Store: f.store, fail: errBroken})
	_, err := svc.Enabled(t.Context(), by.Account.Key)
	wantErr(t, "Enabled", err, errBroken)
	err = svc.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at))
	wantErr(t, "Confirm", err, errBroken)
}

// gone is a store whose accounts were deleted while somebody enrolled.
type gone struct{ *totptest.Store }

func (gone) SavePendingTOTP(context.Context, string, string, model.Time) error { return model.ErrStale }

func TestNothingIsIssuedToADeletedAccount(t *testing.T) {
	f := newFixture(t)
	e, err := f.on(gone{f.store}).Generate(t.Context(), f.caller(), "Latchkey")
	wantErr(t, "Generate", err, totp.ErrGone)
	if e != (totp.Enrolment{}) || fault.Of(err).Kind != fault.Unauthenticated {
		t.Errorf("Generate = %+v, %v", e, err)
	}
}
