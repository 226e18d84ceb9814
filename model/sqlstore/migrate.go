package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// ErrNewer says that the database was written by a newer program.
var ErrNewer = errors.New("the database is newer than this program: start the newer version, or restore a backup made before the upgrade")

// Migrate brings the schema to this program's version, each step in its own
// transaction, and returns how many steps it took. The caller holds the lock
// on the data folder. A newer schema is left alone: ErrNewer.
func (d *DB) Migrate(ctx context.Context) (int, error) {
	provider, err := d.provider()
	if err != nil {
		return 0, err
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", d.translate(err))
	}
	sources := provider.ListSources()
	if newest := sources[len(sources)-1].Version; current > newest {
		return 0, fmt.Errorf("schema %d, this program knows %d: %w", current, newest, ErrNewer)
	}
	steps, err := provider.Up(ctx)
	if err != nil {
		return len(steps), fmt.Errorf("migrate: %w", d.translate(err))
	}
	return len(steps), nil
}

func (d *DB) provider() (*goose.Provider, error) {
	pool, err := d.writer.DB()
	if err != nil {
		return nil, err
	}
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, dir)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}
