package sshkey

import (
	"fmt"

	"latchkey/service/fault"
)

// What the service answers besides the refusals of Parse.
var (
	// ErrTitle says that a title is empty, blank, longer than 255 characters
	// or holds something that cannot be seen.
	ErrTitle = fault.New(fault.Invalid, "ssh_key_title", "title must be 1 to 255 printable characters")
	// ErrTitleTaken says that the account has a key of that title.
	ErrTitleTaken = fault.New(fault.Invalid, "ssh_key_title_taken", "key with the same title already exists")
	// ErrKeyTaken says that the account has that key under another title.
	ErrKeyTaken = refusal("taken", "this key is already on your account")
	// ErrTooMany says that the account has as many keys as it may.
	ErrTooMany = fault.New(fault.Invalid, "ssh_key_limit", fmt.Sprintf("an account may have at most %d SSH keys", maxKeys))
	// ErrNoKey says that there is no such key, or that it is somebody else's.
	ErrNoKey = fault.New(fault.NotFound, "ssh_key_unknown", "failed to get public key")
	// ErrNoAccount says that the account was deleted while it added a key.
	ErrNoAccount = fault.New(fault.Unauthenticated, "ssh_key_account_gone", "token is invalidated")
)

// Why Parse refuses a text. None of them repeats any of it: it may be secret.
var (
	ErrPrivate     = refusal("private", "this is a private key, paste the .pub file; the pasted key should be considered exposed")
	ErrTooLong     = refusal("too_long", "the text is longer than 16 KiB")
	ErrEmpty       = refusal("empty", "the text is empty")
	ErrFormat      = refusal("format", "this is a PEM or SSH2 file, paste the one-line form that begins with the key type")
	ErrLines       = refusal("lines", "paste exactly one key on one line, with nothing before or after it")
	ErrControl     = refusal("control", "control and invisible characters are not allowed")
	ErrMarker      = refusal("marker", "this is a line with an @ marker, paste the plain public key")
	ErrOptions     = refusal("options", "options are fields here, not part of the key")
	ErrKnownHosts  = refusal("known_hosts", "this looks like a known_hosts line, paste the plain public key that begins with its type")
	ErrCertificate = refusal("certificate", "this is a certificate, paste the plain public key")
	ErrDSA         = refusal("dsa", "DSA keys are too weak, use Ed25519")
	ErrType        = refusal("type", "unknown key type; use Ed25519, ECDSA, RSA or a security key, the type spelled in lower case")
	ErrBase64      = refusal("base64", "the key data is missing or not canonical base64")
	ErrMismatch    = refusal("mismatch", "the key type in front is not the one inside the key data")
	ErrTrailing    = refusal("trailing", "the key data goes on after its end")
	ErrDamaged     = refusal("damaged", "the key data is damaged")
	ErrCurve       = refusal("curve", "the curve is not the one of the key type, or the point is not on it")
	ErrRSAShort    = refusal("rsa_short", "RSA keys need at least 2048 bits")
	ErrRSALong     = refusal("rsa_long", "RSA keys may have at most 8192 bits")
	ErrRSAExponent = refusal("rsa_exponent", "the RSA exponent must be odd, at least 3 and below 2^24")
	ErrRSAModulus  = refusal("rsa_modulus", "the RSA modulus must be positive and odd")
)

// refusal is an unusable key. The text begins with the words that AList's
// clients know.
func refusal(code, hint string) *fault.Error {
	return fault.New(fault.Invalid, "ssh_key_"+code, "provided key invalid: "+hint)
}
