package sftpd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/server/sftpd"
	"latchkey/service/racetest"
)

// keyFolder has host keys already: making them takes a second.
func keyFolder(t *testing.T) string {
	t.Helper()
	texts, err := hostKeys()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestHostKeysAreKept(t *testing.T) {
	folder := keyFolder(t)
	if err := os.Remove(filepath.Join(folder, "ssh_host_ed25519_key")); err != nil {
		t.Fatal(err)
	}
	var made [8]string
	racetest.AtOnce(len(made), func(i int) {
		keys, err := sftpd.HostKeys(folder)
		if err != nil || len(keys) != 3 {
			t.Errorf("HostKeys = %d keys, %v", len(keys), err)
			return
		}
		made[i] = keys[0].Fingerprint()
	})
	for _, fingerprint := range made {
		if fingerprint != made[0] || !strings.HasPrefix(fingerprint, "SHA256:") {
			t.Errorf("fingerprints %v, want one", made)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 3 {
		t.Errorf("files %v, %v, want three", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", f.Name(), info, err)
		}
	}
	own := putKey(t, folder, "ssh_host_ed25519_key", nil)
	if keys, err := sftpd.HostKeys(folder); err != nil || keys[0].Fingerprint() != own {
		t.Errorf("the operator's own key: %v, want %s", err, own)
	}
}

// putKey puts a new key there and returns its fingerprint.
func putKey(t *testing.T, folder, name string, passphrase []byte) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != nil {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", passphrase)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.FingerprintSHA256(signer.PublicKey())
}

func TestBadHostKeysAreRefusedInWords(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(folder, file string) error
		want  string
	}{
		"others may read it": {func(_, file string) error { return os.Chmod(file, 0o640) }, "chmod 600"},
		"it is no key":       {func(_, file string) error { return os.WriteFile(file, []byte("nonsense"), 0o600) }, "remove it to have a new one made"},
		"it is empty":        {func(_, file string) error { return os.Truncate(file, 0) }, "remove it to have a new one made"},
		"it is a folder": {func(_, file string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return os.Mkdir(file, 0o700)
		}, "read SSH host key"},
		"it has a passphrase": {func(folder, file string) error {
			putKey(t, folder, filepath.Base(file), []byte("secret"))
			return nil
		}, "ssh-keygen -p"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := keyFolder(t)
			if err := tt.spoil(folder, filepath.Join(folder, "ssh_host_ecdsa_key")); err != nil {
				t.Fatal(err)
			}
			if _, err := sftpd.HostKeys(folder); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "SSH host key") && !strings.Contains(err.Error(), "ssh_host_ecdsa_key") {
				t.Errorf("HostKeys = %v, want words with %q", err, tt.want)
			}
		})
	}
}
