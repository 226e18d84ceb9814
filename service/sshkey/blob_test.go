package sshkey_test

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/service/fault"
	"latchkey/service/sshkey"
)

func TestParseRefusesEd25519Blobs(t *testing.T) {
	const kind, sk = ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519
	blob, raw := ed25519Blob(t), strings.Repeat("k", 32)
	for name, tt := range map[string]struct {
		kind string
		blob []byte
		want *fault.Error
	}{
		"a byte after the key":              {kind, append(bytes.Clone(blob), 0), sshkey.ErrTrailing},
		"a string after the key":            {kind, wire(kind, raw, "more"), sshkey.ErrTrailing},
		"a byte missing":                    {kind, blob[:len(blob)-1], sshkey.ErrDamaged},
		"a key of 31 bytes":                 {kind, wire(kind, raw[:31]), sshkey.ErrDamaged},
		"a key of 33 bytes":                 {kind, wire(kind, raw+"k"), sshkey.ErrDamaged},
		"an empty key":                      {kind, wire(kind, ""), sshkey.ErrDamaged},
		"no key":                            {kind, wire[string](kind), sshkey.ErrDamaged},
		"three bytes":                       {kind, []byte{0, 0, 0}, sshkey.ErrDamaged},
		"a length beyond the end":           {kind, with(blob, 0, 0x7f), sshkey.ErrDamaged},
		"a length of 4 GiB":                 {kind, bytes.Repeat([]byte{0xff}, 40), sshkey.ErrDamaged},
		"another type inside":               {kind, wire(ssh.KeyAlgoRSA, raw), sshkey.ErrMismatch},
		"an upper-case type inside":         {kind, wire("SSH-ED25519", raw), sshkey.ErrMismatch},
		"a certificate inside":              {kind, wire(ssh.CertAlgoED25519v01, raw), sshkey.ErrMismatch},
		"an Ed25519 key called ECDSA":       {ssh.KeyAlgoECDSA256, blob, sshkey.ErrMismatch},
		"an Ed25519 key called RSA":         {ssh.KeyAlgoRSA, blob, sshkey.ErrMismatch},
		"a security key called a plain one": {kind, wire(sk, raw, "ssh:"), sshkey.ErrMismatch},

		"a security key with a byte more":             {sk, append(wire(sk, raw, "ssh:"), 0), sshkey.ErrTrailing},
		"a security key of 31 bytes":                  {sk, wire(sk, raw[:31], "ssh:"), sshkey.ErrDamaged},
		"a security key without application":          {sk, wire(sk, raw), sshkey.ErrDamaged},
		"a security key with an empty application":    {sk, wire(sk, raw, ""), sshkey.ErrDamaged},
		"a security key with a line end for its app":  {sk, wire(sk, raw, "ssh:\nx"), sshkey.ErrDamaged},
		"a security key whose application is no text": {sk, wire(sk, raw, "\xff"), sshkey.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) { refused(t, line(tt.kind, tt.blob), tt.want) })
	}
}

func TestParseRefusesECDSABlobs(t *testing.T) {
	const kind, sk = ssh.KeyAlgoECDSA256, ssh.KeyAlgoSKECDSA256
	p256, p384 := point(t, elliptic.P256()), point(t, elliptic.P384())
	beside := string(with(p256, len(p256)-1, p256[len(p256)-1]^1))
	compressed := string(append([]byte{2 + p256[64]&1}, p256[1:33]...))
	hybrid := string(with(p256, 0, 6+p256[64]&1))
	for name, tt := range map[string]struct {
		kind string
		blob []byte
		want *fault.Error
	}{
		"a point beside the curve":           {kind, wire(kind, "nistp256", beside), sshkey.ErrCurve},
		"a point of zeros":                   {kind, wire(kind, "nistp256", "\x04"+strings.Repeat("\x00", 64)), sshkey.ErrCurve},
		"the point at infinity":              {kind, wire(kind, "nistp256", "\x00"), sshkey.ErrCurve},
		"no point":                           {kind, wire(kind, "nistp256", ""), sshkey.ErrCurve},
		"a compressed point":                 {kind, wire(kind, "nistp256", compressed), sshkey.ErrCurve},
		"a hybrid point":                     {kind, wire(kind, "nistp256", hybrid), sshkey.ErrCurve},
		"a coordinate beyond the field":      {kind, wire(kind, "nistp256", "\x04"+strings.Repeat("\xff", 64)), sshkey.ErrCurve},
		"a point of a byte less":             {kind, wire(kind, "nistp256", string(p256[:64])), sshkey.ErrCurve},
		"a point of a byte more":             {kind, wire(kind, "nistp256", string(p256)+"\x00"), sshkey.ErrCurve},
		"P-384 called P-256":                 {kind, wire(kind, "nistp384", string(p384)), sshkey.ErrCurve},
		"a point of P-384 on P-256":          {kind, wire(kind, "nistp256", string(p384)), sshkey.ErrCurve},
		"a curve in upper case":              {kind, wire(kind, "NISTP256", string(p256)), sshkey.ErrCurve},
		"no curve":                           {kind, wire(kind, "", string(p256)), sshkey.ErrCurve},
		"P-256 outside, P-384 inside":        {kind, wire(ssh.KeyAlgoECDSA384, "nistp384", string(p384)), sshkey.ErrMismatch},
		"a byte after the point":             {kind, append(wire(kind, "nistp256", string(p256)), 0), sshkey.ErrTrailing},
		"a curve and no more":                {kind, wire(kind, "nistp256"), sshkey.ErrDamaged},
		"a security key beside the curve":    {sk, wire(sk, "nistp256", beside, "ssh:"), sshkey.ErrCurve},
		"a security key on P-384":            {sk, wire(sk, "nistp384", string(p384), "ssh:"), sshkey.ErrCurve},
		"a security key without application": {sk, wire(sk, "nistp256", string(p256)), sshkey.ErrDamaged},
		"a security key with a byte more":    {sk, append(wire(sk, "nistp256", string(p256), "ssh:"), 0), sshkey.ErrTrailing},
	} {
		t.Run(name, func(t *testing.T) { refused(t, line(tt.kind, tt.blob), tt.want) })
	}
}

