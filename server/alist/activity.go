package alist

import (
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/address"
	"latchkey/service/audit"
)

// activityRow is an event as whom it is about sees it.
type activityRow struct {
	ID      int64     `json:"id"`
	Event   string    `json:"event"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
	Device  string    `json:"device"`
	Address string    `json:"address"` // masked
	Reason  string    `json:"reason"`
	ByOther bool      `json:"by_other"`
}

// auditRow is an event as admins see it.
type auditRow struct {
	ID           int64           `json:"id"`
	Event        string          `json:"event"`
	Text         string          `json:"text"`
	At           time.Time       `json:"at"`
	AccountID    int64           `json:"account_id"`
	Username     string          `json:"username"`
	Actor        string          `json:"actor"`
	ActorID      int64           `json:"actor_id"`
	ActorName    string          `json:"actor_name"`
	Device       string          `json:"device"`
	CallerDevice string          `json:"caller_device"`
	Address      string          `json:"address"` // in full
	Reason       string          `json:"reason"`
	Detail       json.RawMessage `json:"detail"`
	RequestID    string          `json:"request_id"`
}

// eventPage is a page of events. It is counted to audit.CountTo only.
type eventPage[T any] struct {
	page[T]

	Capped bool `json:"capped"` // there are more than the total
}

func eventPageOf[T any](found audit.Page, row func(model.AuditEvent) T) eventPage[T] {
	reply := eventPage[T]{page[T]{make([]T, len(found.Events)), found.Total}, found.Capped}
	for i, e := range found.Events {
		reply.Content[i] = row(e)
	}
	return reply
}

// Activity lists the events about the caller, newest first.
func (a *API) Activity(c *gin.Context) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	found, err := a.svc.Audit.Own(ctx, access.From(ctx), number, size)
	if err != nil {
		return err
	}
	return ok(c, eventPageOf(found, activityRowOf))
}

func activityRowOf(e model.AuditEvent) activityRow {
	row := activityRow{
		ID: e.ID, Event: e.Kind, Text: audit.Text(e.Kind), At: e.At.Time, Device: e.DeviceKey,
		Address: address.Mask(e.Address), Reason: e.Reason, ByOther: audit.ByOther(e),
	}
	if row.Device == "" && !row.ByOther { // another's device is not the owner's to know
		row.Device = e.CallerDevice
	}
	return row
}

// AuditEvents lists everybody's events that the query asks for, newest first.
func (a *API) AuditEvents(c *gin.Context) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	filter, err := auditFilter(c)
	if err != nil {
		return err
	}
	found, err := a.svc.Audit.Search(c.Request.Context(), filter, number, size)
	if err != nil {
		return err
	}
	return ok(c, eventPageOf(found, auditRowOf))
}

func auditFilter(c *gin.Context) (audit.Filter, error) {
	var f audit.Filter
	kind, err := web.Text(c, "event")
	if err != nil {
		return f, err
	}
	f.Kind = audit.Kind(kind)
	if f.Username, err = web.Text(c, "username"); err != nil {
		return f, err
	}
	if f.Address, err = web.Text(c, "address"); err != nil {
		return f, err
	}
	if f.Since, err = web.Moment(c, "since"); err != nil {
		return f, err
	}
	f.Until, err = web.Moment(c, "until")
	return f, err
}

func auditRowOf(e model.AuditEvent) auditRow {
	return auditRow{
		ID: e.ID, Event: e.Kind, Text: audit.Text(e.Kind), At: e.At.Time, AccountID: e.AccountID, Username: e.Username,
		Actor: string(e.ActorKind), ActorID: e.ActorID, ActorName: e.ActorName, Device: e.DeviceKey,
		CallerDevice: e.CallerDevice, Address: e.Address, Reason: e.Reason, Detail: json.RawMessage(e.Detail),
		RequestID: e.RequestID,
	}
}
