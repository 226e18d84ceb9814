package totp_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/racetest"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

// fresh is a new account that signed in this moment.
func (f *fixture) fresh() access.Caller {
	by := f.caller()
	by.FreshAt = f.at
	return by
}

// enrolled is a fresh caller with a factor, and its secret. The code of the
// moment is spent.
func (f *fixture) enrolled(t *testing.T) (access.Caller, string) {
	t.Helper()
	by := f.fresh()
	secret := f.generate(t, by)
	if err := f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)); err != nil {
		t.Fatalf("Confirm: %v", err)
	}
	f.events, f.last = nil, audit.Event{}
	return by, secret
}

func (f *fixture) renew(t *testing.T, by access.Caller) []string {
	t.Helper()
	codes, err := f.RenewRecoveryCodes(t.Context(), by)
	if err != nil {
		t.Fatalf("RenewRecoveryCodes: %v", err)
	}
	return codes
}

// T-10: ten codes of 80 bits, no two alike, and nothing readable stored.
func TestRecoveryCodesAreRandomAndHashed(t *testing.T) {
	f := newFixture(t)
	form := regexp.MustCompile(`^[0-9abcdefghjkmnpqrstvwxyz]{4}(-[0-9abcdefghjkmnpqrstvwxyz]{4}){3}$`)
	seen, symbols := map[string]bool{}, map[rune]bool{}
	for range 20 {
		by, _ := f.enrolled(t)
		codes := f.renew(t, by)
		if len(codes) != 10 {
			t.Fatalf("%d codes, want 10", len(codes))
		}
		rows, err := f.store.RecoveryCodes(t.Context(), by.Account.Key)
		if err != nil || len(rows) != 10 {
			t.Fatalf("RecoveryCodes = %d rows, %v", len(rows), err)
		}
		for i, code := range codes {
			if !form.MatchString(code) || seen[code] {
				t.Errorf("code %q, seen before: %t", code, seen[code])
			}
			seen[code] = true
			plain := strings.ReplaceAll(code, "-", "")
			for _, r := range plain {
				symbols[r] = true
			}
			sum := sha256.Sum256([]byte("recovery|" + by.Account.Key + "|" + plain))
			if rows[i].Hash != hex.EncodeToString(sum[:]) || !rows[i].CreatedAt.Equal(f.at) || !rows[i].UsedAt.IsZero() {
				t.Errorf("row %+v of code %q", rows[i], code)
			}
		}
	}
	if len(symbols) != 32 { // 3,200 symbols: each is missing once in 10^44
		t.Errorf("%d different symbols, want 32", len(symbols))
	}
}

// T-10.
func TestRecoveryCodeWorksOnce(t *testing.T) {
	f := newFixture(t)
	by, secret := f.enrolled(t)
	key := by.Account.Key
	codes := f.renew(t, by)
	f.events = nil
	for i, code := range codes {
		wantErr(t, "Check of a code", f.Check(t.Context(), key, code), nil)
		if left := f.last.Detail[0]; f.last.Kind != audit.RecoveryUsed || f.last.AccountKey != key ||
			left.Key != "codes_left" || left.Value.Int64() != int64(9-i) {
			t.Errorf("audited %+v, want that %d codes are left", f.last, 9-i)
		}
		wantErr(t, "Check of the same code", f.Check(t.Context(), key, code), totp.ErrWrongCode)
	}
	if len(f.events) != 10 {
		t.Errorf("told %q, want ten uses", f.events)
	}
	f.at = f.at.Add(30 * time.Second)
	wantErr(t, "Check of a one-time code beside", f.Check(t.Context(), key, totptest.Code(secret, f.at)), nil)
}

func TestRecoveryCodesAreTypedAsPeopleType(t *testing.T) {
	f := newFixture(t)
	by, _ := f.enrolled(t)
	const letters = "abcd-0120-1efg-hjkm"
	plain := "abcd01201efghjkm"
	for _, typed := range []string{
		letters, plain, strings.ToUpper(letters), "  " + letters + " ", strings.ReplaceAll(letters, "-", " "),
		"abcd-o12O-iefg-hjkm", "ABCD-OL20-LEFG-HJKM", "abcd-0I20-Iefg-hjkm", "a-b-c-d-0-1-2-0-1-e-f-g-h-j-k-m", "abcd--0120--1efg--hjkm",
	} {
		sum := sha256.Sum256([]byte("recovery|" + by.Account.Key + "|" + plain))
		row := model.RecoveryCode{AccountKey: by.Account.Key, Hash: hex.EncodeToString(sum[:]), CreatedAt: model.At(f.at)}
		if err := f.store.RenewRecoveryCodes(t.Context(), by.Account.Key, "", []model.RecoveryCode{row}); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "Check of "+typed, f.Check(t.Context(), by.Account.Key, typed), nil)
	}
}

