package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// cheaply is how tests open a folder.
func cheaply(folder string) (config.Config, server.Options) {
	cfg := config.Defaults()
	cfg.Data, cfg.CacheSize, cfg.SFTP = folder, 1000, ""
	cfg.AdminPassword = config.NewSecret(servertest.AdminPassword)
	return cfg, server.Options{HashMemoryKiB: 64}
}

// attach opens the folder for a command.
func attach(t *testing.T, folder string) *server.App {
	t.Helper()
	cfg, opts := cheaply(folder)
	app, err := server.Attach(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close() })
	return app
}

func TestCommandIsHeardByTheRunningServer(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	s.AddUser(t, "ann")
	phone := s.SignIn(t, "ann", servertest.AdminPassword, "phone")
	me := servertest.Request{Path: "/api/me", Token: phone.Token, ClientID: "phone"}
	if r := s.Do(t, me); r.Code != http.StatusOK {
		t.Fatalf("me: %s", r.Text)
	}

	command := attach(t, folder)
	if _, err := command.SetDisabled(t.Context(), "ann", true); err != nil {
		t.Fatal(err)
	}
	if r := s.Do(t, me); r.Code != http.StatusUnauthorized {
		t.Errorf("after disabling: %s", r.Text)
	}
	if _, err := command.SetDisabled(t.Context(), "ann", false); err != nil {
		t.Fatal(err)
	}
	rotation, err := command.RotateKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.App.Ring.Signing().ID; got != rotation.Token {
		t.Errorf("the server signs with %s, want %s", got, rotation.Token)
	}
	if err := command.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	s.end(t)
}

