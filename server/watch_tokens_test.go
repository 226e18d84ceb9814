package server_test

import (
	"strings"
	"testing"
	"time"

	grants "latchkey/service/grant"
)

// O-06: who stole a refresh token cannot be told, so the owner is, by mail and
// by webhook, once.
func TestOwnersAreToldOfAReusedRefreshToken(t *testing.T) {
	w := watch(t)
	h := &appHouse{keyHouse: &keyHouse{Server: w.Server, clock: w.clock}, app: registered(t, w.App, "Editor")}
	for _, c := range []struct {
		what, app, agent string
		tokens           grants.Tokens
	}{
		{"an app's", "  App:   Editor\n", "Editor", h.let(t, "ann")},
		{"a program's own", "  App:   a program that signed in with your password\n", "", h.pair(t, "ann", "console")},
	} {
		if _, err := h.refresh(t.Context(), c.tokens.Refresh); err != nil {
			t.Fatalf("%s: Refresh = %v", c.what, err)
		}
		w.clock.Advance(11 * time.Second)
		w.deliver(t)
		w.hook.take()
		again := func() {
			for range 2 {
				if _, err := h.refresh(t.Context(), c.tokens.Refresh); err == nil {
					t.Errorf("%s: a used token was taken after the grace", c.what)
				}
			}
		}
		letter := only(t, w.mailed(t, again))
		if letter.To != "ann@example.org" || !strings.Contains(letter.Subject, "was used twice") || !strings.Contains(letter.Text, c.app) {
			t.Errorf("%s: mailed %q to %s:\n%s", c.what, letter.Subject, letter.To, letter.Text)
		}
		posts := w.hook.take()
		if len(posts) != 1 || posts[0].event.Event != "refresh_reused" || !strings.Contains(string(posts[0].body), `"user_agent":"`+c.agent+`"`) {
			t.Errorf("%s: posted %+v", c.what, posts)
		}
		for _, told := range []string{letter.Text, string(posts[0].body)} {
			if strings.Contains(told, c.tokens.Refresh[4:]) {
				t.Errorf("%s: the notice shows the token: %s", c.what, told)
			}
		}
	}
}