func TestParseRefusesRSABlobs(t *testing.T) { // fewer than 2048 bits, more than 8192, bad exponents and moduli
	const kind = ssh.KeyAlgoRSA
	f4, n := big.NewInt(65537), modulus(t, 2048)
	even := new(big.Int).Sub(n, big.NewInt(1))
	padded := append([]byte{0, 0}, n.Bytes()...)
	for name, tt := range map[string]struct {
		text string
		want *fault.Error
	}{
		"1024 bits":                    {rsaLine(f4, modulus(t, 1024)), sshkey.ErrRSAShort},
		"2047 bits":                    {rsaLine(f4, modulus(t, 2047)), sshkey.ErrRSAShort},
		"8193 bits":                    {rsaLine(f4, modulus(t, 8193)), sshkey.ErrRSALong},
		"16384 bits":                   {rsaLine(f4, modulus(t, 16384)), sshkey.ErrRSALong},
		"an even modulus":              {rsaLine(f4, even), sshkey.ErrRSAModulus},
		"a modulus of zero":            {rsaLine(f4, new(big.Int)), sshkey.ErrRSAModulus},
		"a modulus of one":             {rsaLine(f4, big.NewInt(1)), sshkey.ErrRSAShort},
		"a negative modulus":           {rsaLine(f4, new(big.Int).Neg(n)), sshkey.ErrRSAModulus},
		"an exponent of zero":          {rsaLine(new(big.Int), n), sshkey.ErrRSAExponent},
		"an exponent of one":           {rsaLine(big.NewInt(1), n), sshkey.ErrRSAExponent},
		"an exponent of two":           {rsaLine(big.NewInt(2), n), sshkey.ErrRSAExponent},
		"an even exponent":             {rsaLine(big.NewInt(65536), n), sshkey.ErrRSAExponent},
		"a negative exponent":          {rsaLine(big.NewInt(-65537), n), sshkey.ErrRSAExponent},
		"an exponent of 25 bits":       {rsaLine(big.NewInt(1<<24+1), n), sshkey.ErrRSAExponent},
		"an exponent like the modulus": {rsaLine(n, n), sshkey.ErrRSAExponent},
		"zeros before the modulus":     {line(kind, wire(kind, []byte{1, 0, 1}, padded)), sshkey.ErrDamaged},
		"zeros before the exponent":    {line(kind, wire(kind, []byte{0, 1, 0, 1}, padded[1:])), sshkey.ErrDamaged},
		"the exponent zero, spelled":   {line(kind, wire(kind, []byte{0}, padded[1:])), sshkey.ErrRSAExponent},
		"a modulus without its sign":   {line(kind, wire(kind, []byte{1, 0, 1}, n.Bytes())), sshkey.ErrRSAModulus},
		"no modulus":                   {line(kind, wire(kind, []byte{1, 0, 1})), sshkey.ErrDamaged},
		"a byte after the modulus":     {line(kind, append(wire(kind, []byte{1, 0, 1}, padded[1:]), 0)), sshkey.ErrTrailing},
		"a signature's type inside":    {line(kind, wire("rsa-sha2-512", []byte{1, 0, 1}, padded[1:])), sshkey.ErrMismatch},
	} {
		t.Run(name, func(t *testing.T) { refused(t, tt.text, tt.want) })
	}
}
