package sshkey_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/racetest"
	"latchkey/service/revocation"
	"latchkey/service/sshkey"
	"latchkey/service/sshkey/sshkeytest"
)

const alice, bob, admin, gone = "a11ce", "b0b", "ad317", "90e"

// house is the service on its working store, and what it told others.
type house struct {
	*sshkey.Service
	store *sshkeytest.Store
	at    time.Time // what its clock says
	mu    sync.Mutex
	told  []string // notices and events, in order
}

func (h *house) tell(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, what)
}

func newHouse() *house {
	h := &house{store: sshkeytest.New(), at: clock()}
	for _, key := range []string{alice, bob, admin} {
		h.store.AddAccount(key)
	}
	hub := &revocation.Hub{}
	hub.Subscribe(func(ctx context.Context, n revocation.Notice) {
		keys, _, _ := h.store.SSHKeys(ctx, n.AccountKey, 0, 1000)
		h.tell(fmt.Sprintf("notice %s with %d left", n.AccountKey, len(keys)))
	})
	now := func() time.Time { return h.at }
	h.Service = sshkey.New(h.store, hub, now, func(_ context.Context, e audit.Event) error {
		h.tell(fmt.Sprint(e.Kind, " ", e.AccountKey, " ", e.Detail))
		return nil
	}, func() time.Duration { return 180 * 24 * time.Hour })
	return h
}

func caller(accountKey string) access.Caller {
	roles := []int64{3}
	if accountKey == admin {
		roles = []int64{model.RoleAdmin}
	}
	return access.Caller{Kind: access.SessionToken, Account: &access.Account{Key: accountKey, RoleIDs: roles}}
}

// add is Add that must succeed.
func (h *house) add(t *testing.T, accountKey, title, text string) model.SSHKey {
	t.Helper()
	row, err := h.Add(t.Context(), caller(accountKey), title, text, sshkey.Limits{})
	if err != nil {
		t.Fatalf("Add(%q) = %v", title, err)
	}
	return row
}

func TestErrorsSayWhatClientsExpect(t *testing.T) {
	for _, tt := range []struct {
		err  *fault.Error
		kind fault.Kind
		text string
	}{
		{sshkey.ErrTitle, fault.Invalid, "title must be 1 to 255 printable characters"},
		{sshkey.ErrTitleTaken, fault.Invalid, "key with the same title already exists"},
		{sshkey.ErrKeyTaken, fault.Invalid, "provided key invalid: this key is already on your account"},
		{sshkey.ErrTooMany, fault.Invalid, "an account may have at most 100 SSH keys"},
		{sshkey.ErrNoKey, fault.NotFound, "failed to get public key"},
		{sshkey.ErrNoAccount, fault.Unauthenticated, "token is invalidated"},
		{sshkey.ErrPrivate, fault.Invalid, "provided key invalid: this is a private key, paste the .pub file; the pasted key should be considered exposed"},
		{sshkey.ErrOptions, fault.Invalid, "provided key invalid: options are fields here, not part of the key"},
	} {
		if tt.err.Kind != tt.kind || tt.err.Text != tt.text {
			t.Errorf("%s is kind %d %q, want kind %d %q", tt.err.Code, tt.err.Kind, tt.err.Text, tt.kind, tt.text)
		}
	}
}

func TestAddStoresThePlainKey(t *testing.T) {
	h := newHouse()
	text := vector(t, "accept", "ed25519.pub")
	row := h.add(t, alice, " my  Schlüssel ", "\r\n "+text)
	want := model.SSHKey{
		ID: row.ID, AccountKey: alice, Title: " my  Schlüssel ",
		Fingerprint: "SHA256:X8WyYziArXwG7cvRCQdZD37cj/GqEGwLuFAkgTiPJAg",
		PublicKey:   strings.TrimSuffix(strings.TrimSpace(text), " alice@laptop"),
		Comment:     "alice@laptop",
		AddedAt:     model.Time{Time: time.Date(2026, 11, 20, 10, 33, 1, 585_000_000, time.UTC)},
	}
	if row != want {
		t.Errorf("Add = %+v, want %+v", row, want)
	}
	keys, total, err := h.List(t.Context(), alice, 1, 0)
	if err != nil || total != 1 || !slices.Equal(keys, []model.SSHKey{want}) {
		t.Errorf("List = %+v, %d, %v", keys, total, err)
	}
	event := "ssh_key_added a11ce [ssh_key_id=1 fingerprint=SHA256:X8WyYziArXwG7cvRCQdZD37cj/GqEGwLuFAkgTiPJAg]"
	if !slices.Equal(h.told, []string{event}) {
		t.Errorf("told %q, want %q", h.told, event)
	}
}

