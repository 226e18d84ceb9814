package sshkeytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/sshkey"
)

// Harness is a fresh store and the way to make an account in it.
type Harness struct {
	Store      sshkey.Store
	NewAccount func(t *testing.T) string // returns the new account's key
	Suspend    func(t *testing.T, id int64)
}

// limit is the number of keys per account that the suite asks for.
const limit = 20

// Conformance checks that a store keeps the promises of sshkey.Store. open
// makes a fresh one for each part.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Harness){
		"a key comes back as it was added":           keepsEveryField,
		"a list is in order, in pages and counted":   listsInPages,
		"a title is taken once per account":          refusesSameTitle,
		"a key is taken once per account":            refusesSameKey,
		"the title counts before the key":            titleBeforeKey,
		"the limit holds":                            holdsLimit,
		"a clash counts before the limit":            clashBeforeLimit,
		"an account must exist":                      needsAccount,
		"accounts do not share titles or keys":       separatesAccounts,
		"only the owner's key is deleted":            deletesOwnOnly,
		"anybody's key is deleted when asked":        deletesAny,
		"a key is edited, and who used it ends":      editsLimits,
		"only the owner's key is edited or lifted":   editsOwnOnly,
		"a title stays taken when another is edited": keepsTitlesApart,
		"a suspended key is lifted":                  lifts,
		"what nobody may use is revoked":             listsRevoked,
		"an id is never used again":                  neverReusesID,
		"of parallel adds of a title one wins":       parallelTitles,
		"of parallel adds of a key one wins":         parallelKeys,
		"parallel adds do not go beyond the limit":   parallelLimit,
		"of parallel deletions of a key one counts":  parallelDeletes,
		"a fingerprint finds the account's own key":  findsOwnKey,
		"a use writes its time and nothing else":     touchesOnlyTimes,
		"a use brings no deleted key back":           touchesNoDeleted,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

// sample is a key whose title and fingerprint carry n.
func sample(accountKey string, n int) model.SSHKey {
	return model.SSHKey{
		AccountKey:  accountKey,
		Title:       fmt.Sprintf("key %d", n),
		Fingerprint: fmt.Sprintf("SHA256:%043d", n),
		PublicKey:   "ssh-ed25519 AAAA",
		Comment:     "ключ",
		AddedAt:     model.At(time.Date(2026, 11, 20, 10, 33, 1, 585e6, time.UTC)),
	}
}

func (h Harness) add(t *testing.T, key model.SSHKey) model.SSHKey {
	t.Helper()
	row, err := h.Store.AddSSHKey(t.Context(), key, limit)
	if err != nil {
		t.Fatalf("AddSSHKey(%q) = %v", key.Title, err)
	}
	return row
}

func (h Harness) list(t *testing.T, accountKey string) []model.SSHKey {
	t.Helper()
	keys, total, err := h.Store.SSHKeys(t.Context(), accountKey, 0, 1000)
	if err != nil {
		t.Fatalf("SSHKeys = %v", err)
	}
	if total != int64(len(keys)) {
		t.Errorf("SSHKeys counts %d and returns %d", total, len(keys))
	}
	return keys
}

func keepsEveryField(t *testing.T, h Harness) {
	t.Helper()
	key := sample(h.NewAccount(t), 1)
	row := h.add(t, key)
	if row.ID < 1 {
		t.Errorf("ID = %d, want a positive number", row.ID)
	}
	key.ID = row.ID
	if row != key {
		t.Errorf("AddSSHKey = %+v, want %+v", row, key)
	}
	if got := h.list(t, key.AccountKey); !slices.Equal(got, []model.SSHKey{key}) {
		t.Errorf("SSHKeys = %+v, want only %+v", got, key)
	}
}

