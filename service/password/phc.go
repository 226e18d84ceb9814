package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltLen = 16 // bytes; RFC 9106, 3.1
	keyLen  = 32 // bytes

	// What a stored hash may ask for. A row somebody else wrote must not be able
	// to take the machine down.
	maxMemoryKiB = 256 * 1024
	maxTime      = 16
	maxLanes     = 4
	maxEncoded   = 256 // characters; ours have 97
)

var errMalformed = errors.New("not an argon2id hash in PHC form")

// cost is what one hash costs.
type cost struct {
	memory uint32 // KiB
	time   uint32 // passes
	lanes  uint8
}

func (c cost) check() error {
	switch {
	case c.time < 1 || c.time > maxTime:
		return fmt.Errorf("time is %d passes, want 1 to %d", c.time, maxTime)
	case c.lanes < 1 || c.lanes > maxLanes:
		return fmt.Errorf("lanes is %d, want 1 to %d", c.lanes, maxLanes)
	case c.memory < 8*uint32(c.lanes) || c.memory > maxMemoryKiB:
		return fmt.Errorf("memory is %d KiB, want %d to %d", c.memory, 8*uint32(c.lanes), maxMemoryKiB)
	}
	return nil
}

// record is a stored hash taken apart.
type record struct {
	cost
	salt, key []byte
}

// String is the PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (r record) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		r.memory, r.time, r.lanes, b64.EncodeToString(r.salt), b64.EncodeToString(r.key))
}

// parse reads what String wrote, and what other Argon2id programs write, within
// the bounds above. There is one spelling of every hash: no blanks, no signs, no
// leading zeros, the parameters in this order.
func parse(encoded string) (record, error) {
	if len(encoded) > maxEncoded {
		return record{}, errMalformed
	}
	part := strings.Split(encoded, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v="+strconv.Itoa(argon2.Version) {
		return record{}, errMalformed
	}
	c, err := parseCost(part[3])
	if err != nil {
		return record{}, err
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, errSalt := b64.DecodeString(part[4])
	key, errKey := b64.DecodeString(part[5])
	rec := record{cost: c, salt: salt, key: key}
	// Under 8 bytes of salt is against RFC 9106; a key under 16 bytes could be
	// met by chance, and an empty one would match everything. String finds the
	// line feeds that the decoder skips.
	if errSalt != nil || errKey != nil || len(salt) < 8 || len(key) < 16 || rec.String() != encoded {
		return record{}, errMalformed
	}
	return rec, nil
}

func parseCost(s string) (cost, error) {
	part := strings.Split(s, ",")
	if len(part) != 3 {
		return cost{}, errMalformed
	}
	m, errM := number(part[0], "m=", 32)
	t, errT := number(part[1], "t=", 32)
	p, errP := number(part[2], "p=", 8)
	if err := errors.Join(errM, errT, errP); err != nil {
		return cost{}, errMalformed
	}
	c := cost{memory: uint32(m), time: uint32(t), lanes: uint8(p)} //nolint:gosec // number bounds them
	return c, c.check()
}

func number(s, name string, bits int) (uint64, error) {
	digits, found := strings.CutPrefix(s, name)
	if !found {
		return 0, errMalformed
	}
	return strconv.ParseUint(digits, 10, bits)
}
