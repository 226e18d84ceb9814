package throttle

import (
	"time"

	"latchkey/service/fault"
)

// ErrReports says that an address reported too much. Its RetryAfter says when
// the next report will be looked at.
var ErrReports = fault.New(fault.TooMany, "reports_throttled", "Too many reports, try again later")

// Report counts a report that anybody may send, such as one of leaked keys,
// against the address that it comes from, and nothing else: it is no attempt to
// sign in. It is not stored. It fails with ErrReports.
func (s *Service) Report(address string) error {
	place, _ := s.address(address)
	if _, wait := s.reports.take(key{who: place}, s.instant()); wait > 0 {
		return ErrReports.After(time.Duration(wait))
	}
	return nil
}
