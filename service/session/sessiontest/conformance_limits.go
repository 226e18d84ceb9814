package sessiontest

import (
	"testing"
	"time"

	"latchkey/model"
)

// limit is how an opening is limited.
type limit struct {
	max   int64
	evict bool
	cap   int64 // 0 means 100
}

func (l limit) on(o model.LoginOpening) model.LoginOpening {
	o.MaxDevices, o.EvictOldest = l.max, l.evict
	if l.cap > 0 {
		o.DeviceCap = l.cap
	}
	return o
}

// four signs the devices d0 to d3 in, a minute after each other.
func (s *stage) four() (model.Account, []string) {
	s.t.Helper()
	a := s.account()
	var ids []string
	for i, device := range names(0, 4) {
		ids = append(ids, s.signIn(a, device, time.Duration(i)*time.Minute))
	}
	return a, ids
}

// opensTo checks which devices are active once another one has signed in.
type opensTo struct {
	limit

	device string
	refuse bool
	ends   int64
	want   []string
}

func (o opensTo) check(t *testing.T, s *stage) {
	t.Helper()
	a, _ := s.four()
	request := o.on(s.request(a, o.device, time.Hour))
	if o.refuse {
		s.wantRefused(request, model.ErrLimit)
	} else if n, err := s.Store.OpenLogin(t.Context(), request); n != o.ends || err != nil {
		t.Errorf("OpenLogin = %d, %v, want %d ended", n, err, o.ends)
	}
	s.wantActive(a, time.Hour, o.want...)
}

