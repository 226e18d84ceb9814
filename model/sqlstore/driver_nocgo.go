//go:build !cgo

package sqlstore

// defaultDriver is the pure-Go one where there was no C compiler.
func defaultDriver() driver { return pureDriver() }
