package throttletest

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/throttle"
)

// Harness is a store and what must exist around it.
type Harness struct {
	Store         throttle.Store
	NewAccount    func(t *testing.T) string // makes an account, returns its key
	DeleteAccount func(t *testing.T, accountKey string)
}

// Conformance is what every throttle.Store must do.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, suite){
		"a counter that nobody stored is not found":       testNothing,
		"a stored counter is found as it was":             testFound,
		"a counter replaces the one before":               testReplaced,
		"lists hold one kind, those that last first":      testListed,
		"lists can be of those with a name":               testLabelled,
		"lifting deletes the subject's rows of its kinds": testLifted,
		"what is lifted can be stored in the same breath": testLiftedAndStored,
		"cleaning deletes what is empty":                  testCleaned,
		"cleaning keeps as many as it is told":            testKept,
		"many rows are stored at once":                    testMany,
		"an account takes its rows with it":               testAccountGone,
	} {
		t.Run(name, func(t *testing.T) { test(t, suite{open(t)}) })
	}
}

// suite is the harness with the steps that the tests share.
type suite struct{ Harness }

// instant is when the suite's rows end; stores keep whole milliseconds.
func instant(after time.Duration) model.Time {
	return model.At(time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC).Add(after))
}

// counter is a row of nobody that can be named.
func counter(kind model.ThrottleKind, who, place int64, until time.Duration) model.Throttle {
	return model.Throttle{ThrottleID: model.ThrottleID{Kind: kind, Who: who, Place: place}, Until: instant(until)}
}

func (s suite) save(t *testing.T, rows ...model.Throttle) {
	t.Helper()
	if err := s.Store.SaveThrottles(t.Context(), nil, rows); err != nil {
		t.Fatalf("SaveThrottles: %v", err)
	}
}

func (s suite) list(t *testing.T, q model.ThrottleQuery) []model.Throttle {
	t.Helper()
	rows, err := s.Store.Throttles(t.Context(), q)
	if err != nil {
		t.Fatalf("Throttles: %v", err)
	}
	return rows
}

// left expects exactly these rows of the kind.
func (s suite) left(t *testing.T, kind model.ThrottleKind, want ...model.Throttle) {
	t.Helper()
	got := s.list(t, model.ThrottleQuery{Kind: kind, After: instant(-time.Hour), Limit: 100})
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("the rows of kind %s differ (-want +got):\n%s", kind, diff)
	}
}

func (s suite) found(t *testing.T, want model.Throttle) {
	t.Helper()
	got, err := s.Store.Throttle(t.Context(), want.ThrottleID)
	if err != nil {
		t.Fatalf("Throttle: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the row differs (-want +got):\n%s", diff)
	}
}

func testNothing(t *testing.T, s suite) {
	row := counter(model.ThrottleAddress, 1, 0, 0)
	s.save(t, row)
	for _, id := range []model.ThrottleID{
		{Kind: model.ThrottleAddress, Who: 2}, {Kind: model.ThrottleAddress, Who: 1, Place: 1}, {Kind: model.ThrottleAccount, Who: 1},
	} {
		if _, err := s.Store.Throttle(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("Throttle(%+v) = %v, want %v", id, err, model.ErrNotFound)
		}
	}
}

func testFound(t *testing.T, s suite) {
	row := counter(model.ThrottleSource, math.MinInt64, math.MaxInt64, time.Millisecond)
	row.AccountKey = s.NewAccount(t)
	address := counter(model.ThrottleAddress, -1, 0, 0)
	address.Address = "2001:db8:1:2::/64"
	s.save(t, row, address)
	s.found(t, row)
	s.found(t, address)
}

func testReplaced(t *testing.T, s suite) {
	other := counter(model.ThrottleAccount, 1, 0, 0)
	s.save(t, counter(model.ThrottleAddress, 1, 0, time.Hour), other)
	row := counter(model.ThrottleAddress, 1, 0, time.Minute)
	s.save(t, row)
	s.left(t, model.ThrottleAddress, row)
	s.left(t, model.ThrottleAccount, other)
}

func testListed(t *testing.T, s suite) {
	one, two, three := counter(model.ThrottleCodes, 3, 0, 1), counter(model.ThrottleCodes, 1, 0, time.Minute), counter(model.ThrottleCodes, 2, 0, time.Hour)
	one.Until = instant(time.Millisecond)
	s.save(t, one, two, three, counter(model.ThrottleCodes, 4, 0, 0), counter(model.ThrottleSourceCodes, 1, 0, time.Hour))
	for limit, want := range map[int][]model.Throttle{1: {three}, 2: {three, two}, 9: {three, two, one}} {
		got := s.list(t, model.ThrottleQuery{Kind: model.ThrottleCodes, After: instant(0), Limit: limit})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at most %d (-want +got):\n%s", limit, diff)
		}
	}
}

