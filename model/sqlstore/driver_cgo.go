//go:build cgo

package sqlstore

import (
	"errors"

	"github.com/mattn/go-sqlite3"
)

// defaultDriver is mattn's where a C compiler built the program.
func defaultDriver() driver {
	const common = "?_busy_timeout=5000&_foreign_keys=on&_loc=UTC"
	return driver{
		name: "sqlite3",
		writeDSN: func(file string) string {
			return "file:" + file + common + "&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"
		},
		readDSN: func(file string) string { return "file:" + file + common + "&_query_only=1&_txlock=deferred" },
		code: func(err error) int {
			if e, ok := errors.AsType[sqlite3.Error](err); ok {
				return int(e.ExtendedCode)
			}
			return -1
		},
	}
}