func TestAddRefuses(t *testing.T) {
	h := newHouse()
	first := ed25519Line(t)
	h.add(t, alice, "laptop", first)
	for name, tt := range map[string]struct {
		who, title, text string
		want             error
	}{
		"a title that is taken":                         {alice, "laptop", ed25519Line(t), sshkey.ErrTitleTaken},
		"a title that is taken, before a bad key":       {alice, "laptop", "garbage", sshkey.ErrTitleTaken},
		"a title that is taken, before the same key":    {alice, "laptop", first, sshkey.ErrTitleTaken},
		"a key that is there":                           {alice, "desktop", first, sshkey.ErrKeyTaken},
		"a key that is there, with another comment":     {alice, "desktop", "  " + first + " other", sshkey.ErrKeyTaken},
		"a bad title, before a bad key":                 {alice, "\n", "garbage", sshkey.ErrTitle},
		"a bad key":                                     {alice, "desktop", "garbage", sshkey.ErrType},
		"an account that was deleted meanwhile":         {gone, "laptop", first, sshkey.ErrNoAccount},
		"an account that was deleted, before a bad key": {gone, "laptop", "garbage", sshkey.ErrType},
	} {
		t.Run(name, func(t *testing.T) {
			row, err := h.Add(t.Context(), caller(tt.who), tt.title, tt.text, sshkey.Limits{})
			if !errors.Is(err, tt.want) || row != (model.SSHKey{}) {
				t.Errorf("Add = %+v, %v, want %v", row, err, tt.want)
			}
		})
	}
	if len(h.told) != 1 {
		t.Errorf("refusals were recorded as events: %q", h.told)
	}
	h.add(t, bob, "laptop", first) // another account may have both
	h.add(t, alice, "Laptop", ed25519Line(t))
}

func TestAddAcceptsTitles(t *testing.T) {
	for name, title := range map[string]string{
		"one character":           "a",
		"255 characters":          strings.Repeat("ü", 255),
		"blanks inside and out":   " my  key ",
		"other scripts":           "Ключ 鍵 مفتاح می\u200cخواهم",
		"emoji, joined":           "👩\u200d💻❤️",
		"what HTML would mind":    `<script>alert("1")</script>&`,
		"what SQL would mind":     `'; DROP TABLE ssh_keys; --%_`,
		"a no-break space inside": "a\u00a0b",
	} {
		t.Run(name, func(t *testing.T) {
			if row := newHouse().add(t, alice, title, ed25519Line(t)); row.Title != title {
				t.Errorf("title %q became %q", title, row.Title)
			}
		})
	}
}

func TestAddRefusesTitles(t *testing.T) {
	for name, title := range map[string]string{
		"nothing":                      "",
		"256 characters":               strings.Repeat("a", 256),
		"256 characters of more bytes": strings.Repeat("ü", 256),
		"blanks":                       "   ",
		"blanks of other kinds":        "\u00a0\u3000\u2003",
		"joiners only":                 "\u200d\u200c",
		"a Hangul filler":              "\u3164",
		"a combining mark only":        "\u0301",
		"NUL":                          "a\x00b",
		"a line end":                   "a\nb",
		"a tab":                        "a\tb",
		"an escape sequence":           "\x1b[31mred",
		"a control of Latin-1":         "a\u0085b",
		"a delete":                     "a\x7f",
		"a line separator":             "a\u2028b",
		"an override of the direction": "a\u202eb",
		"a byte order mark":            "\ufeffa",
		"bytes that are not UTF-8":     "a\xff",
	} {
		t.Run(name, func(t *testing.T) {
			if row, err := newHouse().Add(t.Context(), caller(alice), title, ed25519Line(t), sshkey.Limits{}); !errors.Is(err, sshkey.ErrTitle) {
				t.Errorf("Add(%q) = %+v, %v, want %v", title, row, err, sshkey.ErrTitle)
			}
		})
	}
}

func TestAddStopsAt100(t *testing.T) {
	h := newHouse()
	for n := range 100 {
		h.add(t, alice, fmt.Sprint("key ", n), ed25519Line(t))
	}
	if _, err := h.Add(t.Context(), caller(alice), "one more", ed25519Line(t), sshkey.Limits{}); !errors.Is(err, sshkey.ErrTooMany) {
		t.Errorf("key 101 = %v, want %v", err, sshkey.ErrTooMany)
	}
	h.add(t, bob, "one more", ed25519Line(t))
}

// Of 12 at once exactly one wins, and the losers hear a reason.
func TestAddInParallel(t *testing.T) {
	key := ed25519Line(t)
	for name, tt := range map[string]struct {
		try  func(i int) (title, text string)
		want error
	}{
		"one title": {func(int) (string, string) { return "same", ed25519Line(t) }, sshkey.ErrTitleTaken},
		"one key":   {func(i int) (string, string) { return fmt.Sprint("key ", i), key }, sshkey.ErrKeyTaken},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse()
			won := racetest.Together(t, 12, tt.want, func(i int) error {
				title, text := tt.try(i)
				_, err := h.Add(t.Context(), caller(alice), title, text, sshkey.Limits{})
				return err
			})
			if _, total, err := h.List(t.Context(), alice, 1, 0); won != 1 || total != 1 || err != nil {
				t.Errorf("%d of 12 won and %d rows stand (%v), want 1", won, total, err)
			}
		})
	}
}

