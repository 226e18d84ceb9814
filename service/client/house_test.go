package client_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/client"
	"latchkey/service/client/clienttest"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const suppliedSecret = "correct-horse-battery-staple-0123456789"

// house is a service on the fake store, with what it told others.
type house struct {
	*client.Service
	store *clienttest.Store
	now   time.Time
	fails error // what ending fails with

	mu    sync.Mutex
	ended []string
	kinds []audit.Kind
}

func newHouse() *house {
	h := &house{store: clienttest.New(), now: start}
	h.Service = client.New(client.Deps{
		Store: h.store, Now: func() time.Time { return h.now }, Pepper: bytes.Repeat([]byte{7}, 32),
		Record: func(_ context.Context, e audit.Event) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.kinds = append(h.kinds, e.Kind)
			return nil
		},
		Ended: func(_ context.Context, id string) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.fails == nil {
				h.ended = append(h.ended, id)
			}
			return h.fails
		},
	})
	return h
}

// website is a confidential app.
func website() client.Registration {
	return client.Registration{
		Name: "Photos", Homepage: "https://photos.example", Icon: "mdi:image", RedirectURIs: []string{"https://photos.example/cb"},
		Scopes: []string{"openid", "me.read"}, Confidential: true,
	}
}

// program is a public app.
func program() client.Registration {
	return client.Registration{Name: "CLI", RedirectURIs: []string{"http://127.0.0.1"}, Scopes: []string{"openid"}}
}

func (h *house) register(t *testing.T, r client.Registration) (model.OAuthClient, string) {
	t.Helper()
	c, text, err := h.Register(t.Context(), r)
	if err != nil {
		t.Fatalf("Register = %v", err)
	}
	return c, text
}

func wants(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
