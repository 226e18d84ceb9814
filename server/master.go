package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"latchkey/service/audit"
	"latchkey/service/keyring"
)

// What can be wrong with a change of the master key.
var (
	// ErrServed says that a server has the keys open.
	ErrServed = errors.New("a server is running on this data folder, and would not open its keys any more: stop it first")
	// ErrNoNewMaster says that there is nothing to change to.
	ErrNoNewMaster = errors.New("the master key comes from LATCHKEY_MASTER_KEY: say in LATCHKEY_NEW_MASTER_KEY which one is to take its place")
	// ErrSameMaster says that the new master key is the old one.
	ErrSameMaster = errors.New("the new master key is the one in use: nothing was changed")
)

// ChangeMaster seals the keys under another master key: that of the
// configuration, or, where the master key lies in the data folder, a fresh one.
// There it takes the old one's place; elsewhere the operator has to, and inFile
// is false. Killed at any point, it leaves a folder that opens: what it had begun
// is finished, or taken back, at the next start. It fails with ErrServed,
// ErrNoNewMaster or ErrSameMaster.
func (a *App) ChangeMaster(ctx context.Context) (inFile bool, err error) {
	inFile = a.masterInFile()
	fresh, err := a.nextMaster()
	if err != nil {
		return inFile, err
	}
	if fresh == nil {
		return inFile, a.db.Compact(ctx)
	}
	for _, step := range a.masterSteps(fresh) {
		if err := step(ctx); err != nil {
			return inFile, fmt.Errorf("change the master key: %w", err)
		}
	}
	return inFile, a.audit.Record(ctx, audit.Event{Kind: audit.MasterKeyChanged})
}

func (a *App) masterInFile() bool { return !a.cfg.MasterKey.IsSet() }

// nextMaster is the key to change to, or nil if that has been done.
func (a *App) nextMaster() ([]byte, error) {
	next := a.cfg.NewMasterKeyBytes()
	switch {
	case !a.alone || a.serves:
		return nil, ErrServed
	case a.changed:
		return nil, nil
	case next == nil && !a.masterInFile():
		return nil, ErrNoNewMaster
	case next == nil:
		return randomMasterKey(), nil
	}
	present, err := a.masterKey(true)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(present, next) {
		return nil, ErrSameMaster
	}
	return next, nil
}

// masterSteps are the change, in the order in which it may be cut off: at any
// moment the database opens with one of the two keys that lie beside it.
func (a *App) masterSteps(fresh []byte) []func(ctx context.Context) error {
	steps := []func(context.Context) error{
		func(ctx context.Context) error { return a.Ring.ChangeMaster(ctx, fresh) },
		a.db.Compact, // what was sealed under the old one is not to be found in free pages
	}
	if a.masterInFile() {
		stage := func(context.Context) error { return writeMasterKey(a.dir.file(stagedFile), fresh) }
		adopt := func(context.Context) error { return a.dir.adoptMaster() }
		steps = []func(context.Context) error{stage, steps[0], adopt, steps[1]}
	}
	return steps
}

// adoptMaster puts the staged master key in the place of the old one.
func (d *dataDir) adoptMaster() error {
	if err := os.Rename(d.file(stagedFile), d.file(masterFile)); err != nil {
		return fmt.Errorf("replace master key: %w", err)
	}
	return syncFolder(d.path)
}

// openRing opens the keys. If a change of the master key was cut off, it is
// finished if the keys are sealed under the new one, and taken back if not.
func (a *App) openRing(ctx context.Context, master []byte) (*keyring.Ring, error) {
	ring, err := keyring.Open(ctx, a.db.Keys(), master, a.opts.Now)
	if err == nil && a.alone && a.masterInFile() {
		return ring, a.dir.dropStaged()
	}
	if !errors.Is(err, keyring.ErrMaster) {
		return ring, err
	}
	next := a.cfg.NewMasterKeyBytes()
	if a.masterInFile() {
		next = a.dir.stagedMaster()
	}
	if next == nil {
		return nil, err
	}
	ring, nextErr := keyring.Open(ctx, a.db.Keys(), next, a.opts.Now)
	if nextErr != nil {
		return nil, err // of the key that ought to fit
	}
	a.changed = true
	if a.masterInFile() && a.alone {
		return ring, a.dir.adoptMaster()
	}
	a.opts.Log.LogAttrs(ctx, slog.LevelWarn, "the keys are sealed under the new master key: put it into LATCHKEY_MASTER_KEY")
	return ring, nil
}

// stagedMaster reads the staged master key, or is nil if there is none that is
// whole.
func (d *dataDir) stagedMaster() []byte {
	text, err := os.ReadFile(d.file(stagedFile))
	if err != nil {
		return nil
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != masterSize {
		return nil
	}
	return key
}

// dropStaged takes away a staged master key that nothing was sealed under.
func (d *dataDir) dropStaged() error {
	if err := os.Remove(d.file(stagedFile)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
