package sshkey_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/service/fault"
	"latchkey/service/sshkey"
)

// refused checks that text is refused for that reason, and that the refusal
// repeats nothing of it.
func refused(t *testing.T, text string, want *fault.Error) {
	t.Helper()
	key, err := sshkey.Parse(text)
	if !errors.Is(err, want) {
		t.Fatalf("Parse = %+v, %v, want %v", key, err, want)
	}
	if key != (sshkey.Key{}) {
		t.Errorf("Parse returns %+v beside its refusal", key)
	}
	failure := fault.Of(err)
	if failure.Kind != fault.Invalid || !strings.HasPrefix(failure.Text, "provided key invalid: ") {
		t.Errorf("refusal is of kind %d and says %q", failure.Kind, failure.Text)
	}
	for word := range strings.FieldsSeq(text) {
		if len(word) > 12 && strings.Contains(err.Error(), word) {
			t.Errorf("refusal %q repeats %q of the text", err, word)
		}
	}
}

// A vector's name begins with the code of its refusal.
func TestParseRefusesVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "refuse", "*.pub"))
	if err != nil || len(files) < 10 {
		t.Fatalf("vectors: %v, %v", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pub")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code, _, _ := strings.Cut(name, "-")
			refused(t, string(text), fault.New(fault.Invalid, "ssh_key_"+code, ""))
		})
	}
}

