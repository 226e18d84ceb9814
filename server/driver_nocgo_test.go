//go:build !cgo

package server_test

// rawDriver is the driver that the server itself uses.
const rawDriver = "sqlite"
