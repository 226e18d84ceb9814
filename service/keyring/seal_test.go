package keyring_test

import (
	"errors"
	"strings"
	"testing"

	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

func TestSealedValueOpensWithItsName(t *testing.T) {
	ring := open(t, keyringtest.New(), keyringtest.Master())
	for name, plain := range map[string]string{
		"text": "the secret", "nothing": "", "bytes": "\x00\xff:\n", "something long": strings.Repeat("x", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			one, err := ring.Seal("totp|secret|a", []byte(plain))
			if err != nil {
				t.Fatalf("Seal = %v", err)
			}
			two, err := ring.Seal("totp|secret|a", []byte(plain))
			if err != nil || one == two {
				t.Errorf("sealing twice gives the same text, %v", err)
			}
			if len(plain) > 4 && strings.Contains(one, plain) {
				t.Error("the sealed text shows the plain one")
			}
			if got, err := ring.Open("totp|secret|a", one); err != nil || string(got) != plain {
				t.Errorf("Open = %q, %v, want %q", got, err, plain)
			}
		})
	}
}

func TestOpenRefusesMovedAndForged(t *testing.T) {
	ring := open(t, keyringtest.New(), keyringtest.Master())
	sealed, err := ring.Seal("totp|secret|a", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := open(t, keyringtest.New(), keyringtest.Master()).Seal("totp|secret|a", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(sealed, ":")
	for name, tt := range map[string]struct{ aad, sealed string }{
		"another row":      {"totp|secret|b", sealed},
		"another column":   {"totp|pending|a", sealed},
		"no name":          {"", sealed},
		"another ring's":   {"totp|secret|a", foreign},
		"nothing":          {"totp|secret|a", ""},
		"a plain text":     {"totp|secret|a", "plain"},
		"no version":       {"totp|secret|a", parts[1] + ":" + parts[2]},
		"another version":  {"totp|secret|a", "v2:" + parts[1] + ":" + parts[2]},
		"the master's id":  {"totp|secret|a", "v1:master:" + parts[2]},
		"no id":            {"totp|secret|a", "v1::" + parts[2]},
		"no value":         {"totp|secret|a", "v1:" + parts[1] + ":"},
		"a short value":    {"totp|secret|a", "v1:" + parts[1] + ":AAAA"},
		"a fourth part":    {"totp|secret|a", sealed + ":"},
		"a line break":     {"totp|secret|a", sealed + "\n"},
		"padding":          {"totp|secret|a", sealed + "="},
		"another alphabet": {"totp|secret|a", "v1:" + parts[1] + ":" + strings.Repeat("-_", 30)},
		"cut off":          {"totp|secret|a", sealed[:len(sealed)-2]},
	} {
		t.Run(name, func(t *testing.T) {
			if plain, err := ring.Open(tt.aad, tt.sealed); !errors.Is(err, keyring.ErrSealed) || plain != nil {
				t.Errorf("Open = %q, %v, want %v", plain, err, keyring.ErrSealed)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	ring, err := keyring.Open(f.Context(), keyringtest.New(), keyringtest.Master(), still)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := ring.Seal("aad", []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add("v1:" + ring.Signing().ID + ":AAAA")
	f.Add(":::")
	f.Fuzz(func(t *testing.T, text string) {
		if plain, err := ring.Open("aad", text); err == nil && text != sealed {
			t.Errorf("opened %q, which Seal did not make, as %q", text, plain)
		}
	})
}
