package sshkey_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"latchkey/service/sshkey"
)

// BenchmarkParse is the dearest texts of 16 KiB and less: whoever may add a key
// may send them. Each should stay below 10 ms.
func BenchmarkParse(b *testing.B) {
	const most = 16 << 10
	rsa := strings.TrimSpace(vector(b, "accept", "rsa8192.pub"))
	for name, text := range map[string]string{
		"an RSA key of 8192 bits":      rsa,
		"the same with a long comment": rsa + " " + strings.Repeat("é", (most-len(rsa)-1)/2),
		"blanks":                       strings.Repeat(" ", most),
		"words":                        "ssh-rsa AAAA " + strings.Repeat("a ", most/2-10),
		"keys behind a key":            rsa + strings.Repeat(" ssh-rsa AAAA", (most-len(rsa))/13),
		"zeroes in base64":             "ssh-rsa " + base64.StdEncoding.EncodeToString(make([]byte, most*3/4-20)),
		"BEGINs":                       strings.Repeat("-----BEGIN ", most/11),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = sshkey.Parse(text)
			}
		})
	}
}
