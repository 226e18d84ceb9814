package password_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/service/fault"
	"latchkey/service/password"
)

// cheap is as little work as Argon2id can be.
func cheap() password.Config {
	return password.Config{Workers: 2, Queue: 3, MemoryKiB: 8, Time: 1, Lanes: 1}
}

func newHasher(t testing.TB, cfg password.Config) *password.Hasher {
	t.Helper()
	h, err := password.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHashAndVerify(t *testing.T) {
	h := newHasher(t, cheap())
	stored, err := h.Hash(t.Context(), strings.ToUpper(admin))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		encoded, static string
		want            bool
	}{
		"the same static hash opens":             {stored, admin, true},
		"upper case is the same":                 {stored, strings.ToUpper(admin), true},
		"another password does not":              {stored, password.Static("admin "), false},
		"the plain password does not":            {stored, "admin", false},
		"the stored hash does not":               {stored, stored, false},
		"nothing does not":                       {stored, "", false},
		"an account without a password is shut":  {"", admin, false},
		"nothing opens no account without one":   {"", "", false},
		"a hash of another cost is read as such": {"$argon2id$v=19$m=16,t=3,p=2$c2FsdHNhbHRzYWx0c2FsdA$" + foreign, admin, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := h.Verify(t.Context(), tt.encoded, tt.static)
			if err != nil || got != tt.want {
				t.Errorf("Verify = %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

// foreign is the key of admin's static hash at m=16,t=3,p=2 under the salt
// "saltsaltsaltsalt".
const foreign = "o2LGgYTZAnFU2pwTi735L29rptTstYge43SJCdMSEHM"

func TestStoredForm(t *testing.T) {
	h := newHasher(t, password.Defaults())
	first, err := h.Hash(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	if want := `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`; !regexp.MustCompile(want).MatchString(first) {
		t.Errorf("stored form %q does not match %s", first, want)
	}
	if second, err := h.Hash(t.Context(), admin); err != nil || second == first {
		t.Errorf("two hashes of one password are %q, %q (%v)", first, second, err)
	}
	if _, err := h.Hash(t.Context(), "admin"); err == nil {
		t.Error("a password that is no static hash was stored")
	}
}

// A name that nobody has, an account without a password and a wrong password all
// cost the same.
func TestEqualWork(t *testing.T) {
	type work struct {
		memory, time, keyLen uint32
		lanes                uint8
		salt                 int
	}
	cfg := cheap()
	stored, err := newHasher(t, cfg).Hash(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for name, attempt := range map[string]func(*password.Hasher) error{
		"an unknown name":               func(h *password.Hasher) error { return h.VerifyNothing(t.Context(), admin) },
		"an account without a password": func(h *password.Hasher) error { _, err := h.Verify(t.Context(), "", admin); return err },
		"a wrong password":              func(h *password.Hasher) error { _, err := h.Verify(t.Context(), stored, admin); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var did []work
			h := password.WithKey(newHasher(t, cfg), func(_, salt []byte, time, memory uint32, lanes uint8, keyLen uint32) []byte {
				did = append(did, work{memory, time, keyLen, lanes, len(salt)})
				return make([]byte, keyLen)
			})
			if err := attempt(h); err != nil {
				t.Fatal(err)
			}
			if want := (work{8, 1, 32, 1, 16}); len(did) != 1 || did[0] != want {
				t.Errorf("work = %+v, want once %+v", did, want)
			}
		})
	}
}

func TestTooLongIsRefusedUnhashed(t *testing.T) {
	h := password.WithKey(newHasher(t, cheap()), func(_, _ []byte, _, _ uint32, _ uint8, _ uint32) []byte {
		t.Error("it was hashed")
		return nil
	})
	long := strings.Repeat("x", 1025)
	if err := h.VerifyNothing(t.Context(), long); !errors.Is(err, password.ErrTooLong) {
		t.Errorf("VerifyNothing = %v, want ErrTooLong", err)
	}
	if _, err := h.Verify(t.Context(), "", long); !errors.Is(err, password.ErrTooLong) {
		t.Errorf("Verify = %v, want ErrTooLong", err)
	}
}

func TestConfigMistakesAreReportedTogether(t *testing.T) {
	_, err := password.New(password.Config{Workers: 0, Queue: -1, MemoryKiB: 1, Time: 1, Lanes: 1})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"workers", "queue", "memory"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %s", err, want)
		}
	}
	if err := password.Defaults().Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}

func TestBusyTellsWhenToComeBack(t *testing.T) {
	for name, tt := range map[string]struct {
		workers, queue int
		want           time.Duration
	}{
		"a short queue: in a second":          {4, 4, time.Second},
		"the default queue: in 3 seconds":     {1, 64, 3 * time.Second},
		"a long queue: in 5 seconds, no more": {1, 1000, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := cheap()
				cfg.Workers, cfg.Queue = tt.workers, tt.queue
				h, inside := hold(t, cfg)
				inside.fill(t, h, tt.workers+tt.queue)
				f := fault.Of(h.VerifyNothing(t.Context(), admin))
				if f.Kind != fault.TooMany || f.RetryAfter != tt.want || f.Text != "Too many sign-ins at the moment, try again later." {
					t.Errorf("one more = %+v, want TooMany after %v", f, tt.want)
				}
			})
		})
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newHasher(t, cheap()).VerifyNothing(ctx, admin); !errors.Is(err, context.Canceled) {
		t.Errorf("VerifyNothing = %v, want context.Canceled", err)
	}
}
