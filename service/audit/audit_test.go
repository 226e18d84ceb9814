package audit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"latchkey/service/access"
	"latchkey/service/audit"
)

// caller has a recognisable value in every field.
func caller() access.Caller {
	return access.Caller{
		Kind: access.SessionToken,
		Account: &access.Account{
			Key: "account-key", ID: 42, Username: "user-name", BasePath: "/base-path", RoleNames: []string{"role-name"}, SSOID: "sso-id",
		},
		DeviceKey: "device-key", LoginID: "login-id", FreshAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Address: "203.0.113.9", UserAgent: "user-agent",
	}
}

// record is what one event becomes in JSON.
func record(t *testing.T, by access.Caller, e audit.Event) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := audit.New(slog.New(slog.NewJSONHandler(&out, nil))).Record(access.With(t.Context(), by), e); err != nil {
		t.Fatalf("Record = %v", err)
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("the log is not one line of JSON: %v: %q", err, out.String())
	}
	delete(line, "time")
	return line
}

func TestEventNamesWhoFromWhereAndWhich(t *testing.T) { // H-13
	for name, tt := range map[string]struct {
		by   access.Caller
		want map[string]any
	}{
		"a signed-in caller": {caller(), map[string]any{
			"account_id": 42.0, "peer": "203.0.113.9", "caller_device": "device-key",
		}},
		"somebody who is not known yet": {access.Caller{Address: "2001:db8::1", UserAgent: "user-agent"}, map[string]any{
			"peer": "2001:db8::1",
		}},
		"the program itself": {access.Caller{}, map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want["level"], tt.want["msg"], tt.want["event"], tt.want["device"] = "INFO", "audit", string(audit.DeviceEvicted), "evicted"
			got := record(t, tt.by, audit.Event{Kind: audit.DeviceEvicted, DeviceKey: "evicted"})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("the line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventsAreToldApart(t *testing.T) {
	seen := map[audit.Kind]bool{}
	for _, event := range []audit.Kind{
		audit.SignedIn, audit.SignInRefused, audit.SignInThrottled, audit.SignedOut, audit.DeviceEvicted, audit.DevicesCleaned,
		audit.ProfileChanged, audit.PasswordChanged, audit.AccountCreated, audit.AccountDisabled, audit.AccountEnabled,
		audit.AccountDeleted, audit.TwoFactorEnabled, audit.TwoFactorRemoved, audit.SSHKeyAdded, audit.SSHKeyDeleted,
		audit.KeyRotated, audit.KeyRemoved, audit.Founded,
	} {
		if event == "" || seen[event] {
			t.Errorf("the event %q is empty or there twice", event)
		}
		seen[event] = true
	}
}

func unseen(r rune) bool { return !unicode.IsPrint(r) }

func TestForeignTextStaysInItsLine(t *testing.T) { // H-13: no line break or escape of a client
	const attack = "x\r\n{\"event\":\"signed_in\"}\n\x1b[2Jevent=signed_in\u0085\u009b2J\u2028\u202e\x00\xff"
	by := caller()
	by.Address, by.DeviceKey = attack, attack
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ctx := access.With(t.Context(), by)
			audit.New(slog.New(handler(&out))).Note(ctx, audit.Event{
				Kind: audit.SignInRefused, Reason: attack, Detail: []slog.Attr{slog.String("name", attack), slog.Any("any", attack)},
			})
			line, rest, _ := strings.Cut(out.String(), "\n")
			if rest != "" || strings.ContainsFunc(line, unseen) {
				t.Errorf("one event became %q", out.String())
			}
			if !strings.Contains(line, "�[2J") {
				t.Errorf("what was said is not in the line %q", line)
			}
			if strings.Count(line, " event=signed_in ") > 0 || strings.Count(line, `"event":"signed_in"`) > 0 {
				t.Errorf("a forged event stands in the line %q", line)
			}
		})
	}
}
