package sshkey

import (
	"encoding/base64"
	"strings"

	"golang.org/x/crypto/ssh"

	"latchkey/service/label"
)

// maxText is the longest text that is looked at, in bytes. The largest
// RSA key that is accepted takes 1.4 KiB.
const maxText = 16 << 10

// blanks separate the fields of a line.
const blanks = " \t"

// Key is one plain public key.
type Key struct {
	Type        string // for example ssh-ed25519
	PublicKey   string // "type base64", without options and comment
	Fingerprint string // OpenSSH form: SHA256 of the blob
	Comment     string // printable, on one line; often empty
	Note        string // advice for the owner; empty if there is none
}

// Parse reads text as exactly one plain public key in OpenSSH's one-line form,
// the line of a .pub file. Anything else, and any key that is weak, malformed
// or encoded in a second way, is one of the Err… refusals, all fault.Invalid.
// A refusal never repeats the text.
func Parse(text string) (Key, error) {
	line, err := onlyLine(text)
	if err != nil {
		return Key{}, err
	}
	kind, rest := cutField(line)
	if !isSupported(kind) {
		return Key{}, explain(kind, rest)
	}
	data, comment := cutField(rest)
	if err := checkComment(comment); err != nil {
		return Key{}, err
	}
	blob, err := base64.StdEncoding.DecodeString(data)
	if err != nil || data == "" || base64.StdEncoding.EncodeToString(blob) != data {
		return Key{}, ErrBase64
	}
	pub, err := parseBlob(kind, blob)
	if err != nil {
		return Key{}, err
	}
	return Key{
		Type:        kind,
		PublicKey:   kind + " " + data,
		Fingerprint: ssh.FingerprintSHA256(pub),
		Comment:     comment,
		Note:        note(pub),
	}, nil
}

// onlyLine is the one line of text, without the blanks and line ends around
// it. All its characters are printable or tabs.
func onlyLine(text string) (string, error) {
	if isPrivate(text) {
		return "", ErrPrivate
	}
	if len(text) > maxText {
		return "", ErrTooLong
	}
	line := strings.Trim(text, blanks+"\r\n")
	switch {
	case line == "":
		return "", ErrEmpty
	case strings.HasPrefix(line, "-----BEGIN "), strings.HasPrefix(line, "---- BEGIN "):
		return "", ErrFormat
	case strings.ContainsAny(line, "\r\n"):
		return "", ErrLines
	case !label.IsPrintable(strings.ReplaceAll(line, "\t", " ")):
		return "", ErrControl
	}
	return line, nil
}

// isPrivate reports whether some of text looks like a private key: PEM of any
// kind (PKCS #1, PKCS #8, SEC 1, OpenSSH, ssh.com), even half of it, OpenSSH's
// without its armour, or PuTTY's.
func isPrivate(text string) bool {
	if strings.Contains(text, "b3BlbnNzaC1rZXktdjE") { // base64 of openssh-key-v1
		return true
	}
	upper := strings.ToUpper(text)
	for _, sign := range []string{
		"PRIVATE KEY--", "SSH PRIVATE KEY FILE FORMAT",
		"PUTTY-USER-KEY-FILE-", "PRIVATE-LINES:", "PRIVATE-MAC:",
	} {
		if strings.Contains(upper, sign) {
			return true
		}
	}
	_, armour, begins := strings.Cut(upper, "BEGIN ")
	return begins && strings.Contains(armour, "PRIVATE KEY")
}

// cutField splits line after its first field.
func cutField(line string) (field, rest string) {
	end := strings.IndexAny(line, blanks)
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], blanks)
}

// explain finds the words for a line that does not begin with the type of a
// key that is accepted.
func explain(first, rest string) error {
	second, _ := cutField(rest)
	switch {
	case strings.HasPrefix(first, "#"):
		return ErrLines
	case strings.HasPrefix(first, "@"):
		return ErrMarker
	case isCertificate(first):
		return ErrCertificate
	case first == ssh.InsecureKeyAlgoDSA: //nolint:staticcheck // named in order to refuse it
		return ErrDSA
	case isOption(first):
		return ErrOptions
	case strings.HasPrefix(first, "|1|"), isKeyType(second):
		return ErrKnownHosts
	}
	return ErrType
}

// isOption reports whether a line's first field begins with an option of
// authorized_keys (sshd(8)). One that sshd does not know passes for a host.
func isOption(field string) bool {
	if strings.Contains(field, `="`) {
		return true
	}
	name := field
	if end := strings.IndexAny(field, "=,"); end >= 0 {
		name = field[:end]
	}
	switch strings.TrimPrefix(strings.ToLower(name), "no-") {
	case "agent-forwarding", "cert-authority", "command", "environment", "expiry-time", "from",
		"permitlisten", "permitopen", "port-forwarding", "principals", "pty", "restrict",
		"touch-required", "tunnel", "user-rc", "verify-required", "x11-forwarding":
		return true
	}
	return false
}

// checkComment refuses tabs, the one character that the whole line may hold
// and a comment may not, and a comment that hides a second key.
func checkComment(comment string) error {
	if !label.IsPrintable(comment) {
		return ErrControl
	}
	words := strings.Fields(comment)
	for i, word := range words {
		if isKeyType(word) && i+1 < len(words) && strings.HasPrefix(words[i+1], "AAAA") {
			return ErrLines
		}
	}
	return nil
}
