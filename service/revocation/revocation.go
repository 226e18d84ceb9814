// Package revocation owns the moment after something was ended in the database:
// it tells everybody who remembers, before the ending is answered. It decides
// nothing and stores nothing.
package revocation

import "context"

// Notice says what ended or changed. An empty field means "whatever it is".
type Notice struct {
	AccountKey string // empty: every account, for example after a change of keys or roles
	DeviceKey  string // empty: every device of the account
	LoginID    string // empty: every login of the device
}

// Listener forgets what the notice speaks of, and closes what hangs on it. It
// returns only when that is done.
type Listener func(ctx context.Context, n Notice)

// Hub tells its listeners. The order of every ending is: commit, Publish,
// answer.
type Hub struct{ listeners []Listener }

// Subscribe adds a listener. All listeners are added before the first Publish.
func (h *Hub) Subscribe(l Listener) { h.listeners = append(h.listeners, l) }

// Publish returns when every listener has acted. It goes on when ctx is done:
// what is committed must be heard.
func (h *Hub) Publish(ctx context.Context, n Notice) {
	ctx = context.WithoutCancel(ctx)
	for _, l := range h.listeners {
		l(ctx, n)
	}
}
