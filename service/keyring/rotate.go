package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/model"
)

const (
	// resealAtMost is how many values one transaction re-seals, so that a
	// server's own writes need not wait for long.
	resealAtMost = 100
	// settledFor is how long a sealing key has to seal before the one before
	// it may go: longer than any request that sealed a value and has still to
	// write it, and than a server takes to hear of new keys.
	settledFor = 10 * time.Minute
)

// Info is what may be told of a key.
type Info struct {
	ID        string
	Purpose   model.KeyPurpose
	CreatedAt time.Time
	Newest    bool // of its purpose: the one that signs or seals
}

// signs reports whether the key signs what others hold.
func (k Info) signs() bool { return k.Purpose == model.KeyToken || k.Purpose == model.KeyIDToken }

// List is every key, oldest first.
func (r *Ring) List() []Info {
	list := slices.Clone(r.keys.Load().all)
	newest := map[model.KeyPurpose]int{}
	for i, k := range list {
		newest[k.Purpose] = i
	}
	for _, i := range newest {
		list[i].Newest = true
	}
	return list
}

// Rotated names the keys that a rotation made.
type Rotated struct {
	Token   string // signs tokens from now on
	Seal    string // seals secrets from now on
	IDToken string // signs id_tokens from now on; empty where none was ever signed
}

// Rotate adds a token key and a sealing key, and one for id_tokens where there is
// one, all or none, which sign and seal from now on; the older ones go on
// verifying and opening. Reseal and DropSeals
// do the rest, once everybody who shares the database has refreshed.
func (r *Ring) Rotate(ctx context.Context) (Rotated, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil { // another process may have rotated
		return Rotated{}, err
	}
	made := []model.Key{r.newKey(newID(), model.KeyToken), r.newKey(newID(), model.KeySeal)}
	if len(r.keys.Load().ids) > 0 {
		row, err := r.newIDKey(newID())
		if err != nil {
			return Rotated{}, err
		}
		made = append(made, row)
	}
	all := r.keys.Load().all
	if newest := all[len(all)-1].CreatedAt; !made[0].CreatedAt.After(newest) {
		for i := range made {
			made[i].CreatedAt = model.At(newest.Add(time.Millisecond)) // the newest counts, whatever the clock says
		}
	}
	if err := r.store.AddKeys(ctx, made); err != nil {
		return Rotated{}, fmt.Errorf("store keys: %w", err)
	}
	done := Rotated{Token: made[0].ID, Seal: made[1].ID}
	if len(made) > 2 {
		done.IDToken = made[2].ID
	}
	return done, r.refresh(context.WithoutCancel(ctx))
}

// Resealed is what became of the values in rows.
type Resealed struct {
	Values int            // how many are sealed under the newest key that were not
	Closed []model.Sealed // those that do not open, which stay as they are, without their Value
}

// Reseal seals every value in rows that an older key sealed under the newest
// one. A value that somebody else writes meanwhile is theirs: each is replaced
// only if it is still what was read. It may end at any point; what is left is
// found again.
func (r *Ring) Reseal(ctx context.Context) (Resealed, error) {
	var all Resealed
	for {
		pass, missed, err := r.resealOnce(ctx)
		all.Values += pass.Values
		if err != nil || missed == 0 {
			all.Closed, err = r.closed(ctx, pass.Closed, err)
			return all, err
		}
	}
}

// closed is those of the values that do not open with a newer key either, as
// another rotation may be making, and nothing of what they hold.
func (r *Ring) closed(ctx context.Context, values []model.Sealed, err error) ([]model.Sealed, error) {
	if err != nil || len(values) == 0 {
		return nil, err
	}
	rows, err := r.store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	mine := r.keys.Load().seals
	var left []model.Sealed
	for _, v := range values {
		id := strings.Split(v.Value, ":")[1]
		_, known := mine[id]
		if known || !slices.ContainsFunc(rows, func(k model.Key) bool { return k.ID == id }) {
			v.Value = ""
			left = append(left, v)
		}
	}
	return left, nil
}

// resealOnce goes through all values. missed is how many changed under its
// hands.
func (r *Ring) resealOnce(ctx context.Context) (pass Resealed, missed int, err error) {
	under := r.keys.Load().sealID
	var after model.Sealed
	for {
		values, err := r.store.Sealed(ctx, under, after, resealAtMost)
		if err != nil {
			return pass, missed, fmt.Errorf("list sealed values: %w", err)
		}
		if len(values) == 0 {
			return pass, missed, nil
		}
		after = values[len(values)-1]
		batch, closed, err := r.sealAnew(values)
		if err != nil {
			return pass, missed, err
		}
		pass.Closed = append(pass.Closed, closed...)
		replaced, err := r.store.Reseal(ctx, batch)
		if err != nil {
			return pass, missed, fmt.Errorf("re-seal values: %w", err)
		}
		pass.Values += replaced
		missed += len(batch) - replaced
	}
}

// sealAnew seals those of the values that open under the newest key.
func (r *Ring) sealAnew(values []model.Sealed) (batch []model.Reseal, closed []model.Sealed, err error) {
	for _, v := range values {
		switch plain, err := r.Open(v.AAD(), v.Value); {
		case err == nil:
			sealed, err := r.Seal(v.AAD(), plain)
			if err != nil {
				return nil, nil, err
			}
			batch = append(batch, model.Reseal{Sealed: v, Becomes: sealed})
		case isSealed(v.Value):
			closed = append(closed, v)
		}
	}
	return batch, closed, nil
}

// isSealed reports whether a text looks as if Seal had made it. A person may
// have written one that only begins so.
func isSealed(text string) bool {
	parts := strings.Split(text, ":")
	return len(parts) == 3 && parts[0] == version && len(parts[1]) == len(deviceID) && !strings.ContainsAny(parts[2], " \r\n")
}

// DropSeals removes the sealing keys that no value names, and returns their
// ids. The newest stays, and the one before it: what was sealed under that may
// still be on its way into a row. While others use the database, older ones
// stay for a while too; alone says that nobody does.
func (r *Ring) DropSeals(ctx context.Context, alone bool) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	var seals []Info
	for _, k := range r.keys.Load().all {
		if k.Purpose == model.KeySeal {
			seals = append(seals, k)
		}
	}
	var dropped []string
	for i := 0; i < len(seals)-2; i++ {
		if !alone && r.now().Before(seals[i+1].CreatedAt.Add(settledFor)) {
			break
		}
		err := r.store.RemoveSealKey(ctx, seals[i].ID)
		if errors.Is(err, model.ErrConflict) {
			continue
		}
		if err != nil {
			return dropped, fmt.Errorf("remove sealing key %s: %w", seals[i].ID, err)
		}
		dropped = append(dropped, seals[i].ID)
	}
	return dropped, r.refresh(context.WithoutCancel(ctx))
}

// ChangeMaster seals every key under another master key, all or none. It fails
// with ErrWeak. Nobody else may have the database open: they would not open
// the keys any more.
func (r *Ring) ChangeMaster(ctx context.Context, master []byte) error {
	if IsWeak(master) {
		return ErrWeak
	}
	aead, err := newAEAD(master)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rows, err := r.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	for i, row := range rows {
		secret, err := open(r.master, keyAAD(row), row.Sealed)
		if err != nil {
			return fmt.Errorf("key %s: %w", row.ID, ErrMaster)
		}
		rows[i].Sealed = seal(aead, masterID, keyAAD(row), secret)
	}
	if err := r.store.ResealKeys(ctx, rows); err != nil {
		return fmt.Errorf("store keys: %w", err)
	}
	r.master = aead
	return r.refresh(context.WithoutCancel(ctx))
}