// untouched is a store that must not be asked.
type untouched struct {
	totp.Store
	t *testing.T
}

func (u untouched) TOTP(context.Context, string) (model.TOTP, error) {
	u.t.Error("the factor was read")
	return model.TOTP{}, model.ErrNotFound
}

func (u untouched) RecoveryCodes(context.Context, string) ([]model.RecoveryCode, error) {
	u.t.Error("the recovery codes were read")
	return nil, nil
}

// T-04, T-10: what cannot be a code costs the database nothing.
func TestMalformedRecoveryCodesAreRefusedUnread(t *testing.T) {
	f := newFixture(t)
	svc := f.on(untouched{t: t})
	const code = "abcd-0120-1efg-hjkm"
	for name, typed := range map[string]string{
		"a letter that is none":       "ubcd-0120-1efg-hjkm",
		"fifteen characters":          code[:18],
		"seventeen characters":        code + "n",
		"full-width letters":          "ａｂｃｄ-0120-1efg-hjkm",
		"full-width digits":           "abcd-０１２０-1efg-hjkm",
		"a letter that folds to k":    "abcd-0120-1efg-hj\u212am", // Kelvin
		"a long s":                    "abcd-0120-1efg-hj\u017fm",
		"a dash that is no hyphen":    "abcd\u20110120\u20111efg\u2011hjkm",
		"an underscore":               "abcd_0120_1efg_hjkm",
		"a tab":                       "abcd\t0120-1efg-hjkm",
		"a newline":                   code + "\n",
		"a NUL":                       code + "\x00",
		"two codes":                   code + "," + code,
		"hyphens alone":               "----------------",
		"blanks without end":          code + strings.Repeat(" ", 64),
		"a megabyte":                  strings.Repeat("a", 1<<20),
		"six digits between blanks":   " 123456 ",
		"six digits in two groups":    "123-456",
		"the hash":                    strings.Repeat("ab", 32),
		"percent and underscore":      "%%%%-____-%%%%-____",
		"what SQL would mind":         "' OR 1=1 --abcde",
		"six letters, which are none": "abcdef",
	} {
		wantErr(t, "Check of "+name, svc.Check(t.Context(), "somebody", typed), totp.ErrWrongCode)
	}
}

// counted counts what is asked of a store.
type counted struct {
	totp.Store
	reads, writes int
}

func (c *counted) TOTP(ctx context.Context, key string) (model.TOTP, error) {
	c.reads++
	return c.Store.TOTP(ctx, key)
}

func (c *counted) ClaimTOTPStep(ctx context.Context, row model.TOTP, step int64) error {
	c.writes++
	return c.Store.ClaimTOTPStep(ctx, row, step)
}

func (c *counted) RecoveryCodes(ctx context.Context, key string) ([]model.RecoveryCode, error) {
	c.reads++
	return c.Store.RecoveryCodes(ctx, key)
}

func (c *counted) UseRecoveryCode(ctx context.Context, key, hash string, at model.Time) (int64, error) {
	c.writes++
	return c.Store.UseRecoveryCode(ctx, key, hash, at)
}

func TestCodesOfBothKindsCostTheSame(t *testing.T) {
	f := newFixture(t)
	by, secret := f.enrolled(t)
	codes := f.renew(t, by)
	f.at = f.at.Add(30 * time.Second)
	for name, tt := range map[string]struct {
		code   string
		writes int
	}{
		"a right one-time code": {totptest.Code(secret, f.at), 1},
		"a wrong one-time code": {totptest.Code(rfcSecret, f.at), 0},
		"a right recovery code": {codes[0], 1},
		"a wrong recovery code": {"0000-0000-0000-0000", 0},
	} {
		store := &counted{Store: f.store}
		svc := f.on(store)
		for _, writes := range []int{tt.writes, 0} { // spent, it is a wrong one
			store.reads, store.writes = 0, 0
			_ = svc.Check(t.Context(), by.Account.Key, tt.code)
			if store.reads != 1 || store.writes != writes {
				t.Errorf("%s: %d reads and %d writes, want 1 and %d", name, store.reads, store.writes, writes)
			}
		}
	}
}

