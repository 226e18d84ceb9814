package audit

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/fault"
)

// What is wrong with a question for events.
var (
	// ErrKind says that there is no such kind of event.
	ErrKind = fault.New(fault.Invalid, "event_unknown", "no such kind of event")
	// ErrAddress says that an address to look for is none.
	ErrAddress = fault.New(fault.Invalid, "address_malformed", "address must be an IPv4 or IPv6 address")
)

const (
	// CountTo is how far matches are counted.
	CountTo = 10_000
	// maxPage is how many events a page has at most.
	maxPage = 1000
)

// Filter asks for some events. Zero fields do not count.
type Filter struct {
	Kind     Kind
	Username string // whoever had the name then, or has it now
	Address  string // in full
	Since    time.Time
	Until    time.Time // excluded
}

// Page is a part of a list of events, newest first.
type Page struct {
	Events []model.AuditEvent
	Total  int64 // of the whole list, or CountTo
	Capped bool  // there are more than Total
}

// Own is a page of the events about the caller. Pages count from 1; a size
// below 1 means 1000, which is also the most. Guests have none.
func (r *Recorder) Own(ctx context.Context, by access.Caller, page, size int) (Page, error) {
	if by.Kind == access.Guest || by.Account.IsGuest() {
		return Page{}, nil
	}
	return r.list(ctx, model.AuditQuery{AccountKey: by.Account.Key}, page, size)
}

// Search is like Own for the events that match, whomever they are about. It
// fails with ErrKind or ErrAddress.
func (r *Recorder) Search(ctx context.Context, f Filter, page, size int) (Page, error) {
	q := model.AuditQuery{Kind: string(f.Kind), Username: f.Username, Since: model.At(f.Since), Until: model.At(f.Until)}
	if f.Kind != "" && !f.Kind.isStored() {
		return Page{}, ErrKind
	}
	if f.Address != "" {
		ip, err := netip.ParseAddr(f.Address)
		if err != nil {
			return Page{}, ErrAddress
		}
		q.Address = ip.Unmap().String()
	}
	return r.list(ctx, q, page, size)
}

func (r *Recorder) list(ctx context.Context, q model.AuditQuery, page, size int) (Page, error) {
	if r.journal == nil {
		return Page{}, nil
	}
	// What cannot be stored now is no reason not to show the rest.
	r.complain(ctx, "store events", r.Flush(ctx))
	if size < 1 || size > maxPage {
		size = maxPage
	}
	q.Offset, q.Limit, q.CountTo = (max(page, 1)-1)*size, size, CountTo+1
	list, total, err := r.cfg.Store.Events(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("read events: %w", err)
	}
	return Page{Events: list, Total: min(total, CountTo), Capped: total > CountTo}, nil
}

// ByOther reports whether somebody else did it: an admin, whoever has the
// static token, or somebody at the machine.
func ByOther(e model.AuditEvent) bool {
	switch e.ActorKind {
	case model.ActorToken, model.ActorCommand:
		return true
	case model.ActorSession, model.ActorAPIKey, model.ActorOAuth:
		return e.ActorKey != e.AccountKey
	case model.ActorNone, model.ActorSystem:
	}
	return false
}
