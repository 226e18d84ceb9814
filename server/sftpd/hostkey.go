package sftpd

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/ssh"
)

// rsaBits is the size of the RSA host key that is made.
const rsaBits = 3072

// hostKeyKind is one of the server's host keys.
type hostKeyKind struct {
	file string
	make func() (crypto.PrivateKey, error)
}

// hostKeyKinds are in the order in which they are offered.
func hostKeyKinds() []hostKeyKind {
	return []hostKeyKind{
		{"ssh_host_ed25519_key", func() (crypto.PrivateKey, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}},
		{"ssh_host_ecdsa_key", func() (crypto.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
		{"ssh_host_rsa_key", func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, rsaBits) }},
	}
}

// HostKey is a key that the server proves itself with.
type HostKey struct {
	File   string
	Signer ssh.Signer
}

// Fingerprint is the key's in OpenSSH's form.
func (k HostKey) Fingerprint() string { return ssh.FingerprintSHA256(k.Signer.PublicKey()) }

// HostKeys reads the host keys from the folder, in OpenSSH's form, and makes
// those that are missing. A key that others can read is refused: it has to be
// taken for known.
func HostKeys(folder string) ([]HostKey, error) {
	var keys []HostKey
	for _, kind := range hostKeyKinds() {
		file := filepath.Join(folder, kind.file)
		signer, err := readHostKey(file)
		if errors.Is(err, fs.ErrNotExist) {
			if err = makeHostKey(file, kind.make); err == nil {
				signer, err = readHostKey(file)
			}
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, HostKey{File: file, Signer: signer})
	}
	return keys, nil
}

func readHostKey(file string) (ssh.Signer, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a fixed name in the operator's folder
	if err != nil {
		return nil, fmt.Errorf("read SSH host key: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("read SSH host key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and remove it to have a new one made if somebody may have read it",
			file, info.Mode().Perm())
	}
	signer, err := ssh.ParsePrivateKey(text)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, fmt.Errorf("%s has a passphrase, and a server has nobody to ask: remove it with  ssh-keygen -p -f %s", file, file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no private key in OpenSSH's form: restore it from a backup, or remove it to have a new one made", file)
	}
	return modern(signer)
}

// modern keeps RSA keys from signing with SHA-1.
func modern(signer ssh.Signer) (ssh.Signer, error) {
	if signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer, nil
	}
	able, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("this RSA key cannot sign with SHA-2")
	}
	return ssh.NewSignerWithAlgorithms(able, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256})
}

// makeHostKey writes a new key under its name at once, so that nobody reads half
// of one. If somebody else was quicker, theirs stays.
func makeHostKey(file string, generate func() (crypto.PrivateKey, error)) error {
	key, err := generate()
	if err != nil {
		return fmt.Errorf("make SSH host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "latchkey")
	if err != nil {
		return fmt.Errorf("make SSH host key: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // 0600
	if err != nil {
		return fmt.Errorf("make SSH host key: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	err = errors.Join(pem.Encode(f, block), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), file)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission): // a file system without links
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write SSH host key: %w", err)
	}
	return nil
}
