package totp_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/fault"
	"latchkey/service/racetest"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

// The secret of RFC 6238 appendix B, as bytes and in base32.
const (
	rfcKey    = "12345678901234567890"
	rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

// codeAt is the code of a step by the words of RFC 4226 5.3, so that the tests
// do not believe the library.
func codeAt(step int64) string {
	mac := hmac.New(sha1.New, []byte(rfcKey))
	if err := binary.Write(mac, binary.BigEndian, step); err != nil {
		panic(err)
	}
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// T-03: RFC 6238 appendix B, SHA1, the last six of its eight digits.
func TestRFC6238Vectors(t *testing.T) {
	for seconds, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		f := newFixture(t)
		f.at = time.Unix(seconds, 0)
		key := f.enrolSecret(t, rfcSecret)
		wantErr(t, fmt.Sprintf("Check(%s) at %d", code, seconds), f.Check(t.Context(), key, code), nil)
		if got := codeAt(seconds / 30); got != code {
			t.Errorf("the tests' own code at %d is %s, want %s", seconds, got, code)
		}
	}
}

// T-03.
func TestWindow(t *testing.T) {
	for name, tt := range map[string]struct {
		offset int64
		want   error
	}{
		"two steps early is refused":  {2, totp.ErrWrongCode},
		"one step early is accepted":  {1, nil},
		"the current one is accepted": {0, nil},
		"one step late is accepted":   {-1, nil},
		"two steps late is refused":   {-2, totp.ErrWrongCode},
	} {
		t.Run(name, func(t *testing.T) {
			const step = 1000
			for _, second := range []int64{0, 29} { // both ends of the step
				f := newFixture(t)
				f.at = time.Unix(step*30+second, 0)
				key := f.enrolSecret(t, rfcSecret)
				wantErr(t, "Check", f.Check(t.Context(), key, codeAt(step+tt.offset)), tt.want)
			}
		})
	}
}

// T-01.
func TestCheckTakesOnlyLaterSteps(t *testing.T) {
	const step = 1000
	f := newFixture(t)
	f.at = time.Unix(step*30, 0)
	key := f.enrolSecret(t, rfcSecret)
	for _, c := range []struct {
		name string
		step int64
		want error
	}{
		{"a fresh code", step, nil},
		{"the same code again", step, totp.ErrWrongCode},
		{"an older code of the window", step - 1, totp.ErrWrongCode},
		{"a newer code", step + 1, nil},
		{"the newer code again", step + 1, totp.ErrWrongCode},
		{"the first code after the newer", step, totp.ErrWrongCode},
	} {
		wantErr(t, c.name, f.Check(t.Context(), key, codeAt(c.step)), c.want)
	}
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "the newer code when its step has come", f.Check(t.Context(), key, codeAt(step+1)), totp.ErrWrongCode)
	wantErr(t, "the next code", f.Check(t.Context(), key, codeAt(step+2)), nil)
}

// Two steps of a window can have the same code; it is spent for both at once.
func TestCodeOfTwoStepsWorksOnce(t *testing.T) {
	const step = 153567 // found by search: the first whose code comes again two steps later
	if codeAt(step) != codeAt(step+2) {
		t.Fatalf("codes %s and %s differ", codeAt(step), codeAt(step+2))
	}
	f := newFixture(t)
	f.at = time.Unix((step+1)*30, 0)
	key := f.enrolSecret(t, rfcSecret)
	wantErr(t, "first use", f.Check(t.Context(), key, codeAt(step)), nil)
	for range 3 {
		wantErr(t, "second use", f.Check(t.Context(), key, codeAt(step)), totp.ErrWrongCode)
		f.at = f.at.Add(30 * time.Second)
	}
}

// T-02: one success per code over parallel calls.
func TestParallelChecksOfOneCodeSucceedOnce(t *testing.T) {
	f := newFixture(t)
	key := f.enrolSecret(t, rfcSecret)
	code := totptest.Code(rfcSecret, f.at)
	racetest.Once(t, 100, totp.ErrWrongCode, func(int) error { return f.Check(t.Context(), key, code) })
}

func malformedCodes(code string) map[string]string {
	shift := func(zero rune) string {
		return strings.Map(func(r rune) rune { return r - '0' + zero }, code)
	}
	return map[string]string{
		"full-width digits":       shift('０'),
		"Arabic digits":           shift('٠'),
		"three Arabic digits":     shift('٠')[:6],
		"a blank before":          " " + code,
		"a blank after":           code + " ",
		"a newline after":         code + "\n",
		"a blank for a digit":     " " + code[1:],
		"a NUL after":             code + "\x00",
		"five digits":             code[:5],
		"seven digits":            code + "0",
		"a zero before":           "0" + code,
		"a sign":                  "+" + code[1:],
		"hexadecimal":             "0x" + code[2:],
		"nothing":                 "",
		"two codes":               code + "," + code,
		"a megabyte of the digit": strings.Repeat(code[:1], 1<<20),
	}
}

