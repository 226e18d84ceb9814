package server_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/servertest"
	"latchkey/service/keyring"
)

// K-12: a key that may have leaked is out of use when its removal is answered.
func TestRemovedKeyEndsItsTokensAtOnce(t *testing.T) {
	s := servertest.Open(t)
	old := s.Admin(t, "").Token
	kid := s.App.Ring.Signing().ID
	me := func(token string) int { return s.Do(t, servertest.Request{Path: "/api/me", Token: token}).Code }
	if _, err := s.App.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := s.Admin(t, "").Token
	if me(old) != http.StatusOK || me(fresh) != http.StatusOK { // both are remembered now
		t.Fatal("a token died of the rotation")
	}
	if err := s.App.RemoveKey(t.Context(), kid); err != nil {
		t.Fatal(err)
	}
	if me(old) != http.StatusUnauthorized {
		t.Error("the token of the removed key is still taken")
	}
	if me(fresh) != http.StatusOK {
		t.Error("the other token is refused")
	}
}

// K-12: a weak key is refused at start, however well it is sealed.
func TestWeakStoredKeyStopsTheStart(t *testing.T) {
	folder, _ := signedIn(t)
	master := masterKeyOf(t, folder)
	block, err := aes.NewCipher(master)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"zeros": strings.Repeat("\x00", 32), "short": "0123456789abcdef", "said twice": strings.Repeat("0123456789abcdef", 2),
	} {
		for _, purpose := range []model.KeyPurpose{model.KeyToken, model.KeySeal} {
			t.Run(name+" for "+string(purpose), func(t *testing.T) {
				db := openStoreOf(t, folder)
				weak := model.Key{ID: "ffffffff", Purpose: purpose, CreatedAt: model.At(time.Now())}
				sealed := aead.Seal(nil, nil, []byte(secret), []byte("keys|"+string(purpose)+"|ffffffff"))
				weak.Sealed = "v1:master:" + base64.RawStdEncoding.EncodeToString(sealed)
				if err := db.Keys().AddKeys(t.Context(), []model.Key{weak}); err != nil {
					t.Fatal(err)
				}
				cfg, opts := cheaply(folder)
				if _, err := server.Open(t.Context(), cfg, opts); !errors.Is(err, keyring.ErrWeak) {
					t.Errorf("Open = %v, want %v", err, keyring.ErrWeak)
				}
				if err := db.Keys().RemoveKey(t.Context(), weak.ID); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// A running server could not open what is sealed under a key that it does not
// know, so nothing is.
func TestRotationFailsIfTheServerDoesNotHear(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, nil)
	before := sealedTexts(t, folder)["settings.value"]
	note := filepath.Join(folder, "control.json")
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	command := attach(t, folder)
	command.GiveUp(time.Millisecond)
	if err := os.WriteFile(note, []byte(`{"address":"127.0.0.1:1","secret":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := command.RotateKeys(t.Context()); !errors.Is(err, server.ErrNotHeard) {
		t.Errorf("RotateKeys = %v, want %v", err, server.ErrNotHeard)
	}
	if err := command.Close(); err != nil {
		t.Errorf("the close says it again: %v", err)
	}
	if after := sealedTexts(t, folder)["settings.value"]; !slices.Equal(before, after) {
		t.Errorf("sealed values are %v, were %v", after, before)
	}
	if err := os.WriteFile(note, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := attach(t, folder).RotateKeys(t.Context())
	if err != nil || r.Resealed != 1 {
		t.Errorf("RotateKeys of the second try = %+v, %v", r, err)
	}
	if err := s.App.Settings.Reload(t.Context()); err != nil {
		t.Errorf("the server cannot read its settings any more: %v", err)
	}
	s.end(t)
}

// A command that made keys may be killed before it tells the server.
func TestServerFindsNewKeysByItself(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, folder, func(app *server.App) { app.Follow(time.Millisecond) })
	ring, err := keyring.Open(t.Context(), openStoreOf(t, folder).Keys(), masterKeyOf(t, folder), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	made, err := ring.Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server signs with the new key", func() bool { return s.App.Ring.Signing().ID == made.Token })
	s.end(t)
}
