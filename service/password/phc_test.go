package password_test

import (
	"errors"
	"strings"
	"testing"

	"latchkey/service/fault"
	"latchkey/service/password"
)

const (
	salt16 = "c2FsdHNhbHRzYWx0c2FsdA"
	key32  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

func TestStoredFormsThatAreNotRead(t *testing.T) {
	h := password.WithKey(newHasher(t, cheap()), func(_, _ []byte, _, _ uint32, _ uint8, keyLen uint32) []byte {
		return make([]byte, keyLen) // matches key32: whatever is let through opens
	})
	if ok, err := h.Verify(t.Context(), "$argon2id$v=19$m=262144,t=16,p=4$"+salt16+"$"+key32, admin); !ok || err != nil {
		t.Fatalf("the most that may be asked for = %v, %v; want true", ok, err)
	}
	for name, encoded := range map[string]string{
		"text":                             "admin",
		"a bare static hash":               admin,
		"another algorithm":                "$argon2i$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32,
		"bcrypt":                           "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"an older version":                 "$argon2id$v=16$m=64,t=1,p=1$" + salt16 + "$" + key32,
		"no version":                       "$argon2id$m=64,t=1,p=1$" + salt16 + "$" + key32,
		"more memory than 256 MiB":         "$argon2id$v=19$m=262145,t=1,p=1$" + salt16 + "$" + key32,
		"memory beyond 32 bits":            "$argon2id$v=19$m=4294967360,t=1,p=1$" + salt16 + "$" + key32,
		"less memory than Argon2 can have": "$argon2id$v=19$m=15,t=1,p=2$" + salt16 + "$" + key32,
		"17 passes":                        "$argon2id$v=19$m=64,t=17,p=1$" + salt16 + "$" + key32,
		"no pass":                          "$argon2id$v=19$m=64,t=0,p=1$" + salt16 + "$" + key32,
		"5 lanes":                          "$argon2id$v=19$m=64,t=1,p=5$" + salt16 + "$" + key32,
		"no lane":                          "$argon2id$v=19$m=64,t=1,p=0$" + salt16 + "$" + key32,
		"256 lanes, which is 0 in a byte":  "$argon2id$v=19$m=64,t=1,p=256$" + salt16 + "$" + key32,
		"a leading zero":                   "$argon2id$v=19$m=064,t=1,p=1$" + salt16 + "$" + key32,
		"a sign":                           "$argon2id$v=19$m=+64,t=1,p=1$" + salt16 + "$" + key32,
		"a fourth parameter":               "$argon2id$v=19$m=64,t=1,p=1,data=x$" + salt16 + "$" + key32,
		"parameters in another order":      "$argon2id$v=19$t=1,m=64,p=1$" + salt16 + "$" + key32,
		"an empty key, which all match":    "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$",
		"a key of 15 bytes":                "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32[:20],
		"a salt of 6 bytes":                "$argon2id$v=19$m=64,t=1,p=1$" + salt16[:8] + "$" + key32,
		"padding":                          "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "==$" + key32 + "=",
		"loose bits at the end":            "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32[:42] + "B",
		"a line feed in the key":           "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32[:20] + "\n" + key32[20:],
		"something behind":                 "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32 + "$",
		"something in front":               "x$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + key32,
		"a very long key":                  "$argon2id$v=19$m=64,t=1,p=1$" + salt16 + "$" + strings.Repeat("AAAA", 60),
	} {
		t.Run(name, func(t *testing.T) {
			ok, err := h.Verify(t.Context(), encoded, admin)
			if ok || err == nil {
				t.Fatalf("Verify = %v, %v; want false and an error", ok, err)
			}
			if f := fault.Of(err); f.Kind != fault.Internal || errors.Is(err, password.ErrBusy) {
				t.Errorf("the failure is %+v, want one for the log", f)
			}
		})
	}
}

// Whatever a row holds, reading it does not panic, asks for no more work than the
// bounds allow, and no key but the stored one opens.
func FuzzVerifyEncoded(f *testing.F) {
	for _, in := range []string{
		"", "$", "$$$$$", admin,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt16 + "$" + key32,
		"$argon2id$v=19$m=262144,t=16,p=4$" + salt16 + "$" + key32,
		"$argon2id$v=19$m=4294967295,t=4294967295,p=255$" + salt16 + "$" + key32,
		"$argon2id$v=19$m=8,t=1,p=1$" + salt16 + "$",
		"$argon2id$v=19$m=8,t=1,p=1$$" + key32,
		"$argon2id$v=19$m=-8,t=1,p=1$" + salt16 + "$" + key32,
	} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		calls := 0
		h := password.WithKey(newHasher(t, cheap()), func(_, _ []byte, time, memory uint32, lanes uint8, keyLen uint32) []byte {
			calls++
			if memory > 256<<10 || memory < 8*uint32(lanes) || time > 16 || time < 1 || lanes > 4 || lanes < 1 || keyLen < 16 || keyLen > 256 {
				t.Errorf("work of m=%d t=%d p=%d, %d bytes for %q", memory, time, lanes, keyLen, encoded)
			}
			return []byte("a key that stands in no row")
		})
		if ok, err := h.Verify(t.Context(), encoded, admin); ok || (err == nil) != (calls == 1) {
			t.Errorf("Verify(%q) = %v, %v after %d hashes", encoded, ok, err, calls)
		}
	})
}
