package config

import (
	"crypto/tls"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// check judges every field but those of skip, and what must fit together.
func (c Config) check(from func(setting) origin, skip map[string]bool) Mistakes {
	var bad Mistakes
	sound := map[string]setting{}
	for _, s := range settings() {
		if skip[s.key()] {
			continue
		}
		wrong := unprintable(s.text(c))
		if wrong == "" {
			wrong = s.check(c)
		}
		if wrong != "" {
			bad = append(bad, s.mistake(from(s), s.text(c), wrong))
			continue
		}
		sound[s.key()] = s
	}
	c.checkTogether(sound, func(s setting, problem, want string) {
		m := s.mistake(from(s), s.text(c), problem)
		m.Want = want
		bad = append(bad, m)
	})
	for _, s := range secretSettings() {
		secret := *s.at(&c)
		if wrong := s.rule(secret.Reveal()); secret.IsSet() && wrong != "" {
			bad = append(bad, s.mistake(origin{"configuration", s.env}, wrong))
		}
	}
	return bad
}

// checkTogether judges settings that need each other, if each is sound.
func (c Config) checkTogether(sound map[string]setting, add func(s setting, problem, want string)) {
	cert, certSound := sound["tls_cert"]
	key, keySound := sound["tls_key"]
	if certSound && keySound {
		c.checkPair(cert, key, add)
	}
	c.checkNotices(sound, add)
	// A use is written down at most TouchEvery late, so a login may end that
	// much too early.
	touch, touchSound := sound["touch_every"]
	_, idleSound := sound["idle_timeout"]
	if touchSound && idleSound && c.IdleTimeout > 0 && c.TouchEvery > c.IdleTimeout/2 {
		add(touch, "is too long for an idle timeout of "+showSpan(c.IdleTimeout), "at most half of that")
	}
}

// checkPair wants certificate and key, or neither.
func (c Config) checkPair(cert, key setting, add func(s setting, problem, want string)) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
	case c.TLSKey == "":
		add(cert, "has no key", "both, or neither, of certificate and key")
	case c.TLSCert == "":
		add(key, "has no certificate", "both, or neither, of certificate and key")
	default:
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			add(key, "and "+shown(c.TLSCert)+" do not belong together, or are not a key and a certificate",
				"PEM files of one pair")
		}
	}
}

func certFile(in string) string {
	if in == "" {
		return ""
	}
	if _, err := readUpTo(in, 1); err != nil {
		return unreadable(err)
	}
	return ""
}

// logFile takes a path that can be written to or made: the folder has to be
// there.
func logFile(in string) string {
	if in == "" {
		return ""
	}
	if info, err := os.Stat(in); err == nil && info.IsDir() {
		return "is a folder"
	}
	if info, err := os.Stat(filepath.Dir(in)); err != nil || !info.IsDir() {
		return "is in a folder that is not there"
	}
	return ""
}

func keyFile(in string) string {
	if wrong := certFile(in); in == "" || wrong != "" {
		return wrong
	}
	return exposed(in)
}

// exposed says so if every user of the machine can read a file with a secret:
// by its mode and that of all folders above. Containers' secrets are exempt;
// only the container sees them. A file that is not there is not exposed.
func exposed(path string) string {
	const everybodyReads, everybodyEnters = 0o004, 0o001
	whole, err := filepath.Abs(path)
	if err != nil || runtime.GOOS == "windows" || isMounted(whole) {
		return ""
	}
	if whole, err = filepath.EvalSymlinks(whole); err != nil {
		return ""
	}
	info, err := os.Stat(whole)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&everybodyReads == 0 {
		return ""
	}
	for dir := filepath.Dir(whole); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err = os.Stat(dir); err == nil && info.Mode().Perm()&everybodyEnters == 0 {
			return ""
		}
	}
	return "can be read by every user of this machine (chmod 600 it)"
}

// isMounted knows where container engines put secrets.
func isMounted(path string) bool {
	return strings.HasPrefix(path, "/run/secrets/") || strings.HasPrefix(path, "/var/run/secrets/")
}

func readUpTo(path string, most int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
