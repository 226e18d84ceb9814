package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// controlWait is how long a command waits for the server to hear of an ending.
const controlWait = 5 * time.Second

// control is how commands on the same machine tell a running server what they
// ended: a listener on loopback whose address and secret lie in the data
// folder, for its owner only.
type control struct {
	listener net.Listener
	hub      *revocation.Hub
	secret   string
	file     string
}

// controlNote is the file's text.
type controlNote struct {
	Address string `json:"address"`
	Secret  string `json:"secret"`
}

// notice is a revocation.Notice on the wire.
type notice struct {
	AccountKey string `json:"account_key"`
	DeviceKey  string `json:"device_key"`
	LoginID    string `json:"login_id"`
}

func (a *App) openControl(ctx context.Context) (*control, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	c := &control{listener: listener, hub: a.hub, secret: secret.ID() + secret.ID(), file: a.dir.file(controlFile)}
	text, err := json.Marshal(controlNote{Address: listener.Addr().String(), Secret: c.secret}) //nolint:gosec // G117: the file is where the secret belongs
	if err == nil {
		_ = os.Remove(c.file) // of a server that was killed
		err = os.WriteFile(c.file, text, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", c.file, err), listener.Close())
	}
	return c, nil
}

func (c *control) remove() error { return os.Remove(c.file) }

// ServeHTTP passes one notice on and answers 204 when everybody has acted.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !secret.Equal(r.Header.Get("Authorization"), c.secret) {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	var n notice
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&n); err != nil {
		http.Error(w, "malformed notice", http.StatusBadRequest)
		return
	}
	c.hub.Publish(r.Context(), revocation.Notice(n))
	w.WriteHeader(http.StatusNoContent)
}

// tellServer is the other end: it returns when the running server has acted on
// the notice, or is known not to.
func (a *App) tellServer(ctx context.Context, n revocation.Notice) {
	ctx, cancel := context.WithTimeout(ctx, controlWait)
	defer cancel()
	if err := a.postNotice(ctx, n); err != nil {
		a.opts.Log.LogAttrs(ctx, slog.LevelError, "the running server did not hear of the change: restart it", slog.Any("error", err))
	}
}

func (a *App) postNotice(ctx context.Context, n revocation.Notice) error {
	text, err := os.ReadFile(a.dir.file(controlFile))
	if err != nil {
		return fmt.Errorf("find the running server: %w", err)
	}
	var note controlNote
	if err := json.Unmarshal(text, &note); err != nil {
		return fmt.Errorf("find the running server: %w", err)
	}
	body, err := json.Marshal(notice(n))
	if err != nil {
		return fmt.Errorf("encode notice: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+note.Address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("tell the running server: %w", err)
	}
	req.Header.Set("Authorization", note.Secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("tell the running server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the running server answered %s", resp.Status)
	}
	return nil
}
