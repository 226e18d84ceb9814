package sessiontest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"latchkey/model"
)

// NotePlace remembers where the account signed in from.
func (s *Store) NotePlace(ctx context.Context, n model.PlaceNote) (bool, error) {
	if err := gone(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := model.Place{AccountKey: n.AccountKey, Place: n.Place.Place}
	_, known := s.places[at]
	news := !known && s.beenElsewhere(n)
	s.places[at] = n.SeenAt
	if d, ok := s.devices[n.DeviceKey]; ok && news {
		d.NewUntil = n.NewUntil
		s.devices[d.Key] = d
	}
	s.forgetPlaces(at, n.Keep)
	return news, nil
}

func (s *Store) beenElsewhere(n model.PlaceNote) bool {
	for p := range s.places {
		if p.AccountKey == n.AccountKey {
			return true
		}
	}
	for _, d := range s.devices {
		if d.AccountKey == n.AccountKey && d.Key != n.DeviceKey {
			return true
		}
	}
	return false
}

func (s *Store) forgetPlaces(but model.Place, keep int) {
	all := slices.Collect(maps.Keys(s.places))
	all = slices.DeleteFunc(all, func(p model.Place) bool { return p.AccountKey != but.AccountKey || p == but })
	slices.SortFunc(all, func(a, b model.Place) int {
		return cmp.Or(s.places[b].Compare(s.places[a].Time), cmp.Compare(a.Place, b.Place))
	})
	for _, p := range all[min(len(all), keep-1):] {
		delete(s.places, p)
	}
}
