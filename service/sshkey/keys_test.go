package sshkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

// line is a blob in the one-line form.
func line(kind string, blob []byte) string {
	return kind + " " + base64.StdEncoding.EncodeToString(blob)
}

// ed25519Blob is a fresh Ed25519 key.
func ed25519Blob(t testing.TB) []byte {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return wire(ssh.KeyAlgoED25519, pub)
}

// ed25519Line is a fresh key without a comment.
func ed25519Line(t testing.TB) string {
	t.Helper()
	return line(ssh.KeyAlgoED25519, ed25519Blob(t))
}

// point is a fresh point on a curve, uncompressed.
func point(t testing.TB, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// modulus is odd and has exactly so many bits. It has no two prime factors, but
// no parser can know.
func modulus(t testing.TB, bits int) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1)))
	if err != nil {
		t.Fatal(err)
	}
	n.SetBit(n, bits-1, 1)
	return n.SetBit(n, 0, 1)
}

// rsaLine is an RSA key of those numbers.
func rsaLine(e, n *big.Int) string {
	return line(ssh.KeyAlgoRSA, ssh.Marshal(struct {
		Kind string
		E, N *big.Int
	}{ssh.KeyAlgoRSA, e, n}))
}

// wire is a blob of strings.
func wire[T ~string | ~[]byte](kind string, fields ...T) []byte {
	blob := ssh.Marshal(struct{ Field string }{kind})
	for _, f := range fields {
		blob = append(blob, ssh.Marshal(struct{ Field []byte }{[]byte(f)})...)
	}
	return blob
}

// vector is a file under testdata.
func vector(t testing.TB, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// with is a copy of blob with one byte changed.
func with(blob []byte, at int, value byte) []byte {
	blob = bytes.Clone(blob)
	blob[at] = value
	return blob
}
