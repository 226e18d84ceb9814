package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAdminPasswords(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"a good one":                  {password, ""},
		"8 letters of any alphabet":   {"пароль12", ""},
		"blanks at the ends":          {"  eight  ", ""},
		"256 characters":              {strings.Repeat("aé", 128), ""},
		"an empty one":                {"", "is empty"},
		"7 characters":                {"пароль1", "too short"},
		"257 characters":              {strings.Repeat("aé", 128) + "x", "too long"},
		"an obvious one":              {"PassWord", "first that attackers try"},
		"another obvious one":         {"admin123", "first that attackers try"},
		"one character over and over": {"éééééééé", "over and over"},
		"one with a line break":       {"correct\nhorse", "line break"},
		"one that cannot be typed":    {"correct\xff horse", "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, []string{"LATCHKEY_ADMIN_PASSWORD=" + tt.in})
			if tt.want != "" {
				wantLine(t, err, "environment: LATCHKEY_ADMIN_PASSWORD ", tt.want)
				return
			}
			if err != nil || c.AdminPassword.Reveal() != tt.in {
				t.Errorf("Load = %q, %v", c.AdminPassword.Reveal(), err)
			}
		})
	}
}

func TestMasterKeys(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"64 digits":               {key, ""},
		"capital digits":          {strings.ToUpper(key), ""},
		"none":                    {"", "is empty"},
		"62 digits":               {key[2:], "has not 64 digits"},
		"63 digits":               {key[1:], "has not 64 digits"},
		"another letter":          {"x" + key[1:], "no hex digit"},
		"all zero":                {strings.Repeat("0", 64), "is not random"},
		"a pattern from a manual": {strings.Repeat("0123456789abcdef", 4), "is not random"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, []string{"LATCHKEY_MASTER_KEY=" + tt.in})
			if tt.want != "" {
				wantLine(t, err, "LATCHKEY_MASTER_KEY", tt.want, "openssl rand -hex 32")
				return
			}
			if err != nil || len(c.MasterKeyBytes()) != 32 {
				t.Errorf("Load = %d bytes, %v", len(c.MasterKeyBytes()), err)
			}
		})
	}
	if got := mustLoad(t, nil).MasterKeyBytes(); got != nil {
		t.Errorf("without a key there are %d bytes", len(got))
	}
}

func TestSecretsFromFiles(t *testing.T) {
	for name, in := range map[string]string{
		"as it is":           password,
		"with a line break":  password + "\n",
		"with a Windows one": password + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, []string{"LATCHKEY_ADMIN_PASSWORD_FILE=" + write(t, "pw", in)})
			if got := c.AdminPassword.Reveal(); got != password {
				t.Errorf("password = %q", got)
			}
		})
	}
	for name, tt := range map[string]struct {
		environ []string
		want    []string
	}{
		"missing":         {[]string{"LATCHKEY_MASTER_KEY_FILE=/nowhere/key"}, []string{"LATCHKEY_MASTER_KEY_FILE", "/nowhere/key", "does not exist"}},
		"a folder":        {[]string{"LATCHKEY_MASTER_KEY_FILE=" + t.TempDir()}, []string{"LATCHKEY_MASTER_KEY_FILE", "not a file"}},
		"too long":        {[]string{"LATCHKEY_MASTER_KEY_FILE=" + write(t, "k", strings.Repeat("a", 5000))}, []string{"too long"}},
		"two line breaks": {[]string{"LATCHKEY_ADMIN_PASSWORD_FILE=" + write(t, "p", password+"\n\n")}, []string{"ADMIN_PASSWORD_FILE", "line break"}},
		"a wrong secret":  {[]string{"LATCHKEY_ADMIN_PASSWORD_FILE=" + write(t, "p", "short\n")}, []string{"ADMIN_PASSWORD_FILE is too short"}},
		"both forms": {
			[]string{"LATCHKEY_ADMIN_PASSWORD=" + password, "LATCHKEY_ADMIN_PASSWORD_FILE=x"},
			[]string{"LATCHKEY_ADMIN_PASSWORD is set, and so is LATCHKEY_ADMIN_PASSWORD_FILE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.environ)
			wantLine(t, err, tt.want...)
		})
	}
}

// openDir is a folder that every user can enter, with all above it, or the
// test is skipped.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, ours := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(ours, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			t.Skipf("%s is closed to others", at)
		}
	}
	return dir
}

func TestASecretThatEverybodyCanReadIsRefused(t *testing.T) {
	dir := openDir(t)
	path := filepath.Join(dir, "pw")
	if err := os.WriteFile(path, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	environ := []string{"LATCHKEY_ADMIN_PASSWORD_FILE=" + path}
	_, err := load(t, environ)
	wantLine(t, err, "LATCHKEY_ADMIN_PASSWORD_FILE", path, "every user of this machine", "chmod 600")

	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(closed, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	_, err = load(t, []string{"LATCHKEY_ADMIN_PASSWORD_FILE=" + link})
	wantLine(t, err, "every user of this machine")

	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, environ); err != nil {
		t.Errorf("in a closed folder: %v", err)
	}
}

// pair writes a new certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(4e9, 0)}
	public, err := x509.CreateCertificate(rand.Reader, form, form, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}))),
		write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

func TestCertificateAndKey(t *testing.T) {
	cert, private := pair(t)
	_, other := pair(t)
	_, err := load(t, nil, "--tls-cert", "/nowhere", "--tls-key", private)
	if err == nil || strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("a certificate that is away is one mistake, not: %v", err)
	}
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"of one pair":        {[]string{"--tls-cert", cert, "--tls-key", private}, nil},
		"neither":            {[]string{"--tls-cert=", "--tls-key="}, nil},
		"certificate alone":  {[]string{"--tls-cert", cert}, []string{"--tls-cert", "has no key", "both, or neither"}},
		"key alone":          {[]string{"--tls-key", private}, []string{"--tls-key", "has no certificate"}},
		"of two pairs":       {[]string{"--tls-cert", cert, "--tls-key", other}, []string{"--tls-key", cert, "do not belong together"}},
		"no PEM":             {[]string{"--tls-cert", write(t, "x", "x"), "--tls-key", private}, []string{"not a key and a certificate"}},
		"a key that is away": {[]string{"--tls-cert", cert, "--tls-key", "/nowhere/key"}, []string{"--tls-key", "does not exist"}},
		"a folder":           {[]string{"--tls-cert", t.TempDir(), "--tls-key", private}, []string{"--tls-cert", "not a file"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, nil, tt.args...)
			if tt.want != nil {
				wantLine(t, err, tt.want...)
			} else if err != nil {
				t.Errorf("Load: %v", err)
			}
		})
	}

	open := filepath.Join(openDir(t), "key.pem")
	text, err := os.ReadFile(private)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(open, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = load(t, nil, "--tls-cert", cert, "--tls-key", open)
	wantLine(t, err, "--tls-key", "every user of this machine")
}
