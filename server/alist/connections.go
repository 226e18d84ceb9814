package alist

import (
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/address"
	"latchkey/service/connection"
)

// connectionRow is a live connection in its owner's list.
type connectionRow struct {
	ID          string        `json:"id"`
	SessionID   string        `json:"session_id"` // the device that it hangs on; evicting that closes it
	Kind        string        `json:"kind"`
	Client      string        `json:"client"`
	IP          string        `json:"ip"` // masked
	ConnectedAt time.Time     `json:"connected_at"`
	LastActive  time.Time     `json:"last_active"`
	KeyTitle    string        `json:"key_title"` // empty: it signed in with a password
	Transfers   []transferRow `json:"transfers"`
}

type transferRow struct {
	Path      string    `json:"path"`
	Direction string    `json:"direction"` // upload or download
	Bytes     int64     `json:"bytes"`
	StartedAt time.Time `json:"started_at"`
}

// adminConnectionRow is a live connection in everybody's list.
type adminConnectionRow struct {
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
	connectionRow
}

// Connections lists the caller's live connections. Guests have none.
func (a *API) Connections(c *gin.Context) error {
	by := access.From(c.Request.Context())
	rows := []connectionRow{}
	if by.Kind != access.Guest && !by.Account.IsGuest() {
		for _, v := range a.svc.Connections.Views(by.Account.Key) {
			rows = append(rows, connectionRowOf(v))
		}
	}
	return ok(c, rows)
}

// AdminConnections lists everybody's live connections.
func (a *API) AdminConnections(c *gin.Context) error {
	rows := []adminConnectionRow{}
	for _, v := range a.svc.Connections.Views("") {
		owner, err := a.svc.Accounts.Snapshot(c.Request.Context(), v.AccountKey)
		if errors.Is(err, account.ErrUnknown) {
			continue // deleted at this moment, and so is the connection
		}
		if err != nil {
			return err
		}
		rows = append(rows, adminConnectionRow{UserID: owner.ID, Username: owner.Username, connectionRow: connectionRowOf(v)})
	}
	return ok(c, rows)
}

func connectionRowOf(v connection.View) connectionRow {
	row := connectionRow{
		ID: v.ID, SessionID: v.DeviceKey, Kind: "sftp", Client: v.Client, IP: address.Mask(v.Address),
		ConnectedAt: v.ConnectedAt.UTC(), LastActive: v.UsedAt.UTC(), KeyTitle: v.KeyTitle, Transfers: make([]transferRow, len(v.Transfers)),
	}
	for i, t := range v.Transfers {
		row.Transfers[i] = transferRow{Path: t.Path, Direction: string(t.Direction), Bytes: t.Bytes, StartedAt: t.StartedAt.UTC()}
	}
	return row
}
