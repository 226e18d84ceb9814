package server_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

// signedIn is a folder in which somebody has signed in, and their token.
func signedIn(t *testing.T, changes ...func(*config.Config, *server.Options)) (folder, token string) {
	t.Helper()
	folder = t.TempDir()
	s := serve(t, folder, nil, changes...)
	token = s.Admin(t, "").Token
	s.end(t)
	return folder, token
}

// wantStarts starts a server on the folder, which must know the login and the
// static token, and must not leave a half-changed master key behind.
func wantStarts(t *testing.T, folder, token string, changes ...func(*config.Config, *server.Options)) {
	t.Helper()
	s := serve(t, folder, nil, changes...)
	for name, authorization := range map[string]string{"the login": token, "the static token": s.App.AdminToken()} {
		if r := s.Do(t, servertest.Request{Path: "/api/me", Token: authorization}); r.Code != 200 {
			t.Errorf("%s: %s", name, r.Text)
		}
	}
	s.end(t)
	if _, err := os.Stat(filepath.Join(folder, "master.key.new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("master.key.new after a start: %v", err)
	}
}

func TestChangeOfMasterSurvivesBeingCutOffAnywhere(t *testing.T) {
	for steps, more := 0, true; more; steps++ {
		t.Run(fmt.Sprintf("after %d steps", steps), func(t *testing.T) {
			folder, token := signedIn(t)
			old, fresh := masterKeyOf(t, folder), keyringtest.Master()
			app := attach(t, folder)
			var err error
			if more, err = app.BeginChangeOfMaster(t.Context(), fresh, steps); err != nil {
				t.Fatal(err)
			}
			if err := app.Close(); err != nil {
				t.Fatal(err)
			}
			wantStarts(t, folder, token)
			want := old
			if steps >= 2 { // what is committed counts
				want = fresh
			}
			if !bytes.Equal(masterKeyOf(t, folder), want) {
				t.Error("the start left the wrong key in master.key")
			}
			wantStarts(t, folder, token)
			again := attach(t, folder)
			if inFile, err := again.ChangeMaster(t.Context()); err != nil || !inFile {
				t.Errorf("ChangeMaster after that = %v, %v", inFile, err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
			wantStarts(t, folder, token)
		})
	}
}

func TestHalfWrittenMasterKeyIsTakenBack(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "half a key": "2f9b1c7d", "another key": hex.EncodeToString(keyringtest.Master()) + "\n"} {
		t.Run(name, func(t *testing.T) {
			folder, token := signedIn(t)
			old := masterKeyOf(t, folder)
			if err := os.WriteFile(filepath.Join(folder, "master.key.new"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			wantStarts(t, folder, token)
			if !bytes.Equal(masterKeyOf(t, folder), old) {
				t.Error("master.key changed")
			}
		})
	}
}

// A staged key that fits nothing does not hide that master.key does not fit.
func TestStagedKeyDoesNotExcuseAWrongOne(t *testing.T) {
	folder, _ := signedIn(t)
	for _, name := range []string{"master.key", "master.key.new"} {
		text := hex.EncodeToString(keyringtest.Master()) + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, opts := cheaply(folder)
	if _, err := server.Open(t.Context(), cfg, opts); !errors.Is(err, keyring.ErrMaster) {
		t.Errorf("Open = %v, want %v", err, keyring.ErrMaster)
	}
	if _, err := os.Stat(filepath.Join(folder, "master.key.new")); err != nil {
		t.Errorf("a start that failed took master.key.new away: %v", err)
	}
}

func TestChangeOfMasterInTheEnvironmentSurvivesBeingCutOff(t *testing.T) {
	old, fresh := keyringtest.Master(), keyringtest.Master()
	with := func(key, next []byte) func(*config.Config, *server.Options) {
		return func(c *config.Config, _ *server.Options) {
			c.MasterKey = config.NewSecret(hex.EncodeToString(key))
			c.NewMasterKey = config.NewSecret(hex.EncodeToString(next))
		}
	}
	folder, token := signedIn(t, with(old, nil))
	cfg, opts := cheaply(folder)
	with(old, fresh)(&cfg, &opts)
	for steps := range 3 {
		app, err := server.Attach(t.Context(), cfg, opts)
		if err != nil {
			t.Fatal(err)
		}
		if steps < 2 {
			_, err = app.BeginChangeOfMaster(t.Context(), fresh, steps)
		} else {
			_, err = app.ChangeMaster(t.Context())
		}
		if err := errors.Join(err, app.Close()); err != nil {
			t.Fatal(err)
		}
		wantStarts(t, folder, token, with(old, fresh)) // before and after, whoever says both
	}
	wantStarts(t, folder, token, with(fresh, nil))
	with(old, nil)(&cfg, &opts)
	if _, err := server.Open(t.Context(), cfg, opts); !errors.Is(err, keyring.ErrMaster) {
		t.Errorf("Open with the old key = %v, want %v", err, keyring.ErrMaster)
	}
}

func TestMasterIsNotChangedWhileAServerRuns(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	before := masterKeyOf(t, folder)
	if _, err := attach(t, folder).ChangeMaster(t.Context()); !errors.Is(err, server.ErrServed) {
		t.Errorf("beside a server: %v", err)
	}
	if _, err := s.App.ChangeMaster(t.Context()); !errors.Is(err, server.ErrServed) {
		t.Errorf("the server itself: %v", err)
	}
	if !bytes.Equal(before, masterKeyOf(t, folder)) {
		t.Error("master.key changed")
	}
	s.end(t)
}

// The commands about keys are killed at any moment, and nothing is lost.
func TestKilledKeyCommandsLoseNothing(t *testing.T) {
	rounds := 12
	if os.Getenv("LATCHKEY_TEST_HEAVY") == "1" {
		rounds = 200
	}
	program, err := exec.LookPath("latchkey") // see TestMain
	if err != nil {
		t.Fatal(err)
	}
	folder, token := signedIn(t)
	told := secretsOf{}
	importIvy(t, folder, told)
	killed := 0
	for round := range rounds {
		what := []string{"change-master", "rotate"}[round%2]
		// The command takes some 20 ms to start and 10 ms to act.
		after := time.Duration(rand.IntN(60)) * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), after)
		cmd := exec.CommandContext(ctx, program, "keys", what, "--data", folder)
		cmd.Env = withoutSettings()
		if out, err := cmd.CombinedOutput(); err != nil {
			killed++
			if text := string(out); ctx.Err() == nil || strings.Contains(text, "latchkey: ") && !strings.Contains(text, "context") {
				t.Fatalf("keys %s ended by itself: %v\n%s", what, err, text)
			}
		}
		cancel()
		wantStarts(t, folder, token)
	}
	app := attach(t, folder)
	if r, err := app.RotateKeys(t.Context()); err != nil || len(r.Closed) > 0 || r.Resealed < 2 { // the server may have wrapped the password
		t.Errorf("RotateKeys at the end = %+v, %v", r, err)
	}
	t.Logf("%d commands, %d of them killed", rounds, killed)
}
