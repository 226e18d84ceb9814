//go:build cgo

package server_test

// rawDriver is the driver that the server itself uses: two different ones must
// not open a file in one process.
const rawDriver = "sqlite3"