func limits() map[string]func(*testing.T, *stage) {
	deny := func(n int64) limit { return limit{max: n} }
	evict := func(n int64) limit { return limit{max: n, evict: true} }
	suite := map[string]func(*testing.T, *stage){}
	for name, row := range map[string]opensTo{
		"without a limit everybody stays":                              {device: "new", want: append(names(0, 4), "new")},
		"without a limit the policy does not matter":                   {limit: evict(0), device: "new", want: append(names(0, 4), "new")},
		"below the limit a device enters under deny":                   {limit: deny(5), device: "new", want: append(names(0, 4), "new")},
		"below the limit a device enters under evict oldest":           {limit: evict(5), device: "new", want: append(names(0, 4), "new")},
		"at the limit deny refuses a new device":                       {limit: deny(4), device: "new", refuse: true, want: names(0, 4)},
		"at the limit deny lets an active device return":               {limit: deny(4), device: "d1", want: names(0, 4)},
		"above a lowered limit deny refuses a new device":              {limit: deny(2), device: "new", refuse: true, want: names(0, 4)},
		"above a lowered limit deny lets an active device return":      {limit: deny(2), device: "d0", want: names(0, 4)},
		"at the limit evict oldest takes the idlest":                   {limit: evict(4), device: "new", ends: 1, want: append(names(1, 4), "new")},
		"at the limit evict oldest takes nobody for a known one":       {limit: evict(4), device: "d0", want: names(0, 4)},
		"evict oldest goes down to a lowered limit":                    {limit: evict(2), device: "new", ends: 3, want: []string{"d3", "new"}},
		"evict oldest goes down to a lowered limit for a known device": {limit: evict(2), device: "d0", ends: 2, want: []string{"d0", "d3"}},
		"evict oldest goes down to one":                                {limit: evict(1), device: "new", ends: 4, want: []string{"new"}},
		"the hard cap takes the idlest without a limit":                {limit: limit{cap: 4}, device: "new", ends: 1, want: append(names(1, 4), "new")},
		"the hard cap takes the idlest under deny":                     {limit: limit{max: 50, cap: 4}, device: "new", ends: 1, want: append(names(1, 4), "new")},
		"the hard cap takes the idlest under evict oldest":             {limit: limit{max: 50, evict: true, cap: 3}, device: "new", ends: 2, want: append(names(2, 4), "new")},
		"the hard cap takes nobody for a known device":                 {limit: limit{cap: 4}, device: "d0", want: names(0, 4)},
		"a hard cap of one keeps the newest":                           {limit: limit{cap: 1}, device: "new", ends: 4, want: []string{"new"}},
		"a limit above the hard cap does not lift it":                  {limit: limit{max: 3, evict: true, cap: 2}, device: "new", ends: 3, want: []string{"d3", "new"}},
		"an active device above a lowered limit still meets the cap":   {limit: limit{max: 2, cap: 3}, device: "d0", ends: 1, want: []string{"d0", "d2", "d3"}},
	} {
		suite[name] = row.check
	}
	suite["who was used last stays, whoever signed in last"] = func(_ *testing.T, s *stage) {
		a, ids := s.four()
		s.touch(ids[0], a, "d0", 30*time.Minute)
		s.open(evict(4).on(s.request(a, "new", time.Hour)))
		s.wantActive(a, time.Hour, "d0", "d2", "d3", "new")
		s.wantReason(ids[1], model.EndLimit)
	}
	suite["an evicted device ends with every login below it"] = func(_ *testing.T, s *stage) {
		a := s.account()
		first, second := s.signIn(a, "old", 0), s.signIn(a, "old", time.Minute)
		s.open(evict(1).on(s.request(a, "new", time.Hour)))
		s.wantReason(first, model.EndLimit)
		s.wantReason(second, model.EndLimit)
	}
	suite["a device that was signed out counts as new again"] = func(_ *testing.T, s *stage) {
		a, _ := s.four()
		s.evict(a, "d0", 10*time.Minute)
		s.signIn(a, "d4", 11*time.Minute)
		s.wantRefused(deny(4).on(s.request(a, "d0", time.Hour)), model.ErrLimit)
	}
	suite["devices whose logins expired make room"] = func(_ *testing.T, s *stage) {
		a, _ := s.four()
		s.open(deny(3).on(s.request(a, "new", lifetime+time.Minute))) // d0 and d1 are over by then
		s.wantActive(a, lifetime+time.Minute, "d2", "d3", "new")
	}
	suite["devices whose logins are idle make room"] = func(_ *testing.T, s *stage) {
		a, _ := s.four()
		o := deny(2).on(s.request(a, "new", time.Hour))
		o.Live.SeenAfter = at(2 * time.Minute) // d0, d1 and d2 are idle
		s.open(o)
	}
	suite["devices of other accounts do not count"] = func(_ *testing.T, s *stage) {
		s.four()
		b := s.account()
		s.open(deny(1).on(s.request(b, "d0", time.Hour)))
	}
	suite["apps and SFTP clients take nobody's place"] = func(_ *testing.T, s *stage) {
		a := s.account()
		for _, kind := range []model.DeviceKind{model.DeviceOAuth, model.DeviceSFTP} {
			o := s.request(a, string(kind), 0)
			o.Device.Kind = kind
			s.open(o)
		}
		s.open(deny(1).on(s.request(a, "laptop", time.Minute)))
		s.wantRefused(deny(1).on(s.request(a, "phone", time.Minute)), model.ErrLimit)
		s.open(evict(1).on(s.request(a, "phone", time.Minute)))
		s.wantActive(a, time.Minute, "oauth", "sftp", "phone")
	}
	suite["apps and SFTP clients have a limit of their own"] = func(_ *testing.T, s *stage) {
		a, _ := s.four()
		for i, kind := range []model.DeviceKind{model.DeviceOAuth, model.DeviceSFTP} {
			for j, device := range []string{string(kind) + " one", string(kind) + " two"} {
				o := limit{max: 1, evict: true}.on(s.request(a, device, time.Hour+time.Duration(2*i+j)*time.Minute))
				o.Device.Kind = kind
				s.open(o)
			}
		}
		s.wantActive(a, 2*time.Hour, "d0", "d1", "d2", "d3", "oauth two", "sftp two")
	}
	suite["programs and the command line count"] = func(_ *testing.T, s *stage) {
		a := s.account()
		for _, kind := range []model.DeviceKind{model.DeviceAPI, model.DeviceCLI} {
			o := s.request(a, string(kind), 0)
			o.Device.Kind = kind
			s.open(o)
		}
		s.wantRefused(deny(2).on(s.request(a, "laptop", time.Minute)), model.ErrLimit)
	}
	return suite
}
