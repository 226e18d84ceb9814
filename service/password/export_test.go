package password

import (
	"bytes"
	"io"
)

// WithKey makes h derive keys with key: something to count and to hold.
func WithKey(h *Hasher, key func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte) *Hasher {
	h.key = key
	return h
}

// Common is the list of the best-known passwords.
func Common() string { return common }

// HasLine looks for a line in sorted text.
func HasLine(text io.ReaderAt, size int64, wanted []byte) (bool, error) {
	return lines{from: text, size: size}.find(func(line []byte) (int, error) { return bytes.Compare(line, wanted), nil })
}

// BreachedIn is a list in text that nobody looked at.
func BreachedIn(text io.ReaderAt, size int64) *Breached {
	return &Breached{lines: lines{from: text, size: size}}
}