func TestParseRefusesLines(t *testing.T) {
	key, other := ed25519Line(t), ed25519Line(t)
	data := strings.TrimPrefix(key, "ssh-ed25519 ")
	for name, tt := range map[string]struct {
		text string
		want *fault.Error
	}{
		"nothing":                             {"", sshkey.ErrEmpty},
		"blanks":                              {" \t\r\n \n", sshkey.ErrEmpty},
		"one byte more than 16 KiB":           {key + " " + strings.Repeat("c", 16<<10-len(key)), sshkey.ErrTooLong},
		"16 KiB of blanks around":             {key + strings.Repeat("\n", 16<<10), sshkey.ErrTooLong},
		"two keys":                            {key + "\n" + other, sshkey.ErrLines},
		"the same key twice":                  {key + "\n" + key + "\n", sshkey.ErrLines},
		"two keys that lost their line end":   {key + " me " + other, sshkey.ErrLines},
		"a key and a certificate on one line": {key + " ssh-rsa-cert-v01@openssh.com AAAAfoo", sshkey.ErrLines},
		"garbage before the key":              {"hello\n" + key, sshkey.ErrLines},
		"garbage after the key":               {key + "\nhello", sshkey.ErrLines},
		"a comment line before the key":       {"# mine\n" + key, sshkey.ErrLines},
		"a comment line after the key":        {key + "\r\n# mine", sshkey.ErrLines},
		"only a comment line":                 {"#" + key, sshkey.ErrLines},
		"key data broken by a line end":       {key[:40] + "\n" + key[40:], sshkey.ErrLines},
		"a lone carriage return":              {key + "\rhello", sshkey.ErrLines},
		"known_hosts by name":                 {"files.example,192.0.2.7 " + key, sshkey.ErrKnownHosts},
		"known_hosts by port":                 {"[files.example]:2022 " + key, sshkey.ErrKnownHosts},
		"known_hosts by hash":                 {"|1|UJHMflG9Yyu6ZLztXt0xV4egqUA=|v52ZiT71QbZELqcv0AWACnNU9Og= " + key, sshkey.ErrKnownHosts},
		"a marker of an authority":            {"@cert-authority *.example " + key, sshkey.ErrMarker},
		"a marker of a revoked key":           {"@revoked * " + key, sshkey.ErrMarker},
		"an unknown type":                     {"ssh-ed448 " + data, sshkey.ErrType},
		"an upper-case type":                  {"SSH-ED25519 " + data, sshkey.ErrType},
		"a mixed-case type":                   {"ssh-Ed25519 " + data, sshkey.ErrType},
		"a signature's type":                  {"rsa-sha2-256 " + data, sshkey.ErrType},
		"a type of no standard":               {"ecdsa-sha2-nistp192 " + data, sshkey.ErrType},
		"a key of SSH 1":                      {"2048 65537 1234567890123456789 me", sshkey.ErrType},
		"only the key data":                   {data, sshkey.ErrType},
		"a quoted key":                        {`"` + key + `"`, sshkey.ErrType},
		"only the type":                       {"ssh-ed25519", sshkey.ErrBase64},
		"a comment in place of the data":      {"ssh-ed25519 me@laptop", sshkey.ErrBase64},
		"key data of nothing but padding":     {"ssh-ed25519 ====", sshkey.ErrBase64},
		"data cut at the end":                 {key[:len(key)-1], sshkey.ErrBase64},
		"data in the URL's alphabet":          {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI_-_", sshkey.ErrBase64},
		"data without its padding":            {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AA", sshkey.ErrBase64},
		"padding that is not zero":            {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AB==", sshkey.ErrBase64},
		"data after the padding":              {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AA==AAAA", sshkey.ErrBase64},
	} {
		t.Run(name, func(t *testing.T) { refused(t, tt.text, tt.want) })
	}
}

func TestParseRefusesOptions(t *testing.T) {
	for _, options := range []string{
		`command="/bin/sh"`, `command="echo hello"`, `from="10.0.0.0/8,192.0.2.1"`, `environment="A=b"`,
		`expiry-time="20300101"`, `permitopen="*:*"`, `permitlisten="8080"`, `principals="a,b"`, `tunnel="0"`,
		"restrict", "restrict,pty", "no-pty", "no-port-forwarding,no-X11-forwarding", "X11-forwarding",
		"agent-forwarding", "user-rc", "cert-authority", "verify-required", "no-touch-required",
		"RESTRICT", "Command=x", `unheard-of="x"`,
	} {
		t.Run(options, func(t *testing.T) { refused(t, options+" "+ed25519Line(t), sshkey.ErrOptions) })
	}
}

func TestParseRefusesCharacters(t *testing.T) {
	key := ed25519Line(t)
	for name, text := range map[string]string{
		"NUL in the comment":               key + " me\x00",
		"NUL at the end":                   key + "\x00",
		"an escape sequence":               key + " \x1b[2Jme",
		"a bell":                           key + " \a",
		"a tab inside the comment":         key + " my\tlaptop",
		"a delete":                         key + " me\x7f",
		"a control character of Latin-1":   key + " me\u0085you",
		"a line separator":                 key + " me\u2028you",
		"an override of the direction":     key + " \u202egnp.exe",
		"a byte order mark":                "\ufeff" + key,
		"a vertical tab as a blank":        key + "\v",
		"a comment that is not UTF-8":      key + " J\xfcrgen",
		"UTF-16":                           "s\x00s\x00h\x00-\x00e\x00d\x002\x005\x005\x001\x009\x00",
		"a soft hyphen between the fields": strings.Replace(key, " ", "\u00ad ", 1),
	} {
		t.Run(name, func(t *testing.T) { refused(t, text, sshkey.ErrControl) })
	}
}

func TestParseRefusesPrivateKeys(t *testing.T) {
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(edKey, "me")
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(edKey)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	openssh := string(pem.EncodeToMemory(block))
	putty := "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: me\r\nPublic-Lines: 2\r\n" +
		"AAAA\r\nPrivate-Lines: 1\r\nAAAAsecretsecret\r\nPrivate-MAC: 00\r\n"
	plain := ed25519Line(t)
	for name, text := range map[string]string{
		"OpenSSH":                        openssh,
		"OpenSSH after a public key":     plain + "\n" + openssh,
		"OpenSSH before a public key":    openssh + plain,
		"OpenSSH in one line":            strings.ReplaceAll(openssh, "\n", " "),
		"OpenSSH with other line ends":   strings.ReplaceAll(openssh, "\n", "\r\n"),
		"OpenSSH quoted for JSON":        strings.ReplaceAll(openssh, "\n", `\n`),
		"OpenSSH without its armour":     strings.Split(openssh, "\n")[1],
		"OpenSSH, only the second half":  openssh[len(openssh)/2:],
		"OpenSSH, beyond 16 KiB":         openssh + strings.Repeat(" ", 16<<10),
		"OpenSSH in a public key's text": plain + " " + strings.Split(openssh, "\n")[1],
		"PKCS #8":                        string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
		"PKCS #8, sealed":                string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: pkcs8})),
		"PKCS #1": string(pem.EncodeToMemory(&pem.Block{
			Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey),
		})),
		"SEC 1":             string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})),
		"DSA":               "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n",
		"ssh.com":           "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
		"SSH 1":             "SSH PRIVATE KEY FILE FORMAT 1.1\n\x00\x00",
		"PuTTY":             putty,
		"PuTTY of old":      strings.Replace(putty, "File-3", "File-2", 1),
		"PuTTY, the middle": "Private-Lines: 1\r\nAAAAsecretsecret",
		"PuTTY, the end":    "AAAAsecretsecret\r\nPrivate-MAC: 00",
		"lower-case armour": "-----begin openssh private key-----\nAAAA",
	} {
		t.Run(name, func(t *testing.T) { refused(t, text, sshkey.ErrPrivate) })
	}
}
