package password

import "sync/atomic"

// CountHashes counts the hashes that h computes from now on.
func CountHashes(h *Hasher) func() int64 {
	var n atomic.Int64
	inner := h.key
	h.key = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		n.Add(1)
		return inner(password, salt, time, memory, threads, keyLen)
	}
	return func() int64 {
		h.key = inner
		return n.Load()
	}
}
