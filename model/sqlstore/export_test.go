package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

// TwoDrivers reports whether the cgo driver is built in beside the pure one.
func TwoDrivers() bool { return defaultDriver().name != pureDriver().name }

// Writer is the pool of the one connection that writes.
func (d *DB) Writer() (*sql.DB, error) { return d.writer.DB() }

// Reader is the pool of the connections that read.
func (d *DB) Reader() (*sql.DB, error) { return d.reader.DB() }

// Write runs fn as a store method does.
func (d *DB) Write(ctx context.Context, fn func(tx *gorm.DB) error) error { return d.write(ctx, fn) }

// Steps are the migrations as goose runs them, from dir.
func (d *DB) Steps(dir fs.FS) (*goose.Provider, error) {
	pool, err := d.writer.DB()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, pool, dir)
}

// Migrations are the embedded files.
func Migrations() (fs.FS, error) { return fs.Sub(migrations, "migrations/sqlite") }

// SealedColumn is a column that may hold sealed values.
type SealedColumn struct{ Table, Column, Key, Prefix string }

// SealedColumns are all of them.
func SealedColumns() []SealedColumn {
	var list []SealedColumn
	for _, c := range sealedColumns() {
		list = append(list, SealedColumn{c.table, c.column, c.key, c.prefix})
	}
	return list
}
