package server_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// waiting is how many messages wait.
func (w *watched) waiting(t testing.TB) int {
	t.Helper()
	return len(w.query(t, "SELECT id FROM notices"))
}

func TestNobodyWaitsForMail(t *testing.T) {
	w := watch(t)
	w.mail.Refuse("EHLO", "421 gone")
	w.mail.Refuse("HELO", "421 gone")
	w.hook.answer(http.StatusServiceUnavailable)
	w.SignIn(t, "ann", servertest.AdminPassword, "phone") // or the test ends
	w.deliver(t)
	if n := w.waiting(t); n != 2 {
		t.Fatalf("%d messages wait, want 2", n)
	}
	w.mail.Refuse("EHLO", "")
	w.hook.answer(http.StatusOK)
	w.clock.Advance(time.Minute - time.Millisecond)
	w.deliver(t)
	if n := w.waiting(t); n != 2 {
		t.Errorf("tried again within a minute: %d wait", n)
	}
	w.clock.Advance(time.Millisecond)
	before := len(w.mail.Letters())
	letter := only(t, w.Mailed(t, w.mail, before))
	letter.Token(t, notMeAt)
	if posts := w.hook.take(); len(posts) != 1 || w.waiting(t) != 0 {
		t.Errorf("%d posts, %d wait", len(posts), w.waiting(t))
	}
	for _, words := range []string{"broke off, or does not speak SMTP", "the webhook answered 503", "failures=0", "notice delivered"} {
		if !strings.Contains(w.log.String(), words) {
			t.Errorf("the log does not say %q", words)
		}
	}
}

func TestMessagesAreTriedFor3Days(t *testing.T) {
	w := watch(t)
	w.mail.Refuse("RCPT", "550 no such mailbox")
	w.SignIn(t, "ann", servertest.AdminPassword, "phone")
	tries := 0
	for begun := w.clock.Now(); w.waiting(t) > 0; w.clock.Advance(time.Minute) {
		before := strings.Count(w.log.String(), "does not take mail to that address (550)")
		w.deliver(t)
		tries += strings.Count(w.log.String(), "does not take mail to that address (550)") - before
		if w.clock.Now().Sub(begun) > 80*time.Hour {
			t.Fatal("it is tried for ever")
		}
	}
	if tries < 18 || tries > 25 { // 1, 2, 4 … 256 minutes, then every 6 hours
		t.Errorf("%d tries", tries)
	}
	if !strings.Contains(w.log.String(), `msg="notice given up"`) {
		t.Error("the log does not say that it was given up")
	}
}

// A message that waits at a restart goes out after it.
func TestMessagesOutliveARestart(t *testing.T) {
	mail, folder := servertest.NewMailServer(t, nil), t.TempDir()
	start := func() *server.App {
		cfg := config.Defaults()
		cfg.Data, cfg.AdminPassword = folder, config.NewSecret(servertest.AdminPassword)
		mail.Use(&cfg, nil)
		app, err := server.Open(t.Context(), cfg, server.Options{HashMemoryKiB: 64})
		if err != nil {
			t.Fatal(err)
		}
		return app
	}
	first := start()
	if _, err := first.SetEmail(t.Context(), "admin", "admin@example.org", false); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(mail.Letters()); n != 0 {
		t.Fatalf("%d messages before anybody delivers", n)
	}
	second := start()
	defer func() { _ = second.Close() }()
	if err := second.Outbox.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	only(t, mail.Letters()).Token(t, confirmAt)
}

// Neither rows nor the log tell what could be used.
func TestNothingOfLinksIsKeptInTheClear(t *testing.T) {
	const smtpPassword = "the password of the relay"
	w := watch(t, func(c *config.Config, _ *server.Options) {
		c.SMTPUser, c.SMTPPassword = "latchkey", config.NewSecret(smtpPassword)
	})
	w.mail.Refuse("DATA", "554 refused: it has a link in it")
	w.SignIn(t, "ann", servertest.AdminPassword, "phone")
	w.deliver(t)
	stuck := w.rows(t)
	w.mail.Refuse("DATA", "")
	w.clock.Advance(time.Minute)
	letter := only(t, w.Mailed(t, w.mail, len(w.mail.Letters())))
	if letter.Auth != "latchkey\x00"+smtpPassword {
		t.Errorf("signed in at the relay with %q", letter.Auth)
	}
	disown := letter.Token(t, notMeAt)
	page := w.form(t, notMeAt, "token", disown)
	set := formToken(t, page)
	w.form(t, passwordAt, "token", set, "password", newPassword)
	w.page(t, notMeAt, disown)
	file, err := os.ReadFile(w.file)
	if err != nil {
		t.Fatal(err)
	}
	wal, _ := os.ReadFile(w.file + "-wal")
	for what, text := range map[string]string{
		"the rows": stuck + w.rows(t), "the log": w.log.String(), "the database": string(file) + string(wal),
	} {
		for name, secret := range map[string]string{
			"the link": disown, "the second link": set, "the SMTP password": smtpPassword, "the webhook's secret": hookSecret, "its address": "of-the-hook",
			"the password": newPassword, "the message": "sign-in to your account", "in base64": base64.StdEncoding.EncodeToString([]byte(smtpPassword)),
		} {
			if strings.Contains(text, secret) {
				t.Errorf("%s hold %s", what, name)
			}
		}
	}
}

// What people call themselves and their site stays text, in one line.
func TestNothingIsInjectedIntoHeaders(t *testing.T) {
	w := watch(t)
	reply := w.Do(t, servertest.Request{
		Path: "/api/admin/setting/save", Token: w.App.AdminToken(),
		Body: []map[string]string{{"key": "site_title", "value": "Home\nBcc: thief@example.com\n\n<script>alert(1)</script>é"}},
	})
	if reply.Code != http.StatusOK {
		t.Fatal(reply.Text)
	}
	_, token := w.notMe(t, "phone")
	letter := w.mail.Letters()[len(w.mail.Letters())-1]
	if letter.Header.Get("Bcc") != "" || letter.To != "ann@example.org" {
		t.Errorf("a header came in:\n%s", letter.Raw)
	}
	if want := "New sign-in to HomeBcc: thief@example.com<script>alert(1)</script>é"; letter.Subject != want {
		t.Errorf("subject %q, want %q", letter.Subject, want)
	}
	page := w.page(t, notMeAt, token)
	wantPage(t, "the page", page, http.StatusOK, "&lt;script&gt;alert(1)&lt;/script&gt;")
	if strings.Contains(page.Text, "<script") {
		t.Error("a script came in")
	}
}
