package sqlstore

import (
	"errors"

	"modernc.org/sqlite"
)

// pureDriver is the driver without cgo. _time_format keeps its idea of a time
// readable for the other driver, should a column ever hold one.
func pureDriver() driver {
	const common = "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_time_format=sqlite&_timezone=UTC"
	return driver{
		name: "sqlite",
		writeDSN: func(file string) string {
			return "file:" + file + common + "&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
		},
		readDSN: func(file string) string { return "file:" + file + common + "&_pragma=query_only(1)" },
		code: func(err error) int {
			if e, ok := errors.AsType[*sqlite.Error](err); ok {
				return e.Code()
			}
			return -1
		},
	}
}
