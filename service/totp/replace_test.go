package totp_test

import (
	"slices"
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

func (f *fixture) replacement(t *testing.T, by access.Caller) string {
	t.Helper()
	made, err := f.GenerateReplacement(t.Context(), by, "Files")
	if err != nil {
		t.Fatalf("GenerateReplacement: %v", err)
	}
	return made.Secret
}

func TestReplacementTakesTheOldFactorsPlace(t *testing.T) {
	f := newFixture(t)
	by, old := f.enrolled(t)
	key := by.Account.Key
	codes := f.renew(t, by)
	other := f.store.NewLogin(key)
	f.events = nil

	next := f.replacement(t, by)
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of the old factor while one is pending", f.Check(t.Context(), key, totptest.Code(old, f.at)), nil)
	wantErr(t, "Check of the pending one", f.Check(t.Context(), key, totptest.Code(next, f.at)), totp.ErrWrongCode)
	f.at = f.at.Add(time.Minute)
	code := totptest.Code(next, f.at)
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, next, code), nil)
	if diff := cmp.Diff([]string{"ended " + key, string(audit.TwoFactorEnabled)}, f.events); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
	if is := f.last.Detail[0]; is.Key != "replaced" || !is.Value.Bool() {
		t.Errorf("audited %+v, want that a factor was replaced", f.last)
	}
	got := []model.EndReason{f.store.EndReason(by.LoginID), f.store.EndReason(other)}
	if want := []model.EndReason{"", model.EndTwoFactor}; !slices.Equal(got, want) {
		t.Errorf("the caller's and its other login ended for %q, want %q", got, want)
	}

	wantErr(t, "Check of the code of the proof", f.Check(t.Context(), key, code), totp.ErrWrongCode)
	wantErr(t, "Check of the old factor", f.Check(t.Context(), key, totptest.Code(old, f.at)), totp.ErrWrongCode)
	wantErr(t, "Check of an old recovery code", f.Check(t.Context(), key, codes[0]), totp.ErrWrongCode)
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of the next code", f.Check(t.Context(), key, totptest.Code(next, f.at)), nil)
	wantErr(t, "Confirm again", f.Confirm(t.Context(), by, next, totptest.Code(next, f.at)), totp.ErrEnabled)
}

// The old factor's last step may lie ahead of the new one's first.
func TestReplacementStartsAtTheStepOfItsProof(t *testing.T) {
	f := newFixture(t)
	by, old := f.enrolled(t)
	wantErr(t, "Check of the old factor, one step early", f.Check(t.Context(), by.Account.Key, totptest.Code(old, f.at.Add(30*time.Second))), nil)
	next := f.replacement(t, by)
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, next, totptest.Code(next, f.at.Add(-30*time.Second))), nil)
	wantErr(t, "Check of this step's code", f.Check(t.Context(), by.Account.Key, totptest.Code(next, f.at)), nil)
}

// T-08: a stolen session is not enough.
func TestFactorIsChangedOnlyByFreshCallers(t *testing.T) {
	f := newFixture(t)
	by, secret := f.enrolled(t)
	next := f.replacement(t, by)
	stale, static := by, by
	stale.FreshAt = f.at.Add(-10 * time.Minute)
	static.Kind, static.LoginID, static.DeviceKey = access.StaticToken, "", ""
	never := by
	never.FreshAt = time.Time{}
	for name, by := range map[string]access.Caller{"a stale": stale, "the static token's": static, "a delegated": never} {
		_, err := f.GenerateReplacement(t.Context(), by, "Files")
		wantErr(t, "GenerateReplacement by "+name+" caller", err, access.ErrNotFresh)
		err = f.Confirm(t.Context(), by, next, totptest.Code(next, f.at))
		wantErr(t, "Confirm by "+name+" caller", err, access.ErrNotFresh)
		wantErr(t, "Disable by "+name+" caller", f.Disable(t.Context(), by), access.ErrNotFresh)
		codes, err := f.RenewRecoveryCodes(t.Context(), by)
		wantErr(t, "RenewRecoveryCodes by "+name+" caller", err, access.ErrNotFresh)
		if codes != nil || fault.Of(err).Kind != fault.Forbidden {
			t.Errorf("RenewRecoveryCodes by %s caller = %q, %v", name, codes, err)
		}
	}
	_, err := f.Generate(t.Context(), by, "Files")
	wantErr(t, "Generate without asking for a replacement", err, totp.ErrEnabled)
	if len(f.events) != 0 {
		t.Errorf("refusals told %q", f.events)
	}
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of the factor that stayed", f.Check(t.Context(), by.Account.Key, totptest.Code(secret, f.at)), nil)
	wantErr(t, "Confirm by the fresh caller", f.Confirm(t.Context(), by, next, totptest.Code(next, f.at)), nil)
}

