package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"unicode/utf8"

	"latchkey/service/keyring"
)

// Secret is a text that formatting, logging and encoding do not show.
type Secret struct{ text string }

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal is the text.
func (s Secret) Reveal() string { return s.text }

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.text != "" }

// Equal reports whether both are the same. It takes longer the more they agree.
func (s Secret) Equal(other Secret) bool { return s.text == other.text }

// String says whether there is a text.
func (s Secret) String() string {
	if s.IsSet() {
		return "(set)"
	}
	return "(not set)"
}

// Format is String for every verb: %d would look inside otherwise.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, s.String()) }

// MarshalText is String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MasterKeyBytes is the master key's 32 bytes, or nil if there is none.
func (c Config) MasterKeyBytes() []byte { return c.MasterKey.keyBytes() }

// NewMasterKeyBytes is the new master key's 32 bytes, or nil if there is none.
func (c Config) NewMasterKeyBytes() []byte { return c.NewMasterKey.keyBytes() }

func (s Secret) keyBytes() []byte {
	key, err := hex.DecodeString(s.text)
	if err != nil || len(key) == 0 {
		return nil
	}
	return key
}

// secretSetting is one row of the table of secrets. They come from the
// environment only: other users can see flags, and files get shared.
type secretSetting struct {
	env   string
	usage string
	want  string
	at    func(*Config) *Secret
	rule  func(string) string
}

// fileEnv is the variable that names a file with the secret in it.
func (s secretSetting) fileEnv() string { return s.env + "_FILE" }

func secretSettings() []secretSetting {
	return append([]secretSetting{
		{
			envPrefix + "ADMIN_PASSWORD", "admin's password at the first start; without it one is made and printed once",
			"8 to 256 characters, not a common password",
			func(c *Config) *Secret { return &c.AdminPassword }, adminPassword,
		},
		{
			envPrefix + "MASTER_KEY", "key that seals the stored keys; without it one is kept in the data folder",
			"64 hex digits, such as openssl rand -hex 32 makes",
			func(c *Config) *Secret { return &c.MasterKey }, masterKey,
		},
		{
			envPrefix + "NEW_MASTER_KEY", "key that latchkey keys change-master puts in the place of the master key",
			"64 hex digits, such as openssl rand -hex 32 makes",
			func(c *Config) *Secret { return &c.NewMasterKey }, masterKey,
		},
	}, noticeSecrets()...)
}

// secretTexts is the secrets' variables, by name.
type secretTexts map[string]string

func (t secretTexts) apply(c *Config) Mistakes {
	var bad Mistakes
	for _, s := range secretSettings() {
		in, given := t[s.env]
		path, inFile := t[s.fileEnv()]
		from := origin{environment, s.env}
		switch {
		case given && inFile:
			m := from.mistake("is set, and so is " + s.fileEnv())
			m.Want = "one of them"
			bad = append(bad, m)
			continue
		case inFile:
			from.name = s.fileEnv()
			text, wrong := secretFile(path)
			if wrong != "" {
				m := from.mistake(wrong)
				m.Value, m.Want = shown(path), "a file with "+s.want+" in it"
				bad = append(bad, m)
				continue
			}
			in = text
		case !given:
			continue
		}
		if wrong := s.rule(in); wrong != "" {
			bad = append(bad, s.mistake(from, wrong))
			continue
		}
		*s.at(c) = NewSecret(in)
	}
	return bad
}

func (s secretSetting) mistake(from origin, wrong string) Mistake {
	m := from.mistake(wrong)
	m.Want = s.want
	return m
}

// secretFile reads a secret, without one line break at its end.
func secretFile(path string) (text, wrong string) {
	if wrong = exposed(path); wrong != "" {
		return "", wrong
	}
	const most = 4096 // bytes; every secret is shorter
	in, err := readUpTo(path, most+1)
	switch {
	case err != nil:
		return "", unreadable(err)
	case len(in) > most:
		return "", "is too long"
	}
	text = strings.TrimSuffix(string(in), "\n")
	return strings.TrimSuffix(text, "\r"), ""
}

func adminPassword(in string) string {
	first, _ := utf8.DecodeRuneInString(in)
	switch length := utf8.RuneCountInString(in); {
	case in == "":
		return "is empty"
	case unprintable(in) != "":
		return unprintable(in)
	case length < 8:
		return "is too short"
	case length > 256:
		return "is too long"
	case strings.Trim(in, string(first)) == "":
		return "is one character over and over"
	case isObvious(strings.ToLower(in)):
		return "is among the first that attackers try"
	}
	return ""
}

// isObvious knows the few that people set "for now".
func isObvious(password string) bool {
	switch password {
	case "password", "password1", "password123", "passw0rd", "p@ssw0rd", "admin123", "admin1234", "adminadmin",
		"administrator", "12345678", "123456789", "1234567890", "87654321", "qwertyui", "qwerty123", "1q2w3e4r",
		"iloveyou", "changeme", "changeit", "letmein1", "welcome1", "latchkey", "latchkey123", "alistadmin":
		return true
	}
	return false
}

// masterKey refuses what the keyring would refuse at start, in the words of a
// mistake.
func masterKey(in string) string {
	key, err := hex.DecodeString(in)
	switch {
	case in == "":
		return "is empty"
	case errors.Is(err, hex.ErrLength) || (err == nil && len(in) != 64):
		return "has not 64 digits"
	case err != nil:
		return "has something in it that is no hex digit"
	case keyring.IsWeak(key):
		return "is not random"
	}
	return ""
}

func unreadable(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "does not exist"
	case errors.Is(err, os.ErrPermission):
		return "may not be read by this user"
	}
	return "cannot be read, or is not a file"
}
