package importer

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// minFactor is the shortest second factor in bytes that is taken for one: 80
// bits, which the oldest authenticators have.
const minFactor = 10

// base32Secret is a second factor's secret in the spelling that codes are made
// from: upper case, without padding. It reports false for anything else.
func base32Secret(text string) (string, bool) {
	text = strings.ToUpper(strings.TrimRight(strings.TrimSpace(text), "="))
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	return text, err == nil && len(raw) >= minFactor && !strings.ContainsAny(text, "\r\n")
}

func randomBase32() string {
	raw := make([]byte, 20)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base32.StdEncoding.EncodeToString(raw)
}
