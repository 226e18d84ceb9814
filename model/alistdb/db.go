package alistdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// ErrNotAList says that there is no table of users.
var ErrNotAList = errors.New("this is no AList database")

// DB is AList's database, open for reading. It is for one goroutine.
type DB struct {
	src    *source
	prefix string
}

// Open opens the database at location: the path of data.db or of the folder it
// lies in, mysql://…, a DSN of go-sql-driver, or postgres://…. Its tables begin
// with prefix, unless the location says another ("?prefix=x_"). No error
// repeats a credential.
func Open(ctx context.Context, location, prefix string) (*DB, error) {
	src, err := locate(location)
	if err != nil {
		return nil, err
	}
	if src.prefix != "" {
		prefix = src.prefix
	}
	d := &DB{src: src, prefix: prefix}
	if strings.ContainsFunc(prefix, notInName) {
		return nil, errors.Join(errors.New("a table prefix is letters, digits, _ and -"), d.Close())
	}
	if err := src.pool.PingContext(ctx); err != nil {
		return nil, errors.Join(d.scrub("open", err), d.Close())
	}
	return d, nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// Name says where the database is, without credentials.
func (d *DB) Name() string { return d.src.name }

// Close ends the connection.
func (d *DB) Close() error { return d.src.pool.Close() }

// Wanted says what to read beside users, roles and keys, and who is told how
// far the reading is.
type Wanted struct {
	Settings bool
	Sessions bool
	Progress func(table string, rows int) // after every 1,000 rows and at the end of a table; may be nil
}

// Read reads everything in one transaction, so that the tables belong together.
// It fails with ErrNotAList or ErrChanging.
func (d *DB) Read(ctx context.Context, w Wanted) (Dump, error) {
	tx, err := d.src.pool.BeginTx(ctx, d.src.begin)
	if err != nil {
		return Dump{}, d.scrub("begin", err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	r := &reading{db: d, tx: tx, progress: w.Progress}
	if err := r.all(ctx, w); err != nil {
		return Dump{}, d.scrub("read", err)
	}
	if d.src.file != nil {
		if err := d.src.file.check(); err != nil {
			return Dump{}, err
		}
	}
	return r.dump, nil
}

// scrub is a driver's error without the credentials, which some drivers repeat.
func (d *DB) scrub(act string, err error) error {
	text := err.Error()
	for _, secret := range d.src.secrets {
		if secret == "" {
			continue
		}
		text = strings.ReplaceAll(text, secret, "***")
		text = strings.ReplaceAll(text, url.QueryEscape(secret), "***")
	}
	if errors.Is(err, ErrNotAList) || strings.Contains(text, "file is not a database") {
		text = strings.TrimPrefix(text, ErrNotAList.Error()+": ")
		return fmt.Errorf("%w: %s", ErrNotAList, text)
	}
	return fmt.Errorf("%s %s: %s", act, d.src.name, text)
}

// tableNames lists what is there, under its real spelling.
func (d *DB) tableNames(ctx context.Context, tx *sql.Tx) ([]string, error) {
	rows, err := tx.QueryContext(ctx, d.src.tables)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// notFound helps who has another prefix.
func (d *DB) notFound(names []string) error {
	var others []string
	for _, name := range names {
		prefix, is := strings.CutSuffix(name, "users")
		if is && slices.Contains(names, prefix+"setting_items") {
			others = append(others, fmt.Sprintf("%q", prefix))
		}
	}
	hint := ""
	if len(others) > 0 {
		hint = "; tables with the prefix " + strings.Join(others, " or ") + " are"
	}
	return fmt.Errorf("%w: there is no table %susers%s", ErrNotAList, d.prefix, hint)
}
