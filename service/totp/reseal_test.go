package totp_test

import (
	"context"
	"testing"

	"latchkey/model"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

// resealing seals every row anew whenever somebody has read it, as a rotation
// of keys may.
type resealing struct {
	*totptest.Store

	f     *fixture
	times int // how often
}

func (s *resealing) TOTP(ctx context.Context, accountKey string) (model.TOTP, error) {
	row, err := s.Store.TOTP(ctx, accountKey)
	if err != nil || s.times == 0 {
		return row, err
	}
	s.times--
	after := row
	for column, text := range map[string]*string{"secret": &after.Secret, "pending": &after.Pending} {
		if *text == "" {
			continue
		}
		aad := "totp|" + column + "|" + accountKey
		plain, err := s.f.sealer.Open(aad, *text)
		if err != nil {
			return row, err
		}
		if *text, err = s.f.sealer.Seal(aad, plain); err != nil {
			return row, err
		}
	}
	s.Replace(after)
	return row, nil
}

func TestCodeIsTakenWhileItsSecretIsSealedAnew(t *testing.T) {
	f := newFixture(t)
	key := f.enrolSecret(t, rfcSecret)
	svc := f.on(&resealing{Store: f.store, f: f, times: 3})
	code := totptest.Code(rfcSecret, f.at)
	wantErr(t, "Check", svc.Check(t.Context(), key, code), nil)
	again := f.on(&resealing{Store: f.store, f: f, times: 3})
	wantErr(t, "Check of a spent code", again.Check(t.Context(), key, code), totp.ErrWrongCode)
	wantErr(t, "Check of a spent code", f.Check(t.Context(), key, code), totp.ErrWrongCode)
}

func TestSecretIsEnrolledWhileItIsSealedAnew(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	secret := f.generate(t, by)
	svc := f.on(&resealing{Store: f.store, f: f, times: 3})
	wantErr(t, "Confirm", svc.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
	wantErr(t, "Confirm again", svc.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), totp.ErrEnabled)
}
