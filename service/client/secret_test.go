package client_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/client"
)

// O-09.
func TestAuthenticate(t *testing.T) {
	h := newHouse()
	site, text := h.register(t, website())
	other, otherText := h.register(t, website())
	tool, _ := h.register(t, program())
	off, offText := h.register(t, website())
	if _, err := h.Update(t.Context(), off.ID, client.Edit{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		id, secret string
		want       error
	}{
		"a confidential app with its secret":  {site.ID, text, nil},
		"a public app without a secret":       {tool.ID, "", nil},
		"a confidential app without a secret": {site.ID, "", client.ErrClient},
		"another app's secret":                {site.ID, otherText, client.ErrClient},
		"that app's own":                      {other.ID, otherText, nil},
		"half a secret":                       {site.ID, text[:30], client.ErrClient},
		"a secret and more":                   {site.ID, text + "x", client.ErrClient},
		"a secret in capitals":                {site.ID, strings.ToUpper(text), client.ErrClient},
		"the stored hash":                     {site.ID, site.SecretHash, client.ErrClient},
		"a public app with a secret":          {tool.ID, text, client.ErrClient},
		"an app that is off":                  {off.ID, offText, client.ErrClient},
		"an unknown app":                      {strings.Repeat("0", 32), text, client.ErrClient},
		"an unknown app without a secret":     {strings.Repeat("0", 32), "", client.ErrClient},
		"no app":                              {"", "", client.ErrClient},
		"an id with a NUL":                    {site.ID + "\x00", text, client.ErrClient},
		"the id in capitals":                  {strings.ToUpper(site.ID), text, client.ErrClient},
	} {
		t.Run(name, func(t *testing.T) {
			before := h.store.Reads
			got, err := h.Authenticate(t.Context(), tt.id, tt.secret)
			wants(t, "Authenticate", err, tt.want)
			if (err == nil) != (got.ID == tt.id && tt.id != "") {
				t.Errorf("it is %q with %v", got.ID, err)
			}
			if n := h.store.Reads - before; n != 1 {
				t.Errorf("%d reads, want 1 whoever it is", n)
			}
		})
	}
}

func TestSuppliedSecretsCount(t *testing.T) {
	h, r := newHouse(), website()
	r.Secret = suppliedSecret
	c, text := h.register(t, r)
	if text != suppliedSecret {
		t.Errorf("Register returned %q", text)
	}
	if _, err := h.Authenticate(t.Context(), c.ID, suppliedSecret); err != nil {
		t.Error(err)
	}
	twin, _ := h.register(t, r)
	if twin.SecretHash == c.SecretHash {
		t.Error("two apps with one secret show it in their rows")
	}
	strange := client.New(client.Deps{Store: h.store, Now: func() time.Time { return start }, Pepper: bytes.Repeat([]byte{8}, 32)})
	_, err := strange.Authenticate(t.Context(), c.ID, suppliedSecret)
	wants(t, "under another pepper", err, client.ErrClient)
}

func TestRotate(t *testing.T) {
	h := newHouse()
	c, first := h.register(t, website())
	counts := func(text string, want bool) {
		t.Helper()
		if _, err := h.Authenticate(t.Context(), c.ID, text); (err == nil) != want {
			t.Errorf("a secret counts: %v, want %t", err, want)
		}
	}
	rotate := func(supplied string, overlap time.Duration) string {
		t.Helper()
		text, err := h.Rotate(t.Context(), c.ID, supplied, overlap)
		if err != nil {
			t.Fatalf("Rotate = %v", err)
		}
		return text
	}
	second := rotate("", 0)
	counts(first, false)
	counts(second, true)
	third := rotate("", time.Hour)
	counts(second, true)
	h.now = h.now.Add(time.Hour - 1)
	counts(second, true)
	counts(third, true)
	h.now = h.now.Add(1)
	counts(second, false)
	counts(third, true)
	fourth := rotate(suppliedSecret, 24*time.Hour)
	counts(third, true)
	counts(suppliedSecret, true)
	if fourth != suppliedSecret {
		t.Errorf("Rotate returned %q", fourth)
	}
	fifth := rotate("", time.Minute)
	counts(third, false)
	counts(fourth, true)
	rotate("", 0) // in an emergency: what leaked is dead, whichever it was
	counts(fourth, false)
	counts(fifth, false)
	counts("", false)

	tool, _ := h.register(t, program())
	for name, tt := range map[string]struct {
		id, secret string
		overlap    time.Duration
		want       error
	}{
		"a public app":         {tool.ID, "", 0, client.ErrNoSecret},
		"nobody":               {strings.Repeat("0", 32), "", 0, client.ErrUnknown},
		"a weak secret":        {c.ID, "short", 0, client.ErrSecret},
		"a day and an instant": {c.ID, "", 24*time.Hour + 1, client.ErrOverlap},
		"less than none":       {c.ID, "", -1, client.ErrOverlap},
	} {
		_, err := h.Rotate(t.Context(), tt.id, tt.secret, tt.overlap)
		wants(t, name, err, tt.want)
	}
}

func TestAuthenticateTellsAnOutageApart(t *testing.T) {
	s := client.New(client.Deps{Store: down{}, Now: func() time.Time { return start }, Pepper: make([]byte, 32)})
	for name, err := range map[string]error{
		"Authenticate": second(s.Authenticate(t.Context(), strings.Repeat("0", 32), "x")),
		"Get":          second(s.Get(t.Context(), strings.Repeat("0", 32))),
	} {
		wants(t, name, err, model.ErrUnavailable)
		if errors.Is(err, client.ErrClient) || errors.Is(err, client.ErrUnknown) {
			t.Errorf("%s blames the app: %v", name, err)
		}
	}
}

func second(_ model.OAuthClient, err error) error { return err }