// T-04. The store fails when it is touched.
func TestMalformedCodesAreRefusedUnread(t *testing.T) {
	f := newFixture(t)
	key := f.enrolSecret(t, rfcSecret)
	svc := f.on(hooked{Store: f.store, fail: errBroken})
	for name, code := range malformedCodes(totptest.Code(rfcSecret, f.at)) {
		wantErr(t, "Check of "+name, svc.Check(t.Context(), key, code), totp.ErrWrongCode)
	}
	wantErr(t, "Check of the code itself", svc.Check(t.Context(), key, totptest.Code(rfcSecret, f.at)), errBroken)
	wantErr(t, "Check on a whole store", f.Check(t.Context(), key, totptest.Code(rfcSecret, f.at)), nil)
}

func TestCheckWithoutFactor(t *testing.T) {
	f := newFixture(t)
	by := f.caller()
	wantErr(t, "Check without a row", f.Check(t.Context(), by.Account.Key, "123456"), totp.ErrWrongCode)
	secret := f.generate(t, by)
	err := f.Check(t.Context(), by.Account.Key, totptest.Code(secret, f.at))
	wantErr(t, "Check of a pending secret's code", err, totp.ErrWrongCode)
	if kind := fault.Of(err).Kind; kind != fault.CodeRequired {
		t.Errorf("the kind of a wrong code is %d, want %d", kind, fault.CodeRequired)
	}
}

// A row copied from another account, or from pending to enrolled, is a fault
// of ours and never opens.
func TestSealedSecretIsBoundToItsPlace(t *testing.T) {
	f := newFixture(t)
	for name, aad := range map[string]string{
		"another account's": "totp|secret|somebody",
		"a pending one":     "totp|pending|",
	} {
		key := f.store.NewAccount()
		if strings.HasSuffix(aad, "|") {
			aad += key
		}
		sealed, err := f.sealer.Seal(aad, []byte(rfcSecret))
		if err != nil {
			t.Fatalf("Seal: %v", err)
		}
		row := model.TOTP{AccountKey: key, Secret: sealed, Pending: "x", PendingAt: model.At(f.at)}
		if err := f.store.SavePendingTOTP(t.Context(), key, row.Pending, row.PendingAt); err != nil {
			t.Fatalf("SavePendingTOTP: %v", err)
		}
		if err := f.store.EnrolTOTP(t.Context(), row, ""); err != nil {
			t.Fatalf("EnrolTOTP: %v", err)
		}
		err = f.Check(t.Context(), key, totptest.Code(rfcSecret, f.at))
		if err == nil || fault.Of(err).Kind != fault.Internal {
			t.Errorf("Check with %s secret = %v, want an internal failure", name, err)
		}
	}
}

func TestEnrolledSecretIsNoPendingOne(t *testing.T) {
	f := newFixture(t)
	for aad, opens := range map[string]bool{"totp|pending|": true, "totp|secret|": false} {
		by := f.caller()
		sealed, err := f.sealer.Seal(aad+by.Account.Key, []byte(rfcSecret))
		if err != nil {
			t.Fatalf("Seal: %v", err)
		}
		if err := f.store.SavePendingTOTP(t.Context(), by.Account.Key, sealed, model.At(f.at)); err != nil {
			t.Fatalf("SavePendingTOTP: %v", err)
		}
		err = f.Confirm(t.Context(), by, rfcSecret, totptest.Code(rfcSecret, f.at))
		if opens != (err == nil) || !opens && fault.Of(err).Kind != fault.Internal {
			t.Errorf("Confirm of a secret sealed as %s = %v, does it open: %t", aad, err, opens)
		}
	}
}

func FuzzCheckCode(f *testing.F) {
	f.Add("287082", int64(59))
	f.Add("287082", int64(0))
	f.Add("", int64(59))
	f.Add("28708２", int64(59))
	f.Add(" 287082", int64(59))
	f.Add("000000", int64(-1))
	f.Add("353130", int64(20000000000))
	f.Fuzz(func(t *testing.T, code string, seconds int64) {
		seconds %= 1 << 40 // about 35,000 years either side
		x := newFixture(t)
		x.at = time.Unix(seconds, 0)
		key := x.enrolSecret(t, rfcSecret)
		good := false
		for step := seconds/30 - 1; step <= seconds/30+1; step++ {
			good = good || step > 0 && codeAt(step) == code
		}
		err := x.Check(t.Context(), key, code)
		if good && err != nil || !good && !errors.Is(err, totp.ErrWrongCode) {
			t.Fatalf("Check(%q) at %d = %v, is it a code of the window: %t", code, seconds, err, good)
		}
		if err := x.Check(t.Context(), key, code); !errors.Is(err, totp.ErrWrongCode) {
			t.Fatalf("Check(%q) again = %v, want %v", code, err, totp.ErrWrongCode)
		}
	})
}
