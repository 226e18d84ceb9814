package password_test

import (
	"errors"
	"strings"
	"testing"

	"latchkey/service/password"
)

// textSealer keeps what it seals readable, bound to its aad.
type textSealer struct{}

var errSeal = errors.New("does not open")

func (textSealer) Seal(aad string, plain []byte) (string, error) {
	return aad + "#" + string(plain), nil
}

func (textSealer) Open(aad, sealed string) ([]byte, error) {
	plain, ok := strings.CutPrefix(sealed, aad+"#")
	if !ok {
		return nil, errSeal
	}
	return []byte(plain), nil
}

func newChecker(t *testing.T) (*password.Checker, *password.Hasher) {
	t.Helper()
	cfg := password.Defaults()
	cfg.MemoryKiB, cfg.Time = 64, 1
	h, err := password.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return password.NewChecker(h, textSealer{}), h
}

func TestLegacyIsAListsHash(t *testing.T) { // contract 8.2
	const want = "eab77c79de23246aa4442abcc52b4d6e18fb6aa6041fc1a74ba6774949660900"
	if got := password.Legacy(password.Static("admin"), "abcdefghijklmnop"); got != want {
		t.Errorf("Legacy = %s, want %s", got, want)
	}
	if got := password.Legacy(strings.ToUpper(password.Static("admin")), "abcdefghijklmnop"); got != want {
		t.Errorf("Legacy of upper case = %s, want %s", got, want)
	}
}

func TestEveryStoredFormTakesTheRightPasswordOnly(t *testing.T) {
	c, h := newChecker(t)
	right, wrong := password.Static("right"), password.Static("wrong")
	for name, salt := range map[string]string{"AList's salt": "abcdefghijklmnop", "no salt": "", "an odd salt": "$a|b$ü"} {
		sealed, err := c.Import("key", password.Legacy(right, salt), salt)
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := c.Wrap(t.Context(), "key", sealed)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := h.Hash(t.Context(), right)
		if err != nil {
			t.Fatal(err)
		}
		for form, tt := range map[string]struct {
			stored   string
			imported bool
		}{
			"sealed": {sealed, true}, "wrapped": {wrapped, true}, "plain": {plain, false},
		} {
			t.Run(form+" with "+name, func(t *testing.T) {
				if ok, err := c.Verify(t.Context(), "key", tt.stored, right); !ok || err != nil {
					t.Errorf("Verify of the right password = %v, %v", ok, err)
				}
				if ok, err := c.Verify(t.Context(), "key", tt.stored, wrong); ok || err != nil {
					t.Errorf("Verify of a wrong password = %v, %v", ok, err)
				}
				// Whoever has AList's table must not get in with what stands in it.
				if ok, _ := c.Verify(t.Context(), "key", tt.stored, password.Legacy(right, salt)); ok {
					t.Error("AList's hash opens the account itself")
				}
				if got := password.IsImported(tt.stored); got != tt.imported {
					t.Errorf("IsImported = %v, want %v", got, tt.imported)
				}
			})
		}
		if strings.Contains(wrapped, password.Legacy(right, salt)) {
			t.Error("the wrapped form shows AList's hash")
		}
	}
}

func TestASealedPasswordBelongsToItsAccount(t *testing.T) {
	c, _ := newChecker(t)
	static := password.Static("right")
	sealed, err := c.Import("one", password.Legacy(static, "s"), "s")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := c.Verify(t.Context(), "two", sealed, static); ok || !errors.Is(err, errSeal) {
		t.Errorf("Verify for another account = %v, %v, want %v", ok, err, errSeal)
	}
	if _, err := c.Wrap(t.Context(), "two", sealed); !errors.Is(err, errSeal) {
		t.Errorf("Wrap for another account = %v, want %v", err, errSeal)
	}
}

func TestEveryStoredFormCostsOneHash(t *testing.T) {
	c, h := newChecker(t)
	static := password.Static("right")
	sealed, err := c.Import("key", password.Legacy(static, "s"), "s")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := c.Wrap(t.Context(), "key", sealed)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := h.Hash(t.Context(), static)
	if err != nil {
		t.Fatal(err)
	}
	for name, stored := range map[string]string{"none": "", "sealed": sealed, "wrapped": wrapped, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			count := password.CountHashes(h)
			if _, err := c.Verify(t.Context(), "key", stored, static); err != nil {
				t.Fatal(err)
			}
			if n := count(); n != 1 {
				t.Errorf("%d hashes, want 1", n)
			}
		})
	}
}

func TestRefusedForms(t *testing.T) {
	c, h := newChecker(t)
	plain, err := h.Hash(t.Context(), password.Static("right"))
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{
		"nothing": "", "a word": "plain", "upper case": strings.ToUpper(password.Static("x")), "a digit short": password.Static("x")[1:],
	} {
		t.Run("Import of "+name, func(t *testing.T) {
			if _, err := c.Import("key", hash, "s"); err == nil {
				t.Error("Import succeeded")
			}
		})
	}
	for name, stored := range map[string]string{
		"a plain password": plain, "a wrapped one without a hash": "$alist-argon2id$AAAA", "one with a bad salt": "$alist-argon2id$!$v=19",
		"a seal over nonsense": "$alist$accounts|password_hash|key#nonsense",
	} {
		t.Run("Wrap of "+name, func(t *testing.T) {
			if _, err := c.Wrap(t.Context(), "key", stored); err == nil {
				t.Error("Wrap succeeded")
			}
		})
		if stored == plain {
			continue
		}
		t.Run("Verify of "+name, func(t *testing.T) {
			if ok, err := c.Verify(t.Context(), "key", stored, password.Static("right")); ok || err == nil {
				t.Errorf("Verify = %v, %v, want an error", ok, err)
			}
		})
	}
}

// FuzzVerifyImported: no text that stands in the column panics, or opens for a
// password it was not made from.
func FuzzVerifyImported(f *testing.F) {
	f.Add("$alist$accounts|password_hash|key#" + password.Legacy(password.Static("other"), "s") + "|s")
	f.Add("$alist-argon2id$AAAA$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$alist$")
	f.Add("$alist-argon2id$$")
	cfg := password.Defaults()
	cfg.MemoryKiB, cfg.Time = 64, 1
	h, err := password.New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	c := password.NewChecker(h, textSealer{})
	f.Fuzz(func(t *testing.T, stored string) {
		if len(stored) > 200 || strings.Contains(stored, "m=") && !strings.Contains(stored, "m=64,t=1,") {
			return // what costs much is hasher_test's business
		}
		if ok, _ := c.Verify(t.Context(), "key", stored, password.Static("right")); ok {
			t.Errorf("%q opens", stored)
		}
	})
}
