package alist_test

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

const weak = "Password too weak: "

// doors are all the ways in which a request gives somebody a password; each of
// them gives it to somebody called gardener-anna.
func (s *site) doors(t testing.TB) map[string]func(plain string) servertest.Reply {
	t.Helper()
	const name = "gardener-anna"
	s.save(t, map[string]string{"allow_register": "true"})
	s.AddUser(t, name)
	id := s.stored(t, name).ID
	spare := 0
	return map[string]func(plain string) servertest.Reply{
		"registration": func(plain string) servertest.Reply {
			spare++ // each try has an address of its own: they are counted
			return s.Do(t, servertest.Request{
				Path: registerRoute, Body: object{"username": "Gardener-Bob", "password": strings.ReplaceAll(plain, "anna", "bob")},
				From: fmt.Sprintf("198.51.100.%d", spare),
			})
		},
		"an admin's new account": func(plain string) servertest.Reply {
			return s.act(t, userCreateRoute, object{"username": "gardener-carl", "password": strings.ReplaceAll(plain, "anna", "carl")})
		},
		"an admin's change": func(plain string) servertest.Reply {
			return s.act(t, userUpdateRoute, object{"id": id, "username": name, "password": plain, "role": []int{3}})
		},
		"an admin's change of the name too": func(plain string) servertest.Reply {
			return s.act(t, userUpdateRoute, object{"id": id, "username": "another", "password": plain, "role": []int{3}})
		},
		"one's own change": func(plain string) servertest.Reply {
			return s.post(t, s.SignIn(t, name, password, "").Token, updateRoute, object{"username": name, "password": plain})
		},
		"one's own change of the name too": func(plain string) servertest.Reply {
			return s.post(t, s.SignIn(t, name, password, "").Token, updateRoute, object{"username": "another", "password": plain})
		},
	}
}

// no door is easier than the others.
func TestEveryDoorRefusesWeakPasswords(t *testing.T) {
	const known = "tall giraffes hum"
	list := filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(list, fmt.Appendf(nil, "%x:3\n", sha1.Sum([]byte(known))), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, func(c *config.Config, _ *server.Options) { c.BreachedPasswords = list })
	doors := s.doors(t)
	s.save(t, map[string]string{"site_title": "The Walled Garden", "password_min_length": "12"})
	for door, set := range doors {
		for plain, why := range map[string]string{
			"eleven-char":             "use at least 12 characters",
			"beautiful":               "use at least 12 characters",
			"            ":            "it is blank",
			"password1234":            "it is among the best-known passwords",
			"GARDENER-anna":           "it is your name",
			"the walled garden":       "it is your name",
			known:                     "it is known from a data breach",
			strings.Repeat("x ", 129): "use at most 256 characters",
		} {
			wantRefused(t, door+": "+plain, set(plain), http.StatusBadRequest, weak+why)
			s.clock.Advance(30 * time.Second) // one's own are counted: they could be guesses
		}
	}
	wantDone(t, "a good one", doors["registration"]("twelve-chars"))
}

// a setting asks for more, at once, but not of those who have a password.
func TestLeastLengthIsASetting(t *testing.T) {
	s := open(t)
	for value, good := range map[string]bool{"7": false, "65": false, "-8": false, "": false, "many": false, "8": true, "64": true, "15": true} {
		got := s.act(t, settingSaveRoute, []object{{"key": "password_min_length", "value": value}})
		if good {
			wantDone(t, value, got)
		} else {
			wantRefused(t, value, got, http.StatusBadRequest, unfit+"password_min_length: a whole number from 8 to 64")
		}
	}
	wantDone(t, "15", s.act(t, settingSaveRoute, []object{{"key": "password_min_length", "value": "15"}}))
	create := func(plain string) servertest.Reply {
		return s.act(t, userCreateRoute, object{"username": "bob", "password": plain})
	}
	wantRefused(t, "14 characters", create("fourteen chars"), http.StatusBadRequest, weak+"use at least 15 characters")
	wantDone(t, "15 characters", create("fifteen  chars!"))
	wantDone(t, "back", s.act(t, settingSaveRoute, []object{{"key": "password_min_length", "value": "64"}}))
	s.SignIn(t, "bob", "fifteen  chars!", "")
	if n := len(s.App.RandomPassword()); n != 64 {
		t.Errorf("a random password has %d characters, want 64", n)
	}
	if got := s.get(t, "", "/api/public/settings"); strings.Contains(got.Text, "password_min_length") {
		t.Error("the setting is public")
	}
}

// A list that went bad lets no password through, and is no riddle.
func TestUnreadableBreachListIsSaidInWords(t *testing.T) {
	list := filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(list, []byte(strings.Repeat("A", 40)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := open(t, func(c *config.Config, o *server.Options) {
		c.BreachedPasswords, o.Log = list, slog.New(slog.NewTextHandler(&log, nil))
	})
	doors := s.doors(t)
	if err := os.Truncate(list, 7); err != nil {
		t.Fatal(err)
	}
	const text = "New passwords cannot be checked against the list of breached ones right now, try again later."
	for door, set := range doors {
		wantAnswer(t, door, set("tall giraffes hum"), http.StatusServiceUnavailable, refusal(http.StatusServiceUnavailable, text))
		wantRefused(t, door+", short", set("short"), http.StatusBadRequest, weak+"use at least 8 characters")
	}
	if !strings.Contains(log.String(), "breached passwords: read at byte ") || strings.Contains(log.String(), "giraffes") {
		t.Errorf("the log says\n%s", log.String())
	}
	s.SignIn(t, "gardener-anna", password, "")
}
