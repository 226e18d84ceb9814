package sshkey

import (
	"bytes"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"

	"latchkey/service/label"
)

// The sizes of RSA keys in bits: NIST SP 800-131A asks for 2048 and, beyond
// 2030, for more, which SP 800-57 sets at 3072. A signature by a key of 8192
// is still checked in about a millisecond.
const (
	minRSA  = 2048
	goodRSA = 3072
	maxRSA  = 8192
)

// maxExponentBits is what x/crypto/ssh takes; every program in use makes 65537
// or less.
const maxExponentBits = 24

// parseBlob reads the key data behind the type in front, and accepts only the
// one canonical encoding of a usable key.
func parseBlob(kind string, blob []byte) (ssh.PublicKey, error) {
	inner, _, ok := cutString(blob)
	if !ok {
		return nil, ErrDamaged
	}
	if string(inner) != kind {
		return nil, ErrMismatch
	}
	fields, rest, ok := cutStrings(blob, fieldCount(kind))
	if !ok {
		return nil, ErrDamaged
	}
	if len(rest) > 0 {
		return nil, ErrTrailing
	}
	if err := checkFields(kind, fields); err != nil {
		return nil, err
	}
	pub, err := ssh.ParsePublicKey(blob)
	if err != nil && isECDSA(kind) {
		return nil, ErrCurve
	}
	if err != nil || !bytes.Equal(pub.Marshal(), blob) {
		return nil, ErrDamaged
	}
	return pub, nil
}

// checkFields looks for what x/crypto/ssh would let pass or not name.
func checkFields(kind string, fields [][]byte) error {
	switch kind {
	case ssh.KeyAlgoRSA:
		return checkRSA(fields[1], fields[2])
	case ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		if "ecdsa-sha2-"+string(fields[1]) != kind {
			return ErrCurve
		}
	case ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		// The application, usually "ssh:", is part of what the key signs.
		if application := string(fields[len(fields)-1]); application == "" || !label.IsPrintable(application) {
			return ErrDamaged
		}
	}
	return nil
}

func checkRSA(exponent, modulus []byte) error {
	switch n, bits := positive(modulus); {
	case n == nil || n.Bit(0) == 0:
		return ErrRSAModulus
	case bits < minRSA:
		return ErrRSAShort
	case bits > maxRSA:
		return ErrRSALong
	}
	e, bits := positive(exponent)
	if e == nil || e.Bit(0) == 0 || bits < 2 || bits > maxExponentBits {
		return ErrRSAExponent
	}
	return nil
}

// positive reads an mpint (RFC 4251, section 5) and its length in bits; nil if
// it is zero or negative. Superfluous zeros in front are found by encoding the
// key again.
func positive(mpint []byte) (*big.Int, int) {
	if len(mpint) == 0 || mpint[0]&0x80 != 0 {
		return nil, 0
	}
	n := new(big.Int).SetBytes(mpint)
	if n.Sign() == 0 {
		return nil, 0
	}
	return n, n.BitLen()
}

// note is the advice that goes with a key which is accepted.
func note(pub ssh.PublicKey) string {
	holder, ok := pub.(ssh.CryptoPublicKey)
	if !ok {
		return ""
	}
	if key, ok := holder.CryptoPublicKey().(*rsa.PublicKey); ok && key.N.BitLen() < goodRSA {
		return "RSA below 3072 bits; consider Ed25519"
	}
	return ""
}

// cutStrings reads n strings from the front of a blob.
func cutStrings(blob []byte, n int) (fields [][]byte, rest []byte, ok bool) {
	rest = blob
	for range n {
		var field []byte
		if field, rest, ok = cutString(rest); !ok {
			return nil, nil, false
		}
		fields = append(fields, field)
	}
	return fields, rest, true
}

// cutString reads one string (RFC 4251, section 5): four bytes of length, then
// as many bytes.
func cutString(blob []byte) (field, rest []byte, ok bool) {
	const head = 4
	if len(blob) < head {
		return nil, nil, false
	}
	size := uint64(binary.BigEndian.Uint32(blob))
	rest = blob[head:]
	if size > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:size], rest[size:], true
}

// fieldCount is how many strings a blob of that type has, its type included;
// 0 for a type that is not accepted.
func fieldCount(kind string) int {
	switch kind {
	case ssh.KeyAlgoED25519: // RFC 8709: type, key
		return 2
	case ssh.KeyAlgoRSA, // RFC 4253: type, exponent, modulus
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, // RFC 5656: type, curve, point
		ssh.KeyAlgoSKED25519: // OpenSSH's PROTOCOL.u2f: type, key, application
		return 3
	case ssh.KeyAlgoSKECDSA256: // PROTOCOL.u2f: type, curve, point, application
		return 4
	}
	return 0
}

func isSupported(kind string) bool { return fieldCount(kind) > 0 }

func isECDSA(kind string) bool { return strings.Contains(kind, "ecdsa-sha2-") }

func isCertificate(kind string) bool { return strings.HasSuffix(kind, "-cert-v01@openssh.com") }

// isKeyType reports whether the word is the type of a key, accepted or not.
func isKeyType(word string) bool {
	return isSupported(word) || isCertificate(word) ||
		word == ssh.InsecureKeyAlgoDSA //nolint:staticcheck // named in order to refuse it
}
