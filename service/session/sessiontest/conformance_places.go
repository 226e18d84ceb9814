package sessiontest

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
)

func places() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"the first place of an account is no news, the second is": secondPlaceIsNews,
		"an older device makes the first place news":              deviceCountsAsPlace,
		"a place is known when its device's row is gone":          placeOutlivesDevice,
		"places beyond the limit are forgotten, oldest first":     placesAreBounded,
		"of parallel sign-ins at a new place one is news":         newPlaceOnce,
		"a sign-in on a device that is new leaves the mark":       markStays,
	}
}

// note notes a sign-in on the device at the place and returns whether it is news.
func (s *stage) note(a model.Account, device, place string, after time.Duration) bool {
	s.t.Helper()
	news, err := s.Store.NotePlace(s.t.Context(), s.placeNote(a, device, place, after))
	if err != nil {
		s.t.Fatalf("NotePlace(%s) = %v", place, err)
	}
	return news
}

func (*stage) placeNote(a model.Account, device, place string, after time.Duration) model.PlaceNote {
	return model.PlaceNote{
		Place:     model.Place{AccountKey: a.Key, Place: place, SeenAt: at(after)},
		DeviceKey: deviceKey(a, device), NewUntil: at(after + time.Hour), Keep: 3,
	}
}

// newUntil is the mark of the device.
func (s *stage) newUntil(a model.Account, device string) model.Time {
	s.t.Helper()
	list, err := s.Store.Devices(s.t.Context(), a.Key, model.Live{At: at(0)})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range list {
		if d.Key == deviceKey(a, device) {
			return d.NewUntil
		}
	}
	s.t.Fatalf("no device %s", device)
	return model.Time{}
}

func secondPlaceIsNews(t *testing.T, s *stage) {
	a, b := s.account(), s.account()
	s.signIn(a, "laptop", 0)
	for i, tt := range []struct {
		of    model.Account
		place string
		want  bool
	}{
		{a, "home", false}, {a, "home", false}, {a, "work", true}, {a, "work", false}, {b, "work", false}, {b, "home", true},
	} {
		if got := s.note(tt.of, "laptop", tt.place, time.Duration(i)*time.Minute); got != tt.want {
			t.Errorf("%d: at %s: %t, want %t", i, tt.place, got, tt.want)
		}
	}
	if got := s.newUntil(a, "laptop"); !got.Equal(at(2*time.Minute + time.Hour).Time) {
		t.Errorf("marked until %s", got)
	}
}

func deviceCountsAsPlace(t *testing.T, s *stage) {
	a := s.account()
	s.signIn(a, "phone", 0)
	s.signIn(a, "laptop", 0)
	if !s.note(a, "laptop", "home", 0) {
		t.Error("no news, although the phone was there before")
	}
	if got := s.newUntil(a, "phone"); !got.IsZero() {
		t.Errorf("the phone is marked until %s", got)
	}
}

func placeOutlivesDevice(t *testing.T, s *stage) {
	a := s.account()
	s.signIn(a, "laptop", 0)
	s.note(a, "laptop", "home", 0)
	s.note(a, "phone", "work", 0)
	if _, err := s.Store.DropInactive(t.Context(), 0, "", model.Live{At: at(2 * lifetime)}); err != nil {
		t.Fatal(err)
	}
	if s.note(a, "phone", "work", 2*lifetime) || s.note(a, "laptop", "home", 2*lifetime) {
		t.Error("a place that was there is news")
	}
	s.DeleteAccount(t, a.Key)
}

func placesAreBounded(t *testing.T, s *stage) {
	a := s.account()
	day := 24 * time.Hour
	for i := range 3 {
		s.note(a, "laptop", strconv.Itoa(i), time.Duration(i)*day)
	}
	s.note(a, "laptop", "0", 5*day) // seen again, so it is not the oldest
	s.note(a, "laptop", "3", 6*day)
	for i, want := range []bool{false, true, false} {
		if i == 2 { // "1" has pushed the oldest out, which is "2"
			want = true
		}
		if got := s.note(a, "laptop", strconv.Itoa(i), 7*day); got != want {
			t.Errorf("place %d is news: %t, want %t", i, got, want)
		}
	}
}

func newPlaceOnce(t *testing.T, s *stage) {
	a := s.account()
	s.note(a, "laptop", "home", 0)
	var (
		news  atomic.Int64
		group sync.WaitGroup
	)
	for range 16 {
		group.Go(func() {
			is, err := s.Store.NotePlace(t.Context(), s.placeNote(a, "laptop", "work", 0))
			if err != nil {
				t.Errorf("NotePlace = %v", err)
			}
			if is {
				news.Add(1)
			}
		})
	}
	group.Wait()
	if news.Load() != 1 {
		t.Errorf("news %d times, want once", news.Load())
	}
}

func markStays(t *testing.T, s *stage) {
	a := s.account()
	s.note(a, "laptop", "home", 0)
	s.signIn(a, "phone", 0)
	s.note(a, "phone", "work", 0)
	s.signIn(a, "phone", time.Minute)
	s.note(a, "phone", "work", time.Minute)
	if got := s.newUntil(a, "phone"); !got.Equal(at(time.Hour).Time) {
		t.Errorf("marked until %s", got)
	}
}
