package sqlstore

// driver is one SQLite driver: its name in database/sql, its way to spell the
// same settings, and its way to tell a result code.
//
// Both run in WAL mode with synchronous=FULL, so that what was acknowledged
// survives a power loss, with foreign keys on, and wait at most 5 s for a
// lock. The writer's transactions are immediate: a deferred one that turns
// from reading to writing fails at once when another was first.
type driver struct {
	name     string
	writeDSN func(file string) string
	readDSN  func(file string) string
	code     func(error) int
}
