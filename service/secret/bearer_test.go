package secret_test

import (
	"hash/crc32"
	"regexp"
	"strings"
	"testing"

	"latchkey/service/secret"
)

func TestBearerForm(t *testing.T) {
	form := regexp.MustCompile(`^lka_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$`)
	seen := map[string]bool{}
	for range 1000 {
		text := secret.NewBearer(secret.APIKey)
		if !form.MatchString(text) || !secret.IsBearer(secret.APIKey, text) || seen[text] {
			t.Fatalf("%q is malformed, or was made before", text)
		}
		seen[text] = true
		if secret.IsBearer(secret.OAuthToken, text) {
			t.Fatalf("%q counts as another kind", text)
		}
	}
}

// Every wrong character, every two characters that changed places, and every
// text that is longer or shorter is found.
func TestBearerFindsTypingErrors(t *testing.T) {
	text := secret.NewBearer(secret.APIKey)
	for i := range len(text) {
		for _, c := range []byte("0Aaz9Z_- \x00") {
			if c == text[i] {
				continue
			}
			if wrong := text[:i] + string(c) + text[i+1:]; secret.IsBearer(secret.APIKey, wrong) {
				t.Errorf("%q passes for %q", wrong, text)
			}
		}
		if i > 0 && text[i] != text[i-1] {
			if wrong := text[:i-1] + string(text[i]) + string(text[i-1]) + text[i+1:]; secret.IsBearer(secret.APIKey, wrong) {
				t.Errorf("%q passes for %q", wrong, text)
			}
		}
	}
	for _, wrong := range []string{"", "lka_", " " + text, text + " ", text + "\n", text[:len(text)-1], text + "0", strings.ToLower(text), strings.ToUpper(text)} {
		if wrong != text && secret.IsBearer(secret.APIKey, wrong) {
			t.Errorf("%q passes", wrong)
		}
	}
}

func TestHashOfTellsSecretsApart(t *testing.T) {
	a, b := secret.NewBearer(secret.APIKey), secret.NewBearer(secret.APIKey)
	if secret.HashOf(a) == secret.HashOf(b) || secret.HashOf(strings.Clone(a)) != secret.HashOf(a) {
		t.Error("hashes do not tell secrets apart")
	}
}

// The last six characters are a CRC-32 (IEEE) of the others in Base62, so that
// other programs can tell our secrets from what only looks like them.
func TestBearerChecksumIsACRC32(t *testing.T) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := secret.NewBearer(secret.APIKey)
	body, check := text[:47], text[47:]
	n := uint32(0)
	for _, c := range check {
		n = n*62 + uint32(strings.IndexRune(digits, c))
	}
	if want := crc32.ChecksumIEEE([]byte(body)); n != want {
		t.Errorf("%q ends in %08x, want %08x", text, n, want)
	}
}
