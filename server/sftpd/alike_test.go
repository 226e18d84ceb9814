package sftpd_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/server"
	"latchkey/server/config"
)

// statements are what the database is asked, without the values.
type statements struct {
	mu   sync.Mutex
	list []string
}

func (s *statements) add(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields := strings.Fields(sql)
	for i, field := range fields {
		if strings.HasPrefix(field, `"`) || strings.HasPrefix(field, "'") {
			fields[i] = "?"
		}
	}
	s.list = append(s.list, strings.Join(fields[:min(len(fields), 5)], " "))
}

func (s *statements) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// names that are there and names that are not cost the same look-ups, and
// get the same answers.
func TestUnknownNamesLookLikeKnownOnes(t *testing.T) {
	asked := &statements{}
	d := open(t, func(_ *config.Config, o *server.Options) { o.Trace = asked.add })
	d.member(t, "ann")
	d.addKey(t, "ann", "own", newKey(t))
	d.user(t, "off", "/")
	if _, err := d.App.SetDisabled(t.Context(), "off", true); err != nil {
		t.Fatal(err)
	}
	for what, auth := range map[string]func() ssh.AuthMethod{
		"a key":      func() ssh.AuthMethod { return ssh.PublicKeys(newKey(t)) },
		"a question": func() ssh.AuthMethod { return answers("wrong horse battery") },
	} {
		texts, lookups, took := map[string]string{}, map[string][]string{}, map[string]time.Duration{}
		for _, name := range []string{"ann", "nobody", "off"} {
			asked.take()
			begin := time.Now()
			_, err := d.dial(name, auth())
			took[name] = time.Since(begin)
			if err == nil {
				t.Fatalf("%s lets %s in", what, name)
			}
			texts[name], lookups[name] = err.Error(), asked.take()
		}
		if texts["ann"] != texts["nobody"] || texts["ann"] != texts["off"] {
			t.Errorf("%s: the answers differ: %q", what, texts)
		}
		if what == "a key" && (!slices.Equal(lookups["ann"], lookups["nobody"]) || len(lookups["ann"]) == 0) {
			t.Errorf("%s: the look-ups differ: %q", what, lookups)
		}
		t.Logf("%s: %v", what, took)
	}
}
