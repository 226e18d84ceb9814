package audittest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/audit"
)

// Harness is a fresh store and the ways to make and delete an account in it.
type Harness struct {
	Store         audit.Store
	NewAccount    func(t *testing.T) model.Account
	DeleteAccount func(t *testing.T, key string)
}

// Conformance checks that a store keeps the promises of audit.Store. open makes
// a fresh one for each part.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Harness){
		"an event comes back as it was added":       keepsEveryField,
		"an event written twice is there once":      onceOnly,
		"an account is named by its key or its id":  namesAccounts,
		"an event outlives its account":             outlivesAccounts,
		"a name that is given stays":                keepsGivenNames,
		"a list is the newest first and in pages":   listsInPages,
		"a list is counted to a number":             countsToANumber,
		"every filter leaves out the rest":          filters,
		"a name finds who has it and who had it":    findsByName,
		"what is too old goes, oldest first":        dropsOld,
		"what is too much goes, the noisiest first": trimsNoise,
		"a store that is not too full keeps it all": trimsNothing,
		"many writers lose nothing and double none": parallelWriters,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

// begin is the instant of sample 0.
func begin() time.Time { return time.Date(2026, 11, 20, 10, 33, 1, 585e6, time.UTC) }

// sample is an event whose fields all carry n, n seconds after the first.
func sample(n int) model.AuditEvent {
	text := func(what string) string { return fmt.Sprintf("%s %d ключ", what, n) }
	return model.AuditEvent{
		At: model.At(begin().Add(time.Duration(n) * time.Second)), Nonce: int64(n) + 1<<40, Kind: "kind",
		AccountKey: text("key"), AccountID: int64(n) + 1000, Username: text("name"),
		ActorKind: model.ActorSession, ActorKey: text("actor"), ActorID: int64(n) + 2000, ActorName: text("actor name"),
		DeviceKey: text("device"), CallerDevice: text("caller"), Address: text("address"), Reason: text("reason"),
		Detail: `{"a":1}`, RequestID: text("request"),
	}
}

func add(t *testing.T, h Harness, events ...model.AuditEvent) {
	t.Helper()
	if err := h.Store.AddEvents(t.Context(), events); err != nil {
		t.Fatalf("AddEvents = %v", err)
	}
}

// list is all that matches.
func list(t *testing.T, h Harness, q model.AuditQuery) []model.AuditEvent {
	t.Helper()
	q.Limit, q.CountTo = 1000, 1000
	found, total, err := h.Store.Events(t.Context(), q)
	if err != nil || total != int64(len(found)) {
		t.Fatalf("Events = %d of %d, %v", len(found), total, err)
	}
	return found
}

// nonces tell which samples are in a list.
func nonces(events []model.AuditEvent) []int64 {
	all := []int64{}
	for _, e := range events {
		all = append(all, e.Nonce-1<<40)
	}
	return all
}

