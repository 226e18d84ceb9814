package sshkey_test

import (
	"strings"
	"testing"
	"unicode"

	"latchkey/service/fault"
	"latchkey/service/sshkey"
)

// What is accepted is one line of printable text, and its plain form is the
// same key again; what is refused is the client's mistake.
func FuzzParse(f *testing.F) {
	plain := ed25519Line(f)
	for _, text := range []string{
		plain, plain + " me\r\n", "\t" + plain + "\tmy key ", plain + "\n" + plain, `restrict,command="x" ` + plain,
		"@revoked * " + plain, "# " + plain, plain + " \u202e", plain + "==",
		vector(f, "accept", "rsa2048.pub"), vector(f, "accept", "ecdsa521.pub"), vector(f, "accept", "sk-ecdsa.pub"),
		vector(f, "accept", "sk-ed25519.pub"), vector(f, "refuse", "dsa.pub"), vector(f, "refuse", "certificate-rsa.pub"),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := sshkey.Parse(text)
		if err != nil {
			if fault.Of(err).Kind != fault.Invalid || key != (sshkey.Key{}) {
				t.Fatalf("Parse = %+v, %v, want a refusal and no key", key, err)
			}
			return
		}
		for _, part := range []string{key.PublicKey, key.Comment} {
			if strings.ContainsFunc(part, unicode.IsControl) || part != strings.TrimSpace(part) {
				t.Fatalf("Parse leaves %q", part)
			}
		}
		if !strings.Contains(text, key.Comment) {
			t.Fatalf("comment %q is not from the text", key.Comment)
		}
		again, err := sshkey.Parse(key.PublicKey)
		key.Comment = ""
		if err != nil || again != key {
			t.Fatalf("Parse of the plain form = %+v, %v, want %+v", again, err, key)
		}
	})
}
