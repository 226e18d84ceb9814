package sshkey

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/model"
)

// The parts of a key revocation list (OpenSSH's PROTOCOL.krl).
const (
	krlMagic      = "SSHKRL\n\x00"
	krlFormat     = uint32(1)
	krlSHA256     = byte(5) // section of SHA-256 fingerprints, in numeric order
	sha256Printed = "SHA256:"
)

// RevocationList is a key revocation list (KRL) of every key that was there and
// that no enabled account may sign in with any more, for sshd's RevokedKeys.
func (s *Service) RevocationList(ctx context.Context) ([]byte, error) {
	now := s.now()
	prints, err := s.store.RevokedSSHKeys(ctx, model.At(now))
	if err != nil {
		return nil, fmt.Errorf("list revoked SSH keys: %w", err)
	}
	return encodeKRL(prints, now)
}

// encodeKRL writes fingerprints in OpenSSH's form as a KRL.
func encodeKRL(prints []string, at time.Time) ([]byte, error) {
	hashes := make([][]byte, len(prints))
	for i, text := range prints {
		hash, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(text, sha256Printed))
		if err != nil {
			return nil, fmt.Errorf("read fingerprint %q: %w", text, err)
		}
		hashes[i] = hash
	}
	slices.SortFunc(hashes, bytes.Compare)
	var section []byte
	for _, hash := range hashes {
		section = appendString(section, hash)
	}
	stamp := uint64(max(0, at.Unix()))
	list := []byte(krlMagic)
	list = binary.BigEndian.AppendUint32(list, krlFormat)
	list = binary.BigEndian.AppendUint64(list, stamp) // version: a later list is a newer one
	list = binary.BigEndian.AppendUint64(list, stamp)
	list = binary.BigEndian.AppendUint64(list, 0) // flags
	list = appendString(list, nil)                // reserved
	list = appendString(list, []byte("Latchkey"))
	if len(section) > 0 {
		list = appendString(append(list, krlSHA256), section)
	}
	return list, nil
}

// appendString adds a string (RFC 4251, section 5).
func appendString(to, text []byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(text))), text...) //nolint:gosec // G115: lengths are small
}
