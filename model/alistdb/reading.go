package alistdb

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// progressEvery is after how many rows a listener is told.
const progressEvery = 1000

// reading is one Read.
type reading struct {
	db       *DB
	tx       *sql.Tx
	names    []string
	dump     Dump
	progress func(table string, rows int)
}

func (r *reading) all(ctx context.Context, w Wanted) error {
	var err error
	if r.names, err = r.db.tableNames(ctx, r.tx); err != nil {
		return err
	}
	if err := r.users(ctx); err != nil {
		return err
	}
	if err := r.roles(ctx); err != nil {
		return err
	}
	if err := r.keys(ctx); err != nil {
		return err
	}
	if w.Settings {
		if err := r.settings(ctx); err != nil {
			return err
		}
	}
	if w.Sessions {
		return r.sessions(ctx)
	}
	return nil
}

// table calls each with every row of a table, and notes the table, or the
// columns of it, that are missing. It reports whether the table is there.
func (r *reading) table(ctx context.Context, name string, columns []string, each func(*row)) (bool, error) {
	full := r.db.prefix + name
	i := slices.IndexFunc(r.names, func(have string) bool { return strings.EqualFold(have, full) })
	if i < 0 {
		r.dump.Missing = append(r.dump.Missing, name)
		return false, nil
	}
	quote := r.db.src.quote
	rows, err := r.tx.QueryContext(ctx, "SELECT * FROM "+quote+r.names[i]+quote) //nolint:gosec // a name the database gave, of letters, digits, _ and -
	if err != nil {
		return false, fmt.Errorf("read %s: %w", full, err)
	}
	defer rows.Close()
	have, err := rows.Columns()
	if err != nil {
		return false, fmt.Errorf("read %s: %w", full, err)
	}
	index := map[string]int{}
	for i, column := range have {
		index[strings.ToLower(column)] = i
	}
	for _, column := range columns {
		if _, ok := index[column]; !ok {
			r.dump.Missing = append(r.dump.Missing, name+"."+column)
		}
	}
	n, err := scan(rows, index, func(at *row, n int) {
		each(at)
		if n%progressEvery == 0 {
			r.tell(name, n)
		}
	})
	if err != nil {
		return false, fmt.Errorf("read %s: %w", full, err)
	}
	r.tell(name, n)
	return true, nil
}

func (r *reading) tell(table string, rows int) {
	if r.progress != nil {
		r.progress(table, rows)
	}
}

// scan calls each with every row and its number, counted from 1.
func scan(rows *sql.Rows, index map[string]int, each func(*row, int)) (int, error) {
	n := 0
	for rows.Next() {
		at := &row{index: index, values: make([]any, len(index))}
		into := make([]any, len(index))
		for i := range into {
			into[i] = &at.values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		n++
		each(at, n)
	}
	return n, rows.Err()
}

func (r *reading) users(ctx context.Context) error {
	columns := []string{"pwd_hash", "salt", "role", "otp_secret", "sso_id", "authn"}
	there, err := r.table(ctx, "users", columns, func(at *row) {
		u := User{
			ID: at.number("id"), Username: at.text("username"), PwdHash: at.text("pwd_hash"), Salt: at.text("salt"),
			Password: at.text("password"), BasePath: at.text("base_path"), Role: at.nullable("role"),
			Disabled: at.flag("disabled"), Permission: at.number("permission"), OTPSecret: at.text("otp_secret"),
			SSOID: at.text("sso_id"), Authn: at.text("authn"),
			MaxDevices: at.optional("max_devices"), SessionTTL: at.optional("session_ttl"),
		}
		u.Odd = at.odd
		r.dump.Users = append(r.dump.Users, u)
	})
	if err == nil && !there {
		return r.db.notFound(r.names)
	}
	slices.SortStableFunc(r.dump.Users, func(a, b User) int { return cmp.Compare(a.ID, b.ID) })
	return err
}

func (r *reading) roles(ctx context.Context) error {
	_, err := r.table(ctx, "roles", nil, func(at *row) {
		role := Role{
			ID: at.number("id"), Name: at.text("name"), Description: at.text("description"),
			Default: at.flag("default"), Scopes: at.text("raw_permission"),
		}
		role.Odd = at.odd
		r.dump.Roles = append(r.dump.Roles, role)
	})
	slices.SortStableFunc(r.dump.Roles, func(a, b Role) int { return cmp.Compare(a.ID, b.ID) })
	return err
}

func (r *reading) keys(ctx context.Context) error {
	_, err := r.table(ctx, "ssh_public_keys", nil, func(at *row) {
		key := SSHKey{
			ID: at.number("id"), UserID: at.number("user_id"), Title: at.text("title"), Text: at.text("key_str"),
			AddedAt: at.at("added_time"), LastUsedAt: at.at("last_used_time"),
		}
		key.Odd = at.odd
		r.dump.Keys = append(r.dump.Keys, key)
	})
	slices.SortStableFunc(r.dump.Keys, func(a, b SSHKey) int { return cmp.Compare(a.ID, b.ID) })
	return err
}

func (r *reading) settings(ctx context.Context) error {
	_, err := r.table(ctx, "setting_items", nil, func(at *row) {
		item := Setting{Key: at.text("key"), Value: at.text("value")}
		item.Odd = at.odd
		r.dump.Settings = append(r.dump.Settings, item)
	})
	slices.SortStableFunc(r.dump.Settings, func(a, b Setting) int { return cmp.Compare(a.Key, b.Key) })
	return err
}

func (r *reading) sessions(ctx context.Context) error {
	_, err := r.table(ctx, "sessions", nil, func(at *row) {
		s := Session{
			UserID: at.number("user_id"), DeviceKey: at.text("device_key"), UserAgent: at.text("user_agent"),
			IP: at.text("ip"), LastActive: at.number("last_active"),
		}
		s.Odd = at.odd
		r.dump.Sessions = append(r.dump.Sessions, s)
	})
	slices.SortStableFunc(r.dump.Sessions, func(a, b Session) int { return cmp.Compare(a.DeviceKey, b.DeviceKey) })
	return err
}