func TestListPages(t *testing.T) {
	h := newHouse()
	var all []model.SSHKey
	for n := range 5 {
		all = append(all, h.add(t, alice, fmt.Sprint("key ", 9-n), ed25519Line(t)))
	}
	h.add(t, bob, "not hers", ed25519Line(t))
	const huge = int(^uint(0) >> 1)
	for _, tt := range []struct {
		page, perPage int
		want          []model.SSHKey
	}{
		{1, 0, all},
		{1, -1, all},
		{0, 0, all},
		{-huge, 2, all[:2]},
		{1, 2, all[:2]},
		{2, 2, all[2:4]},
		{3, 2, all[4:]},
		{4, 2, nil},
		{2, 0, nil},
		{1, huge, all},
		{huge, 1, nil},
		{huge, huge, nil},
	} {
		got, total, err := h.List(t.Context(), alice, tt.page, tt.perPage)
		if err != nil || total != 5 || !slices.Equal(got, tt.want) {
			t.Errorf("List(%d, %d) = %+v, %d, %v, want %+v", tt.page, tt.perPage, got, total, err, tt.want)
		}
	}
}

func TestDeleteTouchesOwnKeysOnly(t *testing.T) {
	h := newHouse()
	row := h.add(t, alice, "laptop", ed25519Line(t))
	for name, try := range map[string]struct {
		who string
		id  int64
	}{
		"somebody else's": {bob, row.ID},
		"an admin's try":  {admin, row.ID}, // an admin has DeleteAny
		"unknown":         {alice, row.ID + 1},
		"zero":            {alice, 0},
		"negative":        {alice, -1},
	} {
		err := h.Delete(t.Context(), caller(try.who), try.id)
		if !errors.Is(err, sshkey.ErrNoKey) || err.Error() != "failed to get public key" {
			t.Errorf("Delete of a key that is %s = %v, want %v", name, err, sshkey.ErrNoKey)
		}
	}
	if len(h.told) != 1 {
		t.Errorf("refused deletions were told: %q", h.told)
	}
	if err := h.Delete(t.Context(), caller(alice), row.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{"notice a11ce with 0 left", "ssh_key_deleted a11ce [ssh_key_id=1]"}
	if !slices.Equal(h.told[1:], want) {
		t.Errorf("told %q, want %q: committed, then published, then recorded", h.told[1:], want)
	}
	if err := h.Delete(t.Context(), caller(alice), row.ID); !errors.Is(err, sshkey.ErrNoKey) {
		t.Errorf("second Delete = %v, want %v", err, sshkey.ErrNoKey)
	}
}

func TestDeleteAnyIsForAdmins(t *testing.T) {
	h := newHouse()
	row := h.add(t, alice, "laptop", ed25519Line(t))
	for _, who := range []string{alice, bob} {
		if err := h.DeleteAny(t.Context(), caller(who), row.ID); !errors.Is(err, sshkey.ErrNoKey) {
			t.Errorf("DeleteAny by %s = %v, want %v", who, err, sshkey.ErrNoKey)
		}
	}
	if err := h.DeleteAny(t.Context(), caller(admin), row.ID+1); !errors.Is(err, sshkey.ErrNoKey) {
		t.Errorf("DeleteAny of an unknown key = %v, want %v", err, sshkey.ErrNoKey)
	}
	if err := h.DeleteAny(t.Context(), caller(admin), row.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{"notice a11ce with 0 left", "ssh_key_deleted a11ce [ssh_key_id=1]"}
	if !slices.Equal(h.told[1:], want) {
		t.Errorf("told %q, want %q", h.told[1:], want)
	}
}

// brokenStore is a storage that cannot serve.
type brokenStore struct{ sshkey.Store }

var errBroken = fmt.Errorf("%w: disk I/O error", model.ErrUnavailable)

func (brokenStore) HasSSHKeyTitle(context.Context, string, string) (bool, error) {
	return false, errBroken
}

func (brokenStore) SSHKeys(context.Context, string, int, int) ([]model.SSHKey, int64, error) {
	return nil, 0, errBroken
}
func (brokenStore) DeleteSSHKey(context.Context, string, int64) error { return errBroken }
func (brokenStore) DeleteAnySSHKey(context.Context, int64) (string, error) {
	return "", errBroken
}

func TestBrokenStorageIsNobodysMistake(t *testing.T) {
	svc := sshkey.New(brokenStore{}, &revocation.Hub{}, time.Now, func(context.Context, audit.Event) error {
		t.Error("an event was recorded")
		return nil
	}, func() time.Duration { return 0 })
	_, addErr := svc.Add(t.Context(), caller(alice), "laptop", ed25519Line(t), sshkey.Limits{})
	_, _, listErr := svc.List(t.Context(), alice, 1, 0)
	for act, err := range map[string]error{
		"Add":       addErr,
		"List":      listErr,
		"Delete":    svc.Delete(t.Context(), caller(alice), 1),
		"DeleteAny": svc.DeleteAny(t.Context(), caller(admin), 1),
	} {
		if !errors.Is(err, model.ErrUnavailable) || fault.Of(err).Kind != fault.Internal {
			t.Errorf("%s = %v, want %v and no words for the caller", act, err, model.ErrUnavailable)
		}
	}
}
