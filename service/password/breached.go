package password

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the form in which breached passwords are published
	"encoding/hex"
	"errors"
	"fmt"
	"os"
)

// Breached is a list of passwords that are known from data breaches: a file of
// SHA-1 hashes in hex, one a line and in ascending order, each alone or as
// HASH:COUNT, the form in which Have I Been Pwned hands them out. Nothing of it
// is kept in memory. It is safe for concurrent use.
type Breached struct {
	file  *os.File
	lines lines
}

// probes is how many places of a file are looked at before it is believed. A
// file of fewer lines is read whole.
const probes = 256

// Why a file is no list of breached passwords. What stands in it is not told: it
// may be somebody's password.
var (
	errNoList   = errors.New("is empty or no file")
	errNotHash  = errors.New("this line is not a SHA-1 hash of 40 hex digits, alone or with :COUNT behind it")
	errUnsorted = errors.New("this line does not come after the one before: the list has to be the one that is ordered by hash")
)

// OpenBreached opens the file and looks at samples of it. It fails in words for
// the operator. The caller closes it.
func OpenBreached(path string) (*Breached, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("breached passwords: %w", err)
	}
	info, err := file.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() == 0) {
		err = errNoList
	}
	b := &Breached{file: file}
	if err == nil {
		b.lines = lines{from: file, size: info.Size()}
		err = b.lines.checkHashes()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("breached passwords: %s: %w", path, err), file.Close())
	}
	return b, nil
}

// Close closes the file.
func (b *Breached) Close() error { return b.file.Close() }

// has reports whether the password is on the list.
func (b *Breached) has(plain string) (bool, error) {
	sum := sha1.Sum([]byte(plain)) //nolint:gosec // as above
	wanted := bytes.ToUpper(hex.AppendEncode(nil, sum[:]))
	return b.lines.find(func(line []byte) (int, error) {
		hash, err := hashOf(line)
		return bytes.Compare(hash, wanted), err
	})
}

// hashOf is the hash that a line begins with, in capitals.
func hashOf(line []byte) ([]byte, error) {
	digits, count, counted := bytes.Cut(line, []byte(":"))
	if len(digits) != 2*sha1.Size || counted && !isCount(count) {
		return nil, errNotHash
	}
	digits = bytes.ToUpper(digits)
	for _, d := range digits {
		if (d < '0' || d > '9') && (d < 'A' || d > 'F') {
			return nil, errNotHash
		}
	}
	return digits, nil
}

func isCount(text []byte) bool {
	return len(text) > 0 && len(bytes.Trim(text, "0123456789")) == 0
}

// checkHashes looks at samples from beginning to end.
func (l lines) checkHashes() error {
	var before []byte
	for at := int64(0); at < l.size; {
		sample, err := l.first(at)
		if err != nil {
			return err
		}
		if sample.start == l.size {
			return nil
		}
		hash, err := hashOf(sample.text)
		if err == nil && bytes.Compare(before, hash) >= 0 {
			err = errUnsorted
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", sample.start, err)
		}
		before, at = hash, max(sample.next, at+l.size/probes)
	}
	return nil
}
