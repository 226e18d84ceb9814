package signin

import (
	"encoding/json"
	"time"

	"latchkey/service/login"
)

// ticketFor is how long a person may take over the code.
const ticketFor = 5 * time.Minute

// ticketAAD begins what a ticket is sealed with, so that it opens nowhere else.
const ticketAAD = "page/sign-in/"

// ticket says, sealed, that the password was right, so that the page which asks
// for the code need not ask for the password again. It holds no password, is
// good in this browser for five minutes, until the account's password or factor
// changes, and never without a code: each of those works once, and wrong ones
// are counted as always. So nothing has to be remembered here, and any node can
// take the form.
type ticket struct {
	Username   string    `json:"u"`
	AccountKey string    `json:"a"`
	Epoch      int64     `json:"e"`
	Until      time.Time `json:"t"`
}

func (t ticket) half() login.Half {
	return login.Half{AccountKey: t.AccountKey, Epoch: t.Epoch}
}

// sealTicket makes a ticket for this browser.
func (a *API) sealTicket(deviceID, username string, h login.Half) (string, error) {
	text, err := json.Marshal(ticket{
		Username: username, AccountKey: h.AccountKey, Epoch: h.Epoch, Until: a.deps.Now().Add(ticketFor),
	})
	if err != nil {
		return "", err
	}
	return a.deps.Sealer.Seal(ticketAAD+deviceID, text)
}

// openTicket reads a ticket; false if it is none, another browser's, or too old.
func (a *API) openTicket(deviceID, sealed string) (ticket, bool) {
	var t ticket
	text, err := a.deps.Sealer.Open(ticketAAD+deviceID, sealed)
	if err != nil || json.Unmarshal(text, &t) != nil || !a.deps.Now().Before(t.Until) {
		return ticket{}, false
	}
	return t, true
}