func wantNonces(t *testing.T, what string, events []model.AuditEvent, want ...int64) {
	t.Helper()
	if want == nil {
		want = []int64{}
	}
	if diff := cmp.Diff(want, nonces(events)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func keepsEveryField(t *testing.T, h Harness) {
	add(t, h, sample(1), model.AuditEvent{At: model.At(begin()), Detail: "{}"})
	found := list(t, h, model.AuditQuery{})
	if len(found) != 2 || found[0].ID <= found[1].ID || found[1].ID < 1 {
		t.Fatalf("found %+v", found)
	}
	found[0].ID, found[1].ID = 0, 0
	want := []model.AuditEvent{{At: model.At(begin()), Detail: "{}"}, sample(1)}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func onceOnly(t *testing.T, h Harness) {
	add(t, h, sample(1), sample(2))
	other := sample(3)
	other.At = sample(2).At
	add(t, h, sample(2), other, sample(1))
	wantNonces(t, "events", list(t, h, model.AuditQuery{}), 3, 2, 1)
}

func namesAccounts(t *testing.T, h Harness) {
	a, b := h.NewAccount(t), h.NewAccount(t)
	add(t, h, model.AuditEvent{At: model.At(begin()), Nonce: 1, AccountKey: a.Key},
		model.AuditEvent{At: model.At(begin()), Nonce: 2, AccountID: b.ID}, model.AuditEvent{At: model.At(begin()), Nonce: 3})
	found := list(t, h, model.AuditQuery{})
	for i, want := range []model.Account{{}, b, a} {
		if e := found[i]; e.AccountKey != want.Key || e.AccountID != want.ID || e.Username != want.Username {
			t.Errorf("event %d is about %q %d %q, want %q %d %q", i, e.AccountKey, e.AccountID, e.Username, want.Key, want.ID, want.Username)
		}
	}
}

func outlivesAccounts(t *testing.T, h Harness) {
	a := h.NewAccount(t)
	add(t, h, model.AuditEvent{At: model.At(begin()), Nonce: 1, AccountKey: a.Key})
	h.DeleteAccount(t, a.Key)
	add(t, h, model.AuditEvent{At: model.At(begin()), Nonce: 2, AccountKey: a.Key})
	found := list(t, h, model.AuditQuery{AccountKey: a.Key})
	if len(found) != 2 || found[1].Username != a.Username || found[1].AccountID != a.ID {
		t.Errorf("found %+v", found)
	}
}

func keepsGivenNames(t *testing.T, h Harness) {
	a := h.NewAccount(t)
	add(t, h, model.AuditEvent{At: model.At(begin()), AccountKey: a.Key, AccountID: 77, Username: "as it was"})
	if e := list(t, h, model.AuditQuery{})[0]; e.AccountID != 77 || e.Username != "as it was" {
		t.Errorf("found %+v", e)
	}
}

func listsInPages(t *testing.T, h Harness) {
	add(t, h, sample(1), sample(2), sample(3), sample(0))
	page := func(offset, limit int) []model.AuditEvent {
		found, total, err := h.Store.Events(t.Context(), model.AuditQuery{Offset: offset, Limit: limit, CountTo: 100})
		if err != nil || total != 4 {
			t.Errorf("Events = %d in all, %v", total, err)
		}
		return found
	}
	wantNonces(t, "first page", page(0, 2), 0, 3)
	wantNonces(t, "second page", page(2, 3), 2, 1)
	wantNonces(t, "beyond", page(9, 3))
}

func countsToANumber(t *testing.T, h Harness) {
	add(t, h, sample(1), sample(2), sample(3))
	if found, total, err := h.Store.Events(t.Context(), model.AuditQuery{Limit: 1, CountTo: 2}); err != nil || total != 2 || len(found) != 1 {
		t.Errorf("Events = %d of %d, %v, want 1 of 2", len(found), total, err)
	}
}

func filters(t *testing.T, h Harness) {
	special := sample(5)
	special.Kind = "other"
	add(t, h, sample(1), sample(2), sample(3), sample(4), special)
	for name, tt := range map[string]struct {
		q    model.AuditQuery
		want []int64
	}{
		"account":       {model.AuditQuery{AccountKey: sample(2).AccountKey}, []int64{2}},
		"kind":          {model.AuditQuery{Kind: "other"}, []int64{5}},
		"name":          {model.AuditQuery{Username: sample(3).Username}, []int64{3}},
		"address":       {model.AuditQuery{Address: sample(4).Address}, []int64{4}},
		"since":         {model.AuditQuery{Since: sample(4).At}, []int64{5, 4}},
		"until":         {model.AuditQuery{Until: sample(2).At}, []int64{1}},
		"several":       {model.AuditQuery{Kind: "kind", Since: sample(2).At, Until: sample(4).At}, []int64{3, 2}},
		"name and kind": {model.AuditQuery{Kind: "other", Username: sample(3).Username}, nil},
		"nothing":       {model.AuditQuery{Kind: "kin"}, nil},
	} {
		wantNonces(t, name, list(t, h, tt.q), tt.want...)
	}
}

func findsByName(t *testing.T, h Harness) {
	a := h.NewAccount(t)
	was, is := sample(1), sample(2)
	was.AccountKey, was.Username = a.Key, "former name"
	is.Username = a.Username // somebody else who had that name
	add(t, h, was, is, sample(3))
	wantNonces(t, "the present name", list(t, h, model.AuditQuery{Username: a.Username}), 2, 1)
	wantNonces(t, "the former name", list(t, h, model.AuditQuery{Username: "former name"}), 1)
}

func wantDeleted(t *testing.T, what string, got int64, err error, want int64) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s = %d, %v, want %d", what, got, err, want)
	}
}

func dropsOld(t *testing.T, h Harness) {
	add(t, h, sample(2), sample(1), sample(3), sample(4))
	n, err := h.Store.DropEvents(t.Context(), sample(4).At, 2)
	wantDeleted(t, "DropEvents", n, err, 2)
	if got := nonces(list(t, h, model.AuditQuery{})); len(got) != 2 || !slices.Contains(got, 4) {
		t.Errorf("left are %v", got)
	}
	n, err = h.Store.DropEvents(t.Context(), sample(4).At, 2)
	wantDeleted(t, "DropEvents again", n, err, 1)
	n, err = h.Store.DropEvents(t.Context(), sample(4).At, 2)
	wantDeleted(t, "DropEvents of nothing", n, err, 0)
	wantNonces(t, "left are", list(t, h, model.AuditQuery{}), 4)
	add(t, h, sample(5))
	if found := list(t, h, model.AuditQuery{}); found[0].ID <= 4 {
		t.Errorf("the id %d is used again", found[0].ID)
	}
}

func trimsNoise(t *testing.T, h Harness) {
	for n := range 8 {
		e := sample(n)
		if n%2 == 1 {
			e.Kind = "noise"
		}
		add(t, h, e)
	}
	trim := func(most int64, atMost int, want int64) {
		t.Helper()
		n, err := h.Store.TrimEvents(t.Context(), model.AuditTrim{Most: most, AtMost: atMost, First: []string{"none", "noise"}})
		wantDeleted(t, "TrimEvents", n, err, want)
	}
	trim(5, 2, 2)
	wantNonces(t, "after two", list(t, h, model.AuditQuery{}), 7, 6, 5, 4, 2, 0)
	trim(5, 2, 1)
	wantNonces(t, "after three", list(t, h, model.AuditQuery{}), 7, 6, 4, 2, 0)
	trim(2, 100, 3)
	wantNonces(t, "without noise", list(t, h, model.AuditQuery{}), 6, 4)
}

func trimsNothing(t *testing.T, h Harness) {
	add(t, h, sample(1), sample(2))
	for _, most := range []int64{2, 3} {
		n, err := h.Store.TrimEvents(t.Context(), model.AuditTrim{Most: most, AtMost: 10, First: []string{"kind"}})
		wantDeleted(t, "TrimEvents", n, err, 0)
	}
	wantNonces(t, "left are", list(t, h, model.AuditQuery{}), 2, 1)
}
