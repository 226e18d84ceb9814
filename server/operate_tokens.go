package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/label"
	"latchkey/service/session"
)

// What can be wrong with minting a token.
var (
	// ErrShutOut says that nobody may be let in as the account.
	ErrShutOut = errors.New("this account may not be used: let it in again first, with latchkey user enable NAME")
	// ErrMintName says that a device cannot be called that.
	ErrMintName = errors.New("the name must be 1 to 64 printable characters")
)

const maxTokenName = 64 // characters

// Minted is a token, which is shown this once.
type Minted struct {
	Token     string
	SessionID string // of its device
	ExpiresAt time.Time
}

// MintToken makes a login of the account that the name means, without a
// password, for programs of the operator's. It is listed and thrown out as any
// login. It fails with ErrNoAccount, ErrShutOut, ErrMintName or
// session.ErrMintFor.
func (a *App) MintToken(ctx context.Context, name, device string, lifetime time.Duration) (Minted, error) {
	if !label.IsName(device, maxTokenName) {
		return Minted{}, ErrMintName
	}
	var minted Minted
	_, err := a.withAccount(ctx, name, func(found model.Account) error {
		if found.Disabled || slices.Contains(found.Roles, model.RoleGuest) {
			return ErrShutOut
		}
		opened, err := a.Sessions.Mint(ctx, session.Minting{
			AccountKey: found.Key, Epoch: found.Epoch, Username: found.Username, Name: device, For: lifetime,
		})
		minted = Minted{Token: opened.Token, SessionID: opened.DeviceKey, ExpiresAt: opened.ExpiresAt}
		return err
	})
	return minted, err
}
