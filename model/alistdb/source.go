package alistdb

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// dialect is what differs between the databases.
type dialect struct {
	quote  string // around names
	tables string // lists the tables
	begin  *sql.TxOptions
}

// source is a location taken apart.
type source struct {
	dialect

	name    string // without credentials
	prefix  string // empty unless the location says one
	secrets []string
	pool    *sql.DB
	file    *file // SQLite only
}

// connectFor is how long connecting may take where the location does not say.
const connectFor = 10 * time.Second

var errLocation = errors.New("the source is not understood: name AList's data.db, or mysql://USER:PASSWORD@HOST:PORT/DATABASE, or postgres://…")

// locate tells what a location means: a URL, a DSN of go-sql-driver, else a
// file.
func locate(location string) (*source, error) {
	switch {
	case strings.HasPrefix(location, "mysql://"):
		dsn, err := mysqlDSN(location)
		if err != nil {
			return nil, err
		}
		return locateMySQL(dsn)
	case strings.Contains(location, "@tcp(") || strings.Contains(location, "@unix("):
		return locateMySQL(location)
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		return locatePostgres(location)
	case strings.Contains(location, "://"):
		return nil, errLocation
	}
	return locateFile(strings.TrimPrefix(location, "sqlite:"))
}

// mysqlDSN is a URL in the driver's own form. Errors of net/url would repeat
// the password.
func mysqlDSN(location string) (string, error) {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "", errLocation
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(u.Hostname(), port)
	cfg.User, cfg.DBName = u.User.Username(), strings.TrimPrefix(u.Path, "/")
	cfg.Passwd, _ = u.User.Password()
	dsn := cfg.FormatDSN()
	if u.RawQuery == "" {
		return dsn, nil
	}
	if strings.Contains(dsn[strings.LastIndexByte(dsn, '/'):], "?") {
		return dsn + "&" + u.RawQuery, nil
	}
	return dsn + "?" + u.RawQuery, nil
}

func locateMySQL(dsn string) (*source, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errLocation
	}
	prefix := cfg.Params["prefix"]
	delete(cfg.Params, "prefix")
	cfg.ParseTime, cfg.Loc, cfg.Logger = true, time.UTC, &mysql.NopLogger{}
	if cfg.Timeout == 0 {
		cfg.Timeout = connectFor
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, errLocation
	}
	return &source{
		dialect: dialect{
			quote: "`", tables: "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
			begin: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		},
		name: "MySQL " + cfg.Addr + "/" + cfg.DBName, prefix: prefix, secrets: []string{cfg.Passwd, dsn},
		pool: sql.OpenDB(connector),
	}, nil
}

func locatePostgres(location string) (*source, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, errLocation
	}
	query := u.Query()
	prefix := query.Get("prefix")
	query.Del("prefix")
	u.RawQuery = query.Encode()
	cfg, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, errLocation
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectFor
	}
	return &source{
		dialect: dialect{
			quote: `"`, tables: "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
			begin: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		},
		name: fmt.Sprintf("PostgreSQL %s:%d/%s", cfg.Host, cfg.Port, cfg.Database), prefix: prefix,
		secrets: []string{cfg.Password, location, u.String()}, pool: stdlib.OpenDB(*cfg),
	}, nil
}

// locateFile opens a SQLite file, or the data.db of AList's data folder.
func locateFile(path string) (*source, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, "data.db")
		info, err = os.Stat(path)
	}
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(path, "@") {
		return nil, errLocation // a misspelt URL, which may hold a password
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", path)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the source: %w", err)
	}
	f := &file{path: path, info: info}
	pool, err := sql.Open("sqlite", f.dsn())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &source{
		dialect: dialect{quote: `"`, tables: "SELECT name FROM sqlite_schema WHERE type = 'table'"},
		name:    path, pool: pool, file: f,
	}, nil
}
