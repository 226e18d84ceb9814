package server_test

import (
	"database/sql"
	"net/http"
	"testing"

	"latchkey/server/servertest"
)

// The owner must not be counted as a guesser while the fault is ours.
func TestRightPasswordsDuringAnOutageAreNoFailures(t *testing.T) {
	f := besiege(t)
	writer, err := sql.Open(rawDriver, "file:"+f.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	alter := func(statement string) {
		t.Helper()
		if _, err := writer.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const from = "198.51.100.9"
	alter("ALTER TABLE totp RENAME TO totp_away") // second factors cannot be read
	for range 30 {
		if reply := f.tryPassword(t, "admin", servertest.AdminPassword, from); reply.Code != http.StatusInternalServerError {
			t.Fatalf("during the outage: %s", reply.Text)
		}
	}
	alter("ALTER TABLE totp_away RENAME TO totp")
	if reply := f.tryPassword(t, "admin", servertest.AdminPassword, from); reply.Code != http.StatusOK {
		t.Errorf("after it: %s", reply.Text)
	}
}
