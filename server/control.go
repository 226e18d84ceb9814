package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"latchkey/service/audit"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// controlEvery is how often a command asks a server that does not answer.
const controlEvery = 50 * time.Millisecond

// control is how commands on the same machine tell a running server what they
// ended: a listener on loopback whose address and secret lie in the data
// folder, for its owner only.
type control struct {
	listener net.Listener
	hub      *revocation.Hub
	audit    *audit.Recorder
	reread   func(ctx context.Context) error // of what a notice about everything may have changed
	lift     func(ctx context.Context, l lifted) error
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

// note is what a command posts: a notice, unless it lifted a throttle.
type note struct {
	notice

	Lifted *lifted `json:"lifted,omitempty"`
}

func (a *App) openControl(ctx context.Context) (*control, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	c := &control{
		listener: listener, hub: a.hub, audit: a.audit, reread: a.reread, lift: a.lift,
		secret: secret.ID() + secret.ID(), file: a.dir.file(controlFile),
	}
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

// remove takes the file away. That it is gone already is no failure.
func (c *control) remove() error {
	if err := os.Remove(c.file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// ServeHTTP answers GET, which asks whether the server is there, and passes
// what is posted on. It answers 204 when everybody has acted, and 503 when keys
// or settings could not be read again: a removed key would still count, and the
// command must not say otherwise. The same holds for what could not be lifted.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !secret.Equal(r.Header.Get("Authorization"), c.secret) {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet {
		var n note
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&n); err != nil {
			http.Error(w, "malformed notice", http.StatusBadRequest)
			return
		}
		if err := c.act(r.Context(), n); err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// act does what a command asks for.
func (c *control) act(ctx context.Context, n note) error {
	if n.Lifted != nil {
		return c.lift(context.WithoutCancel(ctx), *n.Lifted)
	}
	return c.publish(ctx, revocation.Notice(n.notice))
}

// publish is the hub's, but tells whether a reading again went well. What is
// remembered of logins and accounts is forgotten in any case.
func (c *control) publish(ctx context.Context, n revocation.Notice) error {
	c.hub.Publish(ctx, n)
	c.audit.Note(ctx, audit.Event{Kind: audit.Commanded, AccountKey: n.AccountKey, DeviceKey: n.DeviceKey})
	if n != (revocation.Notice{}) {
		return nil
	}
	return c.reread(context.WithoutCancel(ctx))
}

// claim takes the folder's lock and reports true, or finds the server that
// holds it and reports false. Commands, and servers that start or stop, hold
// it for a moment, which claim waits for; then it fails with ErrRunning.
func (a *App) claim(ctx context.Context) (alone bool, err error) {
	err = a.persist(ctx, func(ctx context.Context) (bool, error) {
		if err := a.dir.tryLock(); !errors.Is(err, errLocked) {
			alone = err == nil
			return true, err
		}
		err := a.callServer(ctx, http.MethodGet, nil)
		return err == nil, err
	})
	if errors.Is(err, errUnheard) {
		err = fmt.Errorf("%w and does not answer (if it runs in a container, run this command in there): %w", ErrRunning, err)
	}
	return alone, err
}

// tellServer tells the running server of an ending.
func (a *App) tellServer(ctx context.Context, n revocation.Notice) {
	a.tell(ctx, note{notice: notice(n)})
}

// tell returns when the running server has acted on the note, or when there is
// none any more: the next one reads what is committed.
func (a *App) tell(ctx context.Context, n note) {
	err := a.persist(ctx, func(ctx context.Context) (bool, error) {
		body, err := json.Marshal(n)
		if err == nil {
			err = a.callServer(ctx, http.MethodPost, body)
		}
		if err != nil && a.dir.tryLock() == nil {
			return true, a.dir.lock.Unlock()
		}
		return err == nil, err
	})
	if err != nil {
		a.untold = fmt.Errorf("the change is stored, but the running server did not hear of it: restart the server: %w", err)
	}
}

// persist tries until it is done, or for as long as a command waits for the
// server. The error is that of the last try.
func (a *App) persist(ctx context.Context, try func(ctx context.Context) (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, a.limits.command)
	defer cancel()
	again := time.NewTicker(controlEvery)
	defer again.Stop()
	for {
		done, err := try(ctx)
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errUnheard, err)
		case <-again.C:
		}
	}
}

// errUnheard says that the running server could not be reached.
var errUnheard = errors.New("no answer")

// callServer is one call of the running server's control.
func (a *App) callServer(ctx context.Context, method string, body []byte) error {
	text, err := os.ReadFile(a.dir.file(controlFile))
	if err != nil {
		return fmt.Errorf("find the running server: %w", err)
	}
	var at controlNote
	if err := json.Unmarshal(text, &at); err != nil {
		return fmt.Errorf("find the running server: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+at.Address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call the running server: %w", err)
	}
	req.Close = true
	req.Header.Set("Authorization", at.Secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("call the running server: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the running server answered %s", resp.Status)
	}
	return nil
}
