package password

// WithKey makes h derive keys with key: something to count and to hold.
func WithKey(h *Hasher, key func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte) *Hasher {
	h.key = key
	return h
}
