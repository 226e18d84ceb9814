package sshkey_test

import (
	"slices"
	"testing"

	"latchkey/service/racetest"
	"latchkey/service/sshkey"
)

// Edits of different values at once: none of them brings another's old value
// back.
func TestEditsAtOnceAllHold(t *testing.T) {
	for range 50 {
		h := newHouse()
		key := h.add(t, alice, "laptop", ed25519Line(t))
		limit := func(set func(*sshkey.Limits)) sshkey.Edit {
			return sshkey.Edit{Limits: func(l sshkey.Limits) sshkey.Limits {
				set(&l)
				return l
			}}
		}
		title := "camera"
		edits := []sshkey.Edit{
			{Title: &title},
			limit(func(l *sshkey.Limits) { l.ReadOnly = true }),
			limit(func(l *sshkey.Limits) { l.Path = "/photos" }),
			limit(func(l *sshkey.Limits) { l.AllowedIPs = []string{"192.0.2.7"} }),
		}
		racetest.AtOnce(len(edits), func(i int) {
			if err := h.Update(t.Context(), caller(alice), key.ID, edits[i]); err != nil {
				t.Errorf("Update = %v", err)
			}
		})
		list, _, err := h.List(t.Context(), alice, 1, 0)
		if err != nil || len(list) != 1 {
			t.Fatalf("List = %v, %v", list, err)
		}
		if l := sshkey.LimitsOf(list[0]); list[0].Title != title || !l.ReadOnly || l.Path != "/photos" || !slices.Equal(l.AllowedIPs, []string{"192.0.2.7/32"}) {
			t.Fatalf("the key became %q with %+v: an edit was lost", list[0].Title, l)
		}
	}
}