func TestCommandFailsIfTheServerDoesNotHear(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	s.AddUser(t, "ann")
	command := attach(t, folder)
	command.GiveUp(time.Millisecond)
	note := filepath.Join(folder, "control.json")
	if err := os.WriteFile(note, []byte(`{"address":"127.0.0.1:1","secret":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := command.SetDisabled(t.Context(), "ann", true); err != nil {
		t.Fatal(err)
	}
	if err := command.Close(); err == nil || !strings.Contains(err.Error(), "the running server did not hear of it: restart the server") {
		t.Errorf("close: %v", err)
	}
	s.end(t)
}

func TestCommandNeedsNobodyToHearWhenTheServerHasEnded(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	s.AddUser(t, "ann")
	in := s.SignIn(t, "ann", servertest.AdminPassword, "phone")
	command := attach(t, folder)
	s.end(t)
	if _, err := command.SetDisabled(t.Context(), "ann", true); err != nil {
		t.Fatal(err)
	}
	if err := command.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	again := serve(t, folder, nil)
	if r := again.Do(t, servertest.Request{Path: "/api/me", Token: in.Token, ClientID: "phone"}); r.Code != http.StatusUnauthorized {
		t.Errorf("after disabling: %s", r.Text)
	}
	again.end(t)
}

// Commands without a server take turns, even those that find an empty folder.
func TestCommandsAloneWaitForEachOther(t *testing.T) {
	folder := t.TempDir()
	cfg, opts := cheaply(folder)
	greetings := newTranscript()
	opts.Out = greetings
	var group errgroup.Group
	for i := range 8 {
		group.Go(func() error {
			app, err := server.Attach(t.Context(), cfg, opts)
			if err != nil {
				return err
			}
			_, err = app.Profile.Create(t.Context(), fmt.Sprintf("user%d", i), servertest.AdminPassword)
			return errors.Join(err, app.Close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(greetings.String(), "is set up in"); n != 1 {
		t.Errorf("it was set up %d times", n)
	}
	s := serve(t, folder, nil)
	for i := range 8 {
		s.SignIn(t, fmt.Sprintf("user%d", i), servertest.AdminPassword, "")
	}
	s.end(t)
}

func TestServerWaitsForACommandToEnd(t *testing.T) {
	folder := t.TempDir()
	command := attach(t, folder)
	cfg, opts := cheaply(folder)
	opened := make(chan error, 1)
	go func() {
		app, err := server.Open(t.Context(), cfg, opts)
		if err == nil {
			err = app.Close()
		}
		opened <- err
	}()
	if err := command.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("open: %v", err)
	}
}

func TestFolderIsServedOnce(t *testing.T) {
	folder := t.TempDir()
	cfg, opts := cheaply(folder)
	s := serve(t, folder, nil)
	if _, err := server.Open(t.Context(), cfg, opts); !errors.Is(err, server.ErrRunning) {
		t.Errorf("beside a server: %v", err)
	}
	s.end(t)

	silent, err := server.Open(t.Context(), cfg, opts) // holds the folder and answers nobody
	if err != nil {
		t.Fatal(err)
	}
	hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	for name, open := range map[string]func(context.Context, config.Config, server.Options) (*server.App, error){
		"server": server.Open, "command": server.Attach,
	} {
		if _, err := open(hasty, cfg, opts); !errors.Is(err, server.ErrRunning) || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("%s beside a silent one: %v", name, err)
		}
	}
	if err := silent.Close(); err != nil {
		t.Error(err)
	}
}

// The control listens on loopback, but everybody on the machine can reach that.
func TestControlWantsTheSecret(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	text, err := os.ReadFile(filepath.Join(folder, "control.json"))
	if err != nil {
		t.Fatal(err)
	}
	var note struct{ Address, Secret string }
	if err := json.Unmarshal(text, &note); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(note.Address, "127.0.0.1:") || len(note.Secret) < 32 {
		t.Errorf("control.json is %s", text)
	}
	for name, tt := range map[string]struct {
		method, secret, body string
		want                 int
	}{
		"nobody is let in without it":      {http.MethodPost, "", "{}", http.StatusForbidden},
		"nor with another":                 {http.MethodPost, note.Secret + "x", "{}", http.StatusForbidden},
		"nor to ask whether it is there":   {http.MethodGet, "", "", http.StatusForbidden},
		"its owner may ask":                {http.MethodGet, note.Secret, "", http.StatusNoContent},
		"its owner may tell":               {http.MethodPost, note.Secret, "{}", http.StatusNoContent},
		"what is malformed is refused":     {http.MethodPost, note.Secret, "{", http.StatusBadRequest},
		"what is far too large is refused": {http.MethodPost, note.Secret, `{"x":"` + strings.Repeat("x", 2000) + `"}`, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+note.Address, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Close = true
			req.Header.Set("Authorization", tt.secret)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				answer, _ := io.ReadAll(resp.Body)
				t.Errorf("%s %s", resp.Status, answer)
			}
		})
	}
	s.end(t)
	if _, err := os.Stat(filepath.Join(folder, "control.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("control.json after the end: %v", err)
	}
}

// A command is told when the server could not read its keys again: it must not
// say that a removed key is out of use while the server still takes its tokens.
func TestControlDoesNotAgreeToWhatItCouldNotRead(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	db, err := sqlstore.Open(filepath.Join(folder, "latchkey.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	alien := model.Key{ID: "ffffffff", Purpose: model.KeyToken, Sealed: "v1:master:AAAA", CreatedAt: model.At(time.Now())}
	if err := db.Keys().AddKeys(t.Context(), []model.Key{alien}); err != nil {
		t.Fatal(err)
	}
	if got := tellControl(t, folder, "{}"); got != http.StatusServiceUnavailable {
		t.Errorf("with a key that does not open: %d, want %d", got, http.StatusServiceUnavailable)
	}
	if got := tellControl(t, folder, `{"account_key":"x"}`); got != http.StatusNoContent {
		t.Errorf("about one account: %d, want %d", got, http.StatusNoContent)
	}
	if err := db.Keys().RemoveKey(t.Context(), alien.ID); err != nil {
		t.Fatal(err)
	}
	if got := tellControl(t, folder, "{}"); got != http.StatusNoContent {
		t.Errorf("without it: %d, want %d", got, http.StatusNoContent)
	}
	s.end(t)
}

// tellControl posts a notice to the running server and is the status it
// answers.
func tellControl(t *testing.T, folder, body string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "control.json"))
	if err != nil {
		t.Fatal(err)
	}
	var note struct{ Address, Secret string }
	if err := json.Unmarshal(text, &note); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+note.Address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("Authorization", note.Secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// A cleaner of temporary folders may have been there before.
func TestServerEndsWellWithoutItsControlFile(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	if err := os.Remove(filepath.Join(folder, "control.json")); err != nil {
		t.Fatal(err)
	}
	s.end(t)
}
