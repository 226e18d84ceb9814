package sqlstore_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/client"
	"latchkey/service/client/clienttest"
)

func TestOAuthClients(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			clienttest.Conformance(t, func(t *testing.T) client.Store { return open(t, opts).OAuthClients() })
		})
	}
}

// An app is authenticated at each of its requests to the token endpoint.
func TestReadingAnAppIsOneStatement(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			var statements atomic.Int64
			opts := sqlstore.Options{Pure: opts.Pure, Trace: func(sql string) {
				if strings.Contains(sql, "oauth_clients") {
					statements.Add(1)
				}
			}}
			db := open(t, opts)
			app := model.OAuthClient{ID: "0", Name: "x"}
			app.CreatedAt, app.UpdatedAt = model.At(start), model.At(start)
			if err := db.OAuthClients().AddOAuthClient(t.Context(), app, nil, 1); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"0", "1"} {
				statements.Store(0)
				_, _ = db.OAuthClients().OAuthClient(t.Context(), id)
				if n := statements.Load(); n != 1 {
					t.Errorf("reading %s takes %d statements, want 1", id, n)
				}
			}
		})
	}
}
