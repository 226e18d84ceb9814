package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"latchkey/model"
)

// SQLite's result codes (https://sqlite.org/rescode.html).
const (
	codeBusy        = 5
	codeLocked      = 6
	codeReadOnly    = 8
	codeInterrupt   = 9
	codeIOError     = 10
	codeFull        = 13
	codeCannotOpen  = 14
	codeProtocol    = 15
	codeCheck       = 275
	codeForeignKey  = 787
	codePrimaryKey  = 1555
	codeTrigger     = 1811
	codeUnique      = 2067
	codeRowID       = 2579
	primaryCodeMask = 0xff
)

// dialector is GORM's SQLite dialect with an error translation that works for
// both drivers; GORM's own reads only the cgo driver's errors.
type dialector struct {
	*sqlite.Dialector
	code func(error) int // the driver's extended result code, -1 if there is none
}

// Translate turns a driver's error into GORM's.
func (d dialector) Translate(err error) error {
	code := d.code(err)
	switch code {
	case codePrimaryKey, codeUnique, codeRowID:
		return gorm.ErrDuplicatedKey
	case codeForeignKey, codeTrigger:
		return gorm.ErrForeignKeyViolated
	case codeCheck:
		return gorm.ErrCheckConstraintViolated
	}
	switch code & primaryCodeMask {
	case codeBusy, codeLocked, codeReadOnly, codeInterrupt, codeIOError, codeFull, codeCannotOpen, codeProtocol:
		if code >= 0 {
			return fmt.Errorf("%w: %w", model.ErrUnavailable, err)
		}
	}
	return err
}

// translate turns what GORM says into what stores say.
func (d *DB) translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return model.ErrNotFound
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return model.ErrConflict
	case errors.Is(err, gorm.ErrForeignKeyViolated):
		return model.ErrStale // what the row hangs on went away meanwhile
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, sql.ErrTxDone): // rolled back under us because the context ended
		return fmt.Errorf("%w: %w", model.ErrUnavailable, err)
	}
	// A transaction that could not begin or commit carries the driver's error.
	if t, ok := d.writer.Dialector.(gorm.ErrorTranslator); ok {
		return t.Translate(err)
	}
	return err
}
