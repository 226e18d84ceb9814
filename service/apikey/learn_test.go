package apikey_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/racetest"
)

func learning(w *apikey.Wanted) { w.Scopes, w.LearnFor = []string{"me.read", "all"}, time.Hour }

func (f *fixture) learned(by access.Caller, key model.APIKey) apikey.Lesson {
	f.t.Helper()
	l, err := f.Learned(f.t.Context(), by, key.ID)
	if err != nil {
		f.t.Fatalf("Learned = %v", err)
	}
	return l
}

func TestAKeyLearnsWhatItNeeds(t *testing.T) {
	f := newFixture(t)
	text, key := f.make(learning)
	f.wantIn(text, nil)
	f.Learn(key.ID, access.MeRead, true)
	f.Learn(key.ID, access.SessionEvict, false)
	f.Learn(key.ID, access.AdminUserRead, false)
	f.Learn(key.ID, access.SessionEvict, true) // it was refused once, and that counts
	f.Learn(key.ID, access.FirstParty, false)  // nobody can give that
	want := apikey.Lesson{
		Needed:   access.Scopes{access.AdminUserRead, access.MeRead, access.SessionEvict},
		Refused:  access.Scopes{access.AdminUserRead, access.SessionEvict},
		Proposal: access.Scopes{access.MeRead, access.SessionEvict}, Until: key.LearnUntil.Time,
	}
	got := f.learned(f.stale(alice), key)
	if !slices.Equal(got.Needed, want.Needed) || !slices.Equal(got.Refused, want.Refused) ||
		!slices.Equal(got.Proposal, want.Proposal) || !got.Until.Equal(want.Until) {
		t.Errorf("Learned = %+v, want %+v", got, want)
	}
	asAdmin := f.as(alice)
	asAdmin.Account.RoleIDs = []int64{model.RoleAdmin}
	if got := f.learned(asAdmin, key); !slices.Equal(got.Proposal, want.Needed) {
		t.Errorf("an admin is proposed %v, want what admins can give too", got.Proposal)
	}
	if _, err := f.Learned(t.Context(), f.as(bob), key.ID); !errors.Is(err, apikey.ErrNoKey) {
		t.Errorf("somebody else's = %v", err)
	}
}

func TestLearningEnds(t *testing.T) {
	f := newFixture(t)
	text, key := f.make(learning)
	f.wantIn(text, nil)
	f.advance(time.Hour)
	f.Learn(key.ID, access.MeRead, true)
	if got := f.learned(f.as(alice), key); len(got.Needed) != 0 {
		t.Errorf("learnt after its time: %+v", got)
	}
	plain, other := f.make()
	f.wantIn(plain, nil)
	f.Learn(other.ID, access.MeRead, true)
	if got := f.learned(f.as(alice), other); len(got.Needed) != 0 || !got.Until.IsZero() {
		t.Errorf("a key that does not learn: %+v", got)
	}
	if err := f.Upkeep(t.Context()); err != nil { // forgets who learnt
		t.Fatal(err)
	}
	f.Learn(key.ID, access.MeRead, true)
	if got := f.learned(f.as(alice), key); len(got.Needed) != 0 {
		t.Errorf("learnt after it was forgotten: %+v", got)
	}
}

func TestWhatIsKnownCostsNoWrite(t *testing.T) {
	f := newFixture(t)
	text, key := f.make(learning)
	f.wantIn(text, nil)
	f.Learn(key.ID, access.MeRead, true)
	f.flush()
	for _, again := range []func(){func() {}, f.restart} {
		again()
		f.wantIn(text, nil)
		f.flush()
		before := f.store.writes.Load()
		racetest.AtOnce(8, func(int) { f.Learn(key.ID, access.MeRead, true) })
		f.flush()
		if n := f.store.writes.Load() - before; n != 0 {
			t.Errorf("%d writes, want none", n)
		}
	}
	f.Learn(key.ID, access.MeRead, false)
	if got := f.learned(f.as(alice), key); !slices.Equal(got.Refused, access.Scopes{access.MeRead}) {
		t.Errorf("a refusal that came later: %+v", got)
	}
}

func TestTwoProcessesLearnTogether(t *testing.T) {
	f := newFixture(t)
	text, key := f.make(learning)
	second := f.another(f.hub)
	racetest.AtOnce(2, func(i int) {
		s, scope := f.Service, access.MeRead
		if i == 1 {
			s, scope = second, access.SSHKeyRead
		}
		if _, err := s.Resolve(t.Context(), apikey.Presented{Text: text}); err != nil {
			t.Error(err)
		}
		s.Learn(key.ID, scope, true)
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if got := f.learned(f.as(alice), key); !slices.Equal(got.Needed, access.Scopes{access.MeRead, access.SSHKeyRead}) {
		t.Errorf("Learned = %+v", got)
	}
}
