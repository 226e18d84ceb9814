package cli

import (
	"errors"
	"fmt"

	"latchkey/server"
	"latchkey/service/access"
	"latchkey/service/client"
)

// hinted adds to a failure about a name that there is not which command shows
// those that there are.
func hinted(err error) error {
	for _, known := range []struct {
		failure error
		hint    string
	}{
		{server.ErrNoAccount, "latchkey user list shows them"},
		{client.ErrUnknown, "latchkey app list shows them"},
		{client.ErrScopes, "latchkey scope list shows them, latchkey scope declare adds one"},
		{client.ErrScopeUnknown, "latchkey scope list shows them; the server's own stay"},
		{access.ErrUnknownScope, "latchkey apikey create --help names them"},
	} {
		if errors.Is(err, known.failure) {
			return fmt.Errorf("%w: %s", err, known.hint)
		}
	}
	return err
}
