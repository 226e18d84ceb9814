package consent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"time"

	"latchkey/service/access"
)

// ticketFor is how long a person may look at a page before they decide.
const ticketFor = 30 * time.Minute

// What tickets are for. One is no use for the other.
const (
	forApp    = "page/consent"
	forDevice = "page/device"
)

// seal makes the ticket of a form: it says until when this login may answer
// exactly this question. Nobody else can make one, so a yes without a look at
// the page is none (O-10).
func (a *API) seal(purpose string, by access.Caller, question string) (string, error) {
	until := binary.BigEndian.AppendUint64(nil, uint64(a.deps.Now().Add(ticketFor).Unix())) //nolint:gosec // G115: no times before 1970
	return a.deps.Sealer.Seal(purpose, append(until, asked(by, question)...))
}

// isOpen reports whether the ticket is for this login and this question, and in
// time.
func (a *API) isOpen(purpose, sealed string, by access.Caller, question string) bool {
	const stamp = 8 // bytes
	text, err := a.deps.Sealer.Open(purpose, sealed)
	if err != nil || len(text) != stamp+sha256.Size {
		return false
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(text)), 0) //nolint:gosec // G115: we wrote it
	return a.deps.Now().Before(until) && subtle.ConstantTimeCompare(text[stamp:], asked(by, question)) == 1
}

// asked names a question to a login.
func asked(by access.Caller, question string) []byte {
	sum := sha256.Sum256([]byte(by.LoginID + "\x00" + question)) // a login's id has no NUL
	return sum[:]
}