func testLabelled(t *testing.T, s suite) {
	nobody, address, account := counter(model.ThrottleAccount, 1, 0, time.Hour), counter(model.ThrottleAccount, 2, 0, time.Minute), counter(model.ThrottleAccount, 3, 0, time.Second)
	address.Address, account.AccountKey = "192.0.2.1", s.NewAccount(t)
	s.save(t, nobody, address, account)
	got := s.list(t, model.ThrottleQuery{Kind: model.ThrottleAccount, After: instant(0), Limit: 9, Labelled: true})
	if diff := cmp.Diff([]model.Throttle{address, account}, got); diff != "" {
		t.Errorf("the labelled (-want +got):\n%s", diff)
	}
}

func lift(who int64, kinds ...model.ThrottleKind) []model.ThrottleLift {
	return []model.ThrottleLift{{Who: who, Kinds: kinds}}
}

func testLifted(t *testing.T, s suite) {
	other, known := counter(model.ThrottleSource, 2, 7, 0), counter(model.ThrottleKnown, 1, 7, 0)
	s.save(t, counter(model.ThrottleSource, 1, 7, 0), counter(model.ThrottleSource, 1, 8, 0), counter(model.ThrottleAccount, 1, 0, 0), other, known)
	if err := s.Store.SaveThrottles(t.Context(), lift(1, model.ThrottleSource, model.ThrottleAccount), nil); err != nil {
		t.Fatal(err)
	}
	s.left(t, model.ThrottleSource, other)
	s.left(t, model.ThrottleAccount)
	s.left(t, model.ThrottleKnown, known)
}

func testLiftedAndStored(t *testing.T, s suite) {
	s.save(t, counter(model.ThrottleSource, 1, 7, time.Hour), counter(model.ThrottleSource, 1, 8, time.Hour))
	row := counter(model.ThrottleSource, 1, 8, time.Minute)
	if err := s.Store.SaveThrottles(t.Context(), lift(1, model.ThrottleSource), []model.Throttle{row}); err != nil {
		t.Fatal(err)
	}
	s.left(t, model.ThrottleSource, row)
}

// clean cleans until nothing is left to clean, two rows at a time.
func (s suite) clean(t *testing.T, kind model.ThrottleKind, now time.Duration, keep int) int64 {
	t.Helper()
	var all int64
	for range 100 {
		n, err := s.Store.CleanThrottles(t.Context(), kind, instant(now), keep, 2)
		if err != nil {
			t.Fatalf("CleanThrottles: %v", err)
		}
		if all += n; n == 0 {
			return all
		}
	}
	t.Fatal("cleaning does not end")
	return all
}

func testCleaned(t *testing.T, s suite) {
	other, later := counter(model.ThrottleCodes, 1, 0, 0), counter(model.ThrottleAddress, 1, 0, time.Millisecond)
	rows := []model.Throttle{other, later}
	for i := range 7 {
		rows = append(rows, counter(model.ThrottleAddress, int64(i+2), 0, -time.Duration(i)*time.Second))
	}
	s.save(t, rows...)
	if n := s.clean(t, model.ThrottleAddress, 0, 100); n != 7 {
		t.Errorf("%d rows were deleted, want 7", n)
	}
	s.left(t, model.ThrottleAddress, later)
	s.left(t, model.ThrottleCodes, other)
}

func testKept(t *testing.T, s suite) {
	var rows, want []model.Throttle
	for i := range int64(12) { // four instants, each of three rows
		row := counter(model.ThrottleAddress, i, 100-i, time.Duration(1+i/3)*time.Second)
		if rows = append(rows, row); i >= 9 || i == 6 || i == 7 {
			want = append(want, row)
		}
	}
	s.save(t, rows...)
	s.save(t, counter(model.ThrottleCodes, 1, 0, 0))
	if n := s.clean(t, model.ThrottleAddress, 0, 5); n != 7 {
		t.Errorf("%d rows were deleted, want 7", n)
	}
	slices.SortFunc(want, lastFirst)
	s.left(t, model.ThrottleAddress, want...)
}

func testMany(t *testing.T, s suite) {
	account := s.NewAccount(t)
	var rows []model.Throttle
	for i := range int64(300) {
		row := counter(model.ThrottleKnown, i, -i, time.Hour)
		if i%2 == 0 {
			row.AccountKey = account
		}
		rows = append(rows, row)
	}
	s.save(t, rows...)
	if n := len(s.list(t, model.ThrottleQuery{Kind: model.ThrottleKnown, After: instant(0), Limit: 1000})); n != 300 {
		t.Errorf("%d rows are there, want 300", n)
	}
}

// S-12: and no write that comes late brings one back.
func testAccountGone(t *testing.T, s suite) {
	row, other := counter(model.ThrottleAccount, 1, 0, 0), counter(model.ThrottleAccount, 2, 0, 0)
	row.AccountKey, other.AccountKey = s.NewAccount(t), s.NewAccount(t)
	known := counter(model.ThrottleKnown, 1, 7, time.Hour)
	known.AccountKey = row.AccountKey
	s.save(t, row, other, known)
	s.DeleteAccount(t, row.AccountKey)
	s.left(t, model.ThrottleAccount, other)
	s.left(t, model.ThrottleKnown)
	nobody := counter(model.ThrottleAccount, 3, 0, -1)
	s.save(t, row, known, nobody)
	s.left(t, model.ThrottleAccount, other, nobody)
	s.left(t, model.ThrottleKnown)
}
