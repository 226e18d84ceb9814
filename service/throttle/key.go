package throttle

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/netip"
	"sync"

	"latchkey/model"
)

// hash names text in 64 bits of an HMAC-SHA-256 (RFC 2104 §5 allows cutting it).
// What the text is stands in front of it, so that an account is no name.
func (s *Service) hash(what string, text []byte) int64 {
	n, _ := s.namers.Get().(*namer)
	defer s.namers.Put(n)
	n.mac.Reset()
	n.text = append(append(append(n.text[:0], what...), 0), text...)
	_, _ = n.mac.Write(n.text) // never fails (hash.Hash)
	n.text = n.mac.Sum(n.text[:0])
	return int64(binary.BigEndian.Uint64(n.text)) //nolint:gosec // G115: bits, not a number
}

// namer hashes in memory that it keeps.
type namer struct {
	mac  hash.Hash // keyed
	text []byte
}

func newNamers(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return &namer{mac: hmac.New(sha256.New, key)} }}
}

// who names the account, or the name that nobody has.
func (s *Service) who(a Attempt) int64 {
	if a.AccountKey == "" {
		return s.hash("name", []byte(a.Name))
	}
	return s.hash("account", []byte(a.AccountKey))
}

func (s *Service) device(device string) int64 { return s.hash("device", []byte(device)) }

func (s *Service) deviceAt(device string, place int64) int64 {
	at := binary.BigEndian.AppendUint64(nil, uint64(place)) //nolint:gosec // G115: bits, not a number
	return s.hash("device at", append(at, device...))
}

// noAddress stands for everything that is no address.
const noAddress = "unknown"

// address takes the addresses of one IPv6 /64 for one: that is what a single
// customer has. It returns its name and what to show of it.
func (s *Service) address(text string) (name int64, shown string) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return s.hash("address", nil), noAddress
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return s.hash("address", a.AsSlice()), a.String()
	}
	p := netip.PrefixFrom(a, prefixBits).Masked()
	return s.hash("address", p.Addr().AsSlice()), p.String()
}

// prefixBits is the part of an IPv6 address that counts.
const prefixBits = 64

func idOf(kind model.ThrottleKind, k key) model.ThrottleID {
	return model.ThrottleID{Kind: kind, Who: k.who, Place: k.place}
}