func listsInPages(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	var all []model.SSHKey
	for n := range 5 {
		all = append(all, h.add(t, sample(account, 9-n)))
	}
	for _, tt := range []struct {
		offset, limit int
		want          []model.SSHKey
	}{{0, 2, all[:2]}, {2, 2, all[2:4]}, {4, 2, all[4:]}, {5, 2, nil}, {100, 2, nil}, {0, 1000, all}} {
		got, total, err := h.Store.SSHKeys(t.Context(), account, tt.offset, tt.limit)
		if err != nil || total != 5 || !slices.Equal(got, tt.want) {
			t.Errorf("SSHKeys(%d, %d) = %+v, %d, %v, want %+v and 5 in all",
				tt.offset, tt.limit, got, total, err, tt.want)
		}
	}
	got, total, err := h.Store.SSHKeys(t.Context(), h.NewAccount(t), 0, 10)
	if err != nil || total != 0 || len(got) != 0 {
		t.Errorf("SSHKeys of an account without keys = %+v, %d, %v", got, total, err)
	}
}

// clash adds a key that must meet the one that is in the way.
func (h Harness) clash(t *testing.T, key, inTheWay model.SSHKey, most int) {
	t.Helper()
	row, err := h.Store.AddSSHKey(t.Context(), key, most)
	if !errors.Is(err, model.ErrConflict) || row != inTheWay {
		t.Errorf("AddSSHKey = %+v, %v, want %v with %+v", row, err, model.ErrConflict, inTheWay)
	}
}

func refusesSameTitle(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	again := sample(account, 2)
	again.Title = first.Title
	h.clash(t, again, first, limit)
	has, err := h.Store.HasSSHKeyTitle(t.Context(), account, first.Title)
	if err != nil || !has {
		t.Errorf("HasSSHKeyTitle = %v, %v, want true", has, err)
	}
	for _, title := range []string{"KEY 1", "key 1 ", "key", ""} {
		has, err := h.Store.HasSSHKeyTitle(t.Context(), account, title)
		if err != nil || has {
			t.Errorf("HasSSHKeyTitle(%q) = %v, %v, want false", title, has, err)
		}
	}
	other := sample(account, 3)
	other.Title = "KEY 1"
	h.add(t, other)
}

func refusesSameKey(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	again := sample(account, 2)
	again.Fingerprint = first.Fingerprint
	h.clash(t, again, first, limit)
	if got := h.list(t, account); len(got) != 1 {
		t.Errorf("%d keys, want 1", len(got))
	}
}

func titleBeforeKey(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first, second := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	again := sample(account, 3)
	again.Fingerprint, again.Title = first.Fingerprint, second.Title
	h.clash(t, again, second, limit)
}

func holdsLimit(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	h.add(t, sample(account, 2))
	if _, err := h.Store.AddSSHKey(t.Context(), sample(account, 3), 2); !errors.Is(err, model.ErrLimit) {
		t.Errorf("third of two = %v, want %v", err, model.ErrLimit)
	}
	if _, err := h.Store.AddSSHKey(t.Context(), sample(h.NewAccount(t), 3), 2); err != nil {
		t.Errorf("first of another account = %v", err)
	}
	if err := h.Store.DeleteSSHKey(t.Context(), account, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store.AddSSHKey(t.Context(), sample(account, 3), 2); err != nil {
		t.Errorf("after a deletion = %v", err)
	}
}

func clashBeforeLimit(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	h.clash(t, sample(account, 1), first, 1)
}

func needsAccount(t *testing.T, h Harness) {
	t.Helper()
	const nobody = "00000000000000000000000000000000"
	if _, err := h.Store.AddSSHKey(t.Context(), sample(nobody, 1), limit); !errors.Is(err, model.ErrStale) {
		t.Errorf("AddSSHKey without an account = %v, want %v", err, model.ErrStale)
	}
	if got := h.list(t, nobody); len(got) != 0 {
		t.Errorf("keys of nobody: %+v", got)
	}
}

func separatesAccounts(t *testing.T, h Harness) {
	t.Helper()
	one, two := h.NewAccount(t), h.NewAccount(t)
	first := h.add(t, sample(one, 1))
	second := h.add(t, sample(two, 1))
	if got := h.list(t, one); !slices.Equal(got, []model.SSHKey{first}) {
		t.Errorf("keys of the first = %+v", got)
	}
	if got := h.list(t, two); !slices.Equal(got, []model.SSHKey{second}) {
		t.Errorf("keys of the second = %+v", got)
	}
	has, err := h.Store.HasSSHKeyTitle(t.Context(), h.NewAccount(t), first.Title)
	if err != nil || has {
		t.Errorf("HasSSHKeyTitle of a third = %v, %v, want false", has, err)
	}
}