func TestNothingToChange(t *testing.T) {
	f := newFixture(t)
	by := f.fresh()
	wantErr(t, "Disable", f.Disable(t.Context(), by), totp.ErrNotEnabled)
	_, err := f.RenewRecoveryCodes(t.Context(), by)
	wantErr(t, "RenewRecoveryCodes", err, totp.ErrNotEnabled)
	secret := f.replacement(t, by) // there is nothing to replace: it is a first one
	stale := by
	stale.FreshAt = time.Time{}
	wantErr(t, "Confirm of a first factor", f.Confirm(t.Context(), stale, secret, totptest.Code(secret, f.at)), nil)
	guest := access.Caller{Account: &access.Account{Key: "guest", RoleIDs: []int64{model.RoleGuest}}}
	wantErr(t, "Disable by a guest", f.Disable(t.Context(), guest), totp.ErrGuest)
	_, err = f.RenewRecoveryCodes(t.Context(), guest)
	wantErr(t, "RenewRecoveryCodes by a guest", err, totp.ErrGuest)
	_, err = f.GenerateReplacement(t.Context(), guest, "Files")
	wantErr(t, "GenerateReplacement by a guest", err, totp.ErrGuest)
}

func TestDisableKeepsTheCaller(t *testing.T) {
	f := newFixture(t)
	by, secret := f.enrolled(t)
	key := by.Account.Key
	other := f.store.NewLogin(key)
	wantErr(t, "Disable", f.Disable(t.Context(), by), nil)
	got := []model.EndReason{f.store.EndReason(by.LoginID), f.store.EndReason(other)}
	if want := []model.EndReason{"", model.EndTwoFactor}; !slices.Equal(got, want) {
		t.Errorf("the caller's and its other login ended for %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"ended " + key, string(audit.TwoFactorRemoved)}, f.events); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of the old factor", f.Check(t.Context(), key, totptest.Code(secret, f.at)), totp.ErrWrongCode)
	wantErr(t, "Disable again", f.Disable(t.Context(), by), totp.ErrNotEnabled)
}

// An evicted device changes nothing, however long its request was under way.
func TestEndedCallersChangeNothing(t *testing.T) {
	f := newFixture(t)
	newcomer := f.fresh()
	first := f.generate(t, newcomer)
	f.store.EndLogin(newcomer.LoginID)
	err := f.Confirm(t.Context(), newcomer, first, totptest.Code(first, f.at))
	wantErr(t, "Confirm", err, totp.ErrEnded)

	by, secret := f.enrolled(t)
	next := f.replacement(t, by)
	f.store.EndLogin(by.LoginID)
	wantErr(t, "Confirm of a replacement", f.Confirm(t.Context(), by, next, totptest.Code(next, f.at)), totp.ErrEnded)
	wantErr(t, "Disable", f.Disable(t.Context(), by), totp.ErrEnded)
	wantErr(t, "Remove", f.Remove(t.Context(), newcomer.Account.Key, by.LoginID), totp.ErrEnded)
	codes, err := f.RenewRecoveryCodes(t.Context(), by)
	wantErr(t, "RenewRecoveryCodes", err, totp.ErrEnded)
	if codes != nil || len(f.events) != 0 {
		t.Errorf("codes %q, events %q, want none", codes, f.events)
	}
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of the factor that stayed", f.Check(t.Context(), by.Account.Key, totptest.Code(secret, f.at)), nil)
}

func TestParallelReplacementsReplaceOnce(t *testing.T) {
	f := newFixture(t)
	by, _ := f.enrolled(t)
	next := f.replacement(t, by)
	code := totptest.Code(next, f.at)
	racetest.Once(t, 16, totp.ErrEnabled, func(int) error { return f.Confirm(t.Context(), by, next, code) })
}

func TestReplacementsLoseRaces(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, f *fixture, by access.Caller)
		want      error
	}{
		"the factor was disabled meanwhile": {func(t *testing.T, f *fixture, by access.Caller) {
			wantErr(t, "Disable", f.Disable(t.Context(), by), nil)
		}, totp.ErrNoPending},
		"another replacement was issued meanwhile": {func(t *testing.T, f *fixture, by access.Caller) {
			f.replacement(t, by)
		}, totp.ErrNoPending},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			by, _ := f.enrolled(t)
			next := f.replacement(t, by)
			svc := f.on(hooked{Store: f.store, beforeEnrol: func() { tt.meanwhile(t, f, by) }})
			wantErr(t, "Confirm", svc.Confirm(t.Context(), by, next, totptest.Code(next, f.at)), tt.want)
		})
	}
}
