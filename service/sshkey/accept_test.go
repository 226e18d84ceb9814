package sshkey_test

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/service/sshkey"
)

// The vectors are ssh-keygen's of OpenSSH 9.2, except the two of security keys,
// which it only confirmed: their keys live in hardware. The file fingerprints
// is what ssh-keygen -l says about all of them.
func TestParseAgreesWithSSHKeygen(t *testing.T) {
	for entry := range strings.SplitSeq(strings.TrimSpace(vector(t, "accept", "fingerprints")), "\n") {
		file, fingerprint, _ := strings.Cut(entry, " ")
		t.Run(file, func(t *testing.T) {
			text := vector(t, "accept", file)
			key, err := sshkey.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			fields := strings.SplitN(strings.TrimSpace(text), " ", 3)
			want := sshkey.Key{
				Type:        fields[0],
				PublicKey:   fields[0] + " " + fields[1],
				Fingerprint: fingerprint,
				Comment:     fields[2],
			}
			if file == "rsa2048.pub" {
				want.Note = "RSA below 3072 bits; consider Ed25519"
			}
			if key != want {
				t.Errorf("Parse = %+v, want %+v", key, want)
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	blob := ed25519Blob(t)
	plain := line(ssh.KeyAlgoED25519, blob)
	for name, tt := range map[string]struct{ text, comment string }{
		"a key without a comment":                    {plain, ""},
		"a line end":                                 {plain + "\n", ""},
		"the line end of Windows":                    {plain + " me\r\n", "me"},
		"blanks and empty lines at both ends":        {"\r\n\n \t " + plain + " me \t\n \r\n\n", "me"},
		"several blanks between the fields":          {strings.Replace(plain, " ", " \t ", 1) + "\t  me", "me"},
		"a comment of several words":                 {plain + "  my  old laptop", "my  old laptop"},
		"a comment in other scripts":                 {plain + " Jürgen Ноутбук 筆記本 💻", "Jürgen Ноутбук 筆記本 💻"},
		"a comment with joiners":                     {plain + " 👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"},
		"a comment that begins like one of a script": {plain + " # command=\"x\"", "# command=\"x\""},
		"a comment that speaks of a private key":     {plain + " my private key", "my private key"},
		"a comment that names a type":                {plain + " ssh-rsa successor", "ssh-rsa successor"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := sshkey.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(blob)
			want := sshkey.Key{
				Type:        "ssh-ed25519",
				PublicKey:   plain,
				Fingerprint: "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]),
				Comment:     tt.comment,
			}
			if key != want {
				t.Errorf("Parse = %+v, want %+v", key, want)
			}
		})
	}
}

func TestParseAcceptsTextOf16KiB(t *testing.T) {
	text := ed25519Line(t) + " "
	text += strings.Repeat("c", 16<<10-len(text))
	if _, err := sshkey.Parse(text); err != nil {
		t.Errorf("Parse of %d bytes = %v", len(text), err)
	}
}

func TestParseAcceptsKinds(t *testing.T) {
	const note = "RSA below 3072 bits; consider Ed25519"
	sk := wire(ssh.KeyAlgoSKECDSA256, "nistp256", string(point(t, elliptic.P256())), "ssh:work")
	for name, tt := range map[string]struct{ text, note string }{
		"P-256": {line(ssh.KeyAlgoECDSA256, wire(ssh.KeyAlgoECDSA256, "nistp256", string(point(t, elliptic.P256())))), ""},
		"P-384": {line(ssh.KeyAlgoECDSA384, wire(ssh.KeyAlgoECDSA384, "nistp384", string(point(t, elliptic.P384())))), ""},
		"P-521": {line(ssh.KeyAlgoECDSA521, wire(ssh.KeyAlgoECDSA521, "nistp521", string(point(t, elliptic.P521())))), ""},

		"a security key with P-256":      {line(ssh.KeyAlgoSKECDSA256, sk), ""},
		"a security key with Ed25519":    {line(ssh.KeyAlgoSKED25519, wire(ssh.KeyAlgoSKED25519, strings.Repeat("k", 32), "ssh:")), ""},
		"RSA of 2048 bits, with a note":  {rsaLine(big.NewInt(65537), modulus(t, 2048)), note},
		"RSA of 3071 bits, with a note":  {rsaLine(big.NewInt(65537), modulus(t, 3071)), note},
		"RSA of 3072 bits":               {rsaLine(big.NewInt(65537), modulus(t, 3072)), ""},
		"RSA of 8192 bits":               {rsaLine(big.NewInt(65537), modulus(t, 8192)), ""},
		"RSA with the smallest exponent": {rsaLine(big.NewInt(3), modulus(t, 4096)), ""},
		"RSA with the largest exponent":  {rsaLine(big.NewInt(1<<24-1), modulus(t, 4096)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := sshkey.Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if key.PublicKey != tt.text || key.Note != tt.note {
				t.Errorf("Parse = %+v, want note %q", key, tt.note)
			}
		})
	}
}
