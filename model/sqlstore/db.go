package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// readers is how many connections serve queries beside the one that writes.
const readers = 4

// patience is how long a write may take, waiting for its turn included. Reads
// never wait for writes (WAL).
const patience = 10 * time.Second

// DB is an open database: one connection that writes, in immediate
// transactions, and a few that read. It is safe for concurrent use.
type DB struct {
	writer *gorm.DB
	reader *gorm.DB
}

// Options tunes Open. The zero value is right for production.
type Options struct {
	Trace func(sql string) // told of every statement, for tests that count them
	Pure  bool             // use the pure-Go driver where both are built in, for tests
}

// Open opens, or creates with mode 0600, the SQLite file at path. The schema
// is Migrate's business.
func Open(path string, opts Options) (*DB, error) {
	path = filepath.Clean(path) // two slashes in front would begin a host name in the URI
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	drv := defaultDriver()
	if opts.Pure {
		drv = pureDriver()
	}
	file := (&url.URL{Path: path}).EscapedPath()
	writer, err := connect(drv, drv.writeDSN(file), 1, opts)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	reader, err := connect(drv, drv.readDSN(file), readers, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s for reading: %w", path, err), closeDB(writer))
	}
	return &DB{writer: writer, reader: reader}, nil
}

// createPrivate makes the file before SQLite does, because SQLite would make
// it readable by others. Its -wal and -shm files inherit the mode. A file that
// is there is not even opened: closing it again would drop the locks that this
// process holds on it (https://sqlite.org/howtocorrupt.html §2.2).
func createPrivate(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return f.Close()
}

func connect(drv driver, dsn string, conns int, opts Options) (*gorm.DB, error) {
	inner, ok := sqlite.New(sqlite.Config{DriverName: drv.name, DSN: dsn}).(*sqlite.Dialector)
	if !ok {
		return nil, errors.New("unexpected dialector")
	}
	db, err := gorm.Open(dialector{Dialector: inner, code: drv.code}, &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true,
		Logger:                 tracer{trace: opts.Trace},
	})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return db, nil
}

// Close closes both pools; statements under way are finished first.
func (d *DB) Close() error { return errors.Join(closeDB(d.reader), closeDB(d.writer)) }

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// read is a handle for queries.
func (d *DB) read(ctx context.Context) *gorm.DB { return d.reader.WithContext(ctx) }

// write runs fn in one immediate transaction. When it returns nil, what fn
// wrote has been synced to disk. It gives up with ErrUnavailable when its turn
// does not come in time. fn must use tx only: asking d for another connection
// from inside would wait for itself.
func (d *DB) write(ctx context.Context, fn func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.writeBulk(ctx, fn)
}

// writeBulk is write for what may take its time, such as an import.
func (d *DB) writeBulk(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return d.translate(d.writer.WithContext(ctx).Transaction(fn))
}

// tracer is a GORM logger that only passes statements on.
type tracer struct{ trace func(sql string) }

func (t tracer) LogMode(logger.LogLevel) logger.Interface { return t }
func (tracer) Info(context.Context, string, ...any)       {}
func (tracer) Warn(context.Context, string, ...any)       {}
func (tracer) Error(context.Context, string, ...any)      {}
func (t tracer) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	if t.trace != nil {
		sql, _ := statement()
		t.trace(sql)
	}
}