func TestRecoveryCodesBelongToTheirAccount(t *testing.T) {
	f := newFixture(t)
	by, _ := f.enrolled(t)
	other, _ := f.enrolled(t)
	codes := f.renew(t, by)
	f.renew(t, other)
	wantErr(t, "Check for somebody else", f.Check(t.Context(), other.Account.Key, codes[0]), totp.ErrWrongCode)
	stolen, err := f.store.RecoveryCodes(t.Context(), by.Account.Key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range stolen { // rows that somebody copied to another account open nothing there
		stolen[i].AccountKey = other.Account.Key
	}
	if err := f.store.RenewRecoveryCodes(t.Context(), other.Account.Key, "", stolen); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Check of a copied row", f.Check(t.Context(), other.Account.Key, codes[0]), totp.ErrWrongCode)
	wantErr(t, "Check by the owner", f.Check(t.Context(), by.Account.Key, codes[0]), nil)
}

// T-10: renewing voids the old set.
func TestRenewedCodesVoidTheOlder(t *testing.T) {
	f := newFixture(t)
	by, _ := f.enrolled(t)
	older := f.renew(t, by)
	newer := f.renew(t, by)
	if diff := cmp.Diff([]string{string(audit.RecoveryRenewed), string(audit.RecoveryRenewed)}, f.events); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
	for _, code := range older {
		wantErr(t, "Check of an older code", f.Check(t.Context(), by.Account.Key, code), totp.ErrWrongCode)
	}
	for _, code := range newer {
		wantErr(t, "Check of a newer code", f.Check(t.Context(), by.Account.Key, code), nil)
	}
}

// T-10: 16 parallel uses, 1 success.
func TestParallelUsesOfARecoveryCodeSucceedOnce(t *testing.T) {
	f := newFixture(t)
	by, _ := f.enrolled(t)
	code := f.renew(t, by)[0]
	racetest.Once(t, 16, totp.ErrWrongCode, func(int) error { return f.Check(t.Context(), by.Account.Key, code) })
}

func TestRecoveryCodesEndWithTheFactor(t *testing.T) {
	f := newFixture(t)
	by, _ := f.enrolled(t)
	codes := f.renew(t, by)
	wantErr(t, "Disable", f.Disable(t.Context(), by), nil)
	wantErr(t, "Check", f.Check(t.Context(), by.Account.Key, codes[0]), totp.ErrWrongCode)
	secret := f.generate(t, by)
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
	wantErr(t, "Check beside a new factor", f.Check(t.Context(), by.Account.Key, codes[1]), totp.ErrWrongCode)
}

func TestStatusTellsWhatIsThere(t *testing.T) {
	f := newFixture(t)
	is := func(what string, by access.Caller, want totp.Status) {
		t.Helper()
		got, err := f.Status(t.Context(), by)
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("Status %s = %+v, %v, want %+v", what, got, err, want)
		}
	}
	by := f.fresh()
	is("of nothing", by, totp.Status{})
	secret := f.generate(t, by)
	is("of a pending secret", by, totp.Status{})
	wantErr(t, "Confirm", f.Confirm(t.Context(), by, secret, totptest.Code(secret, f.at)), nil)
	enrolledAt := f.at
	is("of a factor", by, totp.Status{Enabled: true, EnrolledAt: enrolledAt})
	f.at = f.at.Add(time.Minute)
	codes := f.renew(t, by)
	want := totp.Status{Enabled: true, EnrolledAt: enrolledAt, CodesLeft: 10, CodesCreatedAt: f.at}
	is("of a factor and codes", by, want)
	f.at = f.at.Add(time.Minute)
	wantErr(t, "Check", f.Check(t.Context(), by.Account.Key, codes[3]), nil)
	want.CodesLeft = 9
	is("of a used code", by, want)
	guest := access.Caller{Account: &access.Account{Key: "guest", RoleIDs: []int64{model.RoleGuest}}}
	_, err := f.Status(t.Context(), guest)
	wantErr(t, "Status of a guest", err, totp.ErrGuest)
}

// No text but a spelling of the code's own is taken for it.
func FuzzRecoveryCode(f *testing.F) {
	const plain = "abcd01201efghjkm"
	f.Add("abcd-0120-1efg-hjkm")
	f.Add("ABCD OL20 LEFG HJKM")
	f.Add("abcd-0120-1efg-hj\u212am")
	f.Add("123456")
	f.Add("")
	spelt := strings.NewReplacer(
		" ", "", "-", "", "o", "0", "O", "0", "i", "1", "I", "1", "l", "1", "L", "1",
		"A", "a", "B", "b", "C", "c", "D", "d", "E", "e", "F", "f", "G", "g", "H", "h", "J", "j", "K", "k", "M", "m",
	)
	f.Fuzz(func(t *testing.T, typed string) {
		x := newFixture(t)
		key := x.enrolSecret(t, rfcSecret)
		sum := sha256.Sum256([]byte("recovery|" + key + "|" + plain))
		rows := []model.RecoveryCode{{AccountKey: key, Hash: hex.EncodeToString(sum[:]), CreatedAt: model.At(x.at)}}
		if err := x.store.RenewRecoveryCodes(t.Context(), key, "", rows); err != nil {
			t.Fatal(err)
		}
		var want error = totp.ErrWrongCode
		if len(typed) <= 64 && spelt.Replace(typed) == plain || typed == totptest.Code(rfcSecret, x.at) {
			want = nil
		}
		wantErr(t, "Check", x.Check(t.Context(), key, typed), want)
	})
}
