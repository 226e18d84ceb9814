package audit

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"unicode"

	"latchkey/model"
	"latchkey/service/access"
)

// row is the event as it is stored.
func (r *Recorder) row(by access.Caller, e Event) model.AuditEvent {
	row := model.AuditEvent{
		At: model.At(r.cfg.Now()), Nonce: nonce(), Kind: string(e.Kind),
		AccountKey: e.AccountKey, AccountID: e.AccountID, Username: clean(e.Username),
		ActorKind: r.actor(by, e.Address),
		DeviceKey: clean(e.DeviceKey), CallerDevice: clean(by.DeviceKey),
		Address: clean(e.Address), Reason: clean(e.Reason), RequestID: by.RequestID,
	}
	if by.Account != nil && by.Kind != access.Guest {
		row.ActorKey, row.ActorID, row.ActorName = by.Account.Key, by.Account.ID, clean(by.Account.Username)
	}
	nobody := row.AccountKey == "" && row.AccountID == 0
	if nobody && isOwner(row.ActorKind) || !nobody && row.AccountKey == row.ActorKey && row.Username == "" {
		row.AccountKey, row.AccountID, row.Username = row.ActorKey, row.ActorID, row.ActorName
	}
	if by.Kind == access.APIKey {
		e.Detail = append(slices.Clone(e.Detail), slog.Int64(callerKey, by.KeyID))
	}
	row.Detail = r.detail(row.ActorKind, e.Detail)
	return row
}

// callerKey names the API key that somebody came with, beside api_key_id, which it
// happened to.
const callerKey = "caller_api_key"

// isOwner reports whether what such an actor does to nobody in particular is done
// to its own account.
func isOwner(a model.AuditActor) bool {
	return a == model.ActorSession || a == model.ActorAPIKey || a == model.ActorOAuth
}

// nonce is 63 random bits: two events of one millisecond are alike in 1 of
// 10^18 cases.
func nonce() int64 {
	var bits [8]byte
	rand.Read(bits[:])                                             // never fails since Go 1.24
	return int64(binary.NativeEndian.Uint64(bits[:]) &^ (1 << 63)) //nolint:gosec // G115: the top bit is clear
}

func (r *Recorder) actor(by access.Caller, address string) model.AuditActor {
	switch {
	case by.Kind == access.SessionToken:
		return model.ActorSession
	case by.Kind == access.StaticToken:
		return model.ActorToken
	case by.Kind == access.APIKey:
		return model.ActorAPIKey
	case by.Kind == access.OAuthToken:
		return model.ActorOAuth
	case r.cfg.Command != "":
		return model.ActorCommand
	case by.Account == nil && address == "":
		return model.ActorSystem
	}
	return model.ActorNone
}

// detail is a JSON object of the attributes.
func (r *Recorder) detail(actor model.AuditActor, attrs []slog.Attr) string {
	fields := make(map[string]any, len(attrs)+1)
	if actor == model.ActorCommand {
		fields["os_user"] = clean(r.cfg.Command)
	}
	for _, a := range attrs {
		switch v := a.Value.Any().(type) {
		case int64, bool:
			fields[a.Key] = v
		default:
			fields[a.Key] = clean(a.Value.String())
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return "{}" // cannot be: numbers, truths and text
	}
	return string(text)
}

// printable is the attribute without what a terminal obeys or does not show.
// JSON would keep C1 controls and marks that turn the text round.
func printable(a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindString {
		return a
	}
	return slog.String(a.Key, clean(a.Value.String()))
}

func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// Line is an event as one line of JSON, without the line's end. The first four
// keys are always there and in this order, so that other programs can match
// lines by their beginning.
func Line(row model.AuditEvent) ([]byte, error) {
	return json.Marshal(struct {
		Time         string          `json:"time"`
		Event        string          `json:"event"`
		Address      string          `json:"address"`
		Reason       string          `json:"reason"`
		ID           int64           `json:"id,omitempty"` // of the row, where it has one
		AccountID    int64           `json:"account_id,omitempty"`
		Username     string          `json:"username,omitempty"`
		AccountKey   string          `json:"account_key,omitempty"`
		Actor        string          `json:"actor"`
		ActorID      int64           `json:"actor_id,omitempty"`
		ActorName    string          `json:"actor_name,omitempty"`
		Device       string          `json:"device,omitempty"`
		CallerDevice string          `json:"caller_device,omitempty"`
		RequestID    string          `json:"request_id,omitempty"`
		Detail       json.RawMessage `json:"detail"`
	}{
		row.At.UTC().Format(lineTime), row.Kind, row.Address, row.Reason, row.ID,
		row.AccountID, row.Username, row.AccountKey, string(row.ActorKind), row.ActorID, row.ActorName,
		row.DeviceKey, row.CallerDevice, row.RequestID, json.RawMessage(row.Detail),
	})
}

// lineTime is RFC 3339 with three digits of a second, always.
const lineTime = "2006-01-02T15:04:05.000Z07:00"
