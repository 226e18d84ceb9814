package sftpd

import (
	"runtime"

	"golang.org/x/crypto/ssh"
)

// serverVersion tells neither a version nor a library.
const serverVersion = "SSH-2.0-Latchkey"

// algorithms are those without SHA-1, CBC, RC4 and finite fields (X-12, RFC
// 9142). x/crypto adds strict key exchange by itself.
func algorithms() ssh.Config {
	return ssh.Config{
		KeyExchanges: []string{
			ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519,
			ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384, ssh.KeyExchangeECDHP521,
		},
		Ciphers: ciphers(),
		MACs:    []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512},
	}
}

// ciphers leaves ChaCha20 out where the processor computes AES: most clients want
// it first, and it takes the processor a third longer (docs/performance.md). Small ARM
// boards have no such instructions.
func ciphers() []string {
	list := []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherAES128CTR, ssh.CipherAES192CTR, ssh.CipherAES256CTR,
	}
	if runtime.GOARCH == "amd64" {
		return list
	}
	return append([]string{ssh.CipherChaCha20Poly1305}, list...)
}

// clientSignatures are what clients may sign with.
func clientSignatures() []string {
	return []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	}
}
