package session

import (
	"context"
	"log/slog"
	"net/netip"

	"latchkey/model"
	"latchkey/service/audit"
)

// isNew notes where a sign-in that succeeded came from, and reports whether the
// account was never there before, although it has been elsewhere. A failure
// does not undo the sign-in: the next one from there is news then.
func (s *Service) isNew(ctx context.Context, o Opening, d model.Device) bool {
	ctx = context.WithoutCancel(ctx) // whoever leaves early is noted all the same
	note := model.PlaceNote{
		Place:     model.Place{AccountKey: o.AccountKey, Place: s.place(o), SeenAt: d.SeenAt},
		DeviceKey: d.Key, NewUntil: model.At(d.SeenAt.Add(newFor)), Keep: keepPlaces,
	}
	news, err := s.store.NotePlace(ctx, note)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a place of sign-in was not noted",
			slog.String("account_key", o.AccountKey), slog.Any("error", err))
		return false
	}
	if news {
		s.audit.Note(ctx, audit.Event{Kind: audit.DeviceAdded, AccountKey: o.AccountKey, DeviceKey: d.Key, Address: o.Address})
	}
	return news
}

// place is the device, or what stands for the address of a caller whose device
// anybody is: keyed, so that rows do not tell it. No Client-Id begins with NUL.
func (s *Service) place(o Opening) string {
	if !isAnybody(o.ClientID) {
		return s.DeviceKey(o.AccountKey, o.ClientID)
	}
	return s.DeviceKey(o.AccountKey, o.ClientID+"\x00"+neighbourhood(o.Address))
}

// isAnybody reports whether the device is one that whoever knows the name of the
// account is: it proves nothing.
func isAnybody(clientID string) bool { return clientID == "" || clientID == SFTPClient("") }

// neighbourhood is an IPv4 address, or the /64 of an IPv6 one: what one
// customer has.
func neighbourhood(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64) // never fails for 64 bits of an IPv6 address
		return p.String()
	}
	return a.String()
}
