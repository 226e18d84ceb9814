package alist_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/servertest"
)

const (
	activityRoute = "/api/me/activity"
	auditRoute    = "/api/admin/audit"
)

type activity struct {
	ID      int64
	Event   string
	Text    string
	At      time.Time
	Device  string
	Address string
	Reason  string
	ByOther bool `json:"by_other"`
}

type activities struct {
	Content []activity
	Total   int64
	Capped  bool
}

func (s *site) activity(t testing.TB, token, query string) activities {
	t.Helper()
	var page activities
	s.get(t, token, activityRoute+query).Into(t, &page)
	return page
}

func TestOwnersSeeWhatHappenedToThem(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.AddUser(t, "bob")
	s.Do(t, servertest.Request{Path: plainRoute, From: "2001:db8:1::7", Body: object{"username": "alice", "password": "wrong horse battery"}})
	in := s.SignIn(t, "alice", password, "laptop")
	s.SignIn(t, "bob", password, "laptop")
	phone := s.SignIn(t, "alice", password, "phone")
	wantDone(t, "evict", s.act(t, "/api/admin/session/evict", object{"session_id": phone.DeviceKey}))
	s.clock.Advance(time.Second)
	wantDone(t, "rename", s.Do(t, servertest.Request{Path: updateRoute, Token: in.Token, From: "198.51.100.77", Body: object{"username": "alice", "sso_id": "x"}}))

	got := s.activity(t, in.Token, "")
	now := s.clock.Now()
	earlier := now.Add(-time.Second)
	want := []activity{ // the first device is no news
		{0, "profile_changed", "The profile was changed.", now, in.DeviceKey, "198.*.*.77", "", false},
		{0, "device_evicted", "A device was signed out.", earlier, phone.DeviceKey, "192.*.*.1", "", true},
		{0, "signed_in", "Signed in.", earlier, phone.DeviceKey, "192.*.*.1", "", false},
		{0, "device_added", "Signed in on a new device.", earlier, phone.DeviceKey, "192.*.*.1", "", false},
		{0, "signed_in", "Signed in.", earlier, in.DeviceKey, "192.*.*.1", "", false},
		{0, "sign_in_refused", "Somebody tried to sign in and was refused.", earlier, got.Content[5].Device, "2001:*:*::7", "credentials_wrong", false},
		{0, "account_created", "The account was created.", earlier, "", "", "", false},
	}
	last := got.Content[0].ID + 1
	for i := range got.Content {
		if got.Content[i].ID >= last {
			t.Errorf("id %d comes after %d", got.Content[i].ID, last)
		}
		last, got.Content[i].ID = got.Content[i].ID, 0
	}
	if diff := cmp.Diff(activities{want, int64(len(want)), false}, got); diff != "" {
		t.Errorf("alice's activity (-want +got):\n%s", diff)
	}
	if got := s.activity(t, in.Token, "?page=2&per_page=3"); got.Total != 7 || len(got.Content) != 3 || got.Content[0].Event != "device_added" {
		t.Errorf("the second page is %+v", got)
	}
	if got := s.activity(t, in.Token, "?page=999999&per_page=1000"); got.Total != 7 || len(got.Content) != 0 {
		t.Errorf("the last page is %+v", got)
	}
}

func TestGuestsHaveNoActivity(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	wantBody(t, "a guest's activity", s.get(t, "", activityRoute), succeeded(`{"content":[],"total":0,"capped":false}`))
}

func TestAuditIsForAdmins(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	wantRefused(t, "alice", s.get(t, s.SignIn(t, "alice", password, "").Token, auditRoute), http.StatusForbidden, "You are not an admin")
}

func TestAuditIsFiltered(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	begin := s.clock.Now()
	signIn := func(name, from string) {
		t.Helper()
		s.clock.Advance(time.Minute)
		s.Do(t, servertest.Request{Path: plainRoute, From: from, Body: object{"username": name, "password": password}})
	}
	signIn("alice", "198.51.100.1")
	signIn("admin", "198.51.100.2")
	signIn("alice", "2001:db8::2")
	signIn("nobody", "198.51.100.1")
	at := func(minutes int) string { return begin.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
	east := func(minutes int) string {
		return url.QueryEscape(begin.Add(time.Duration(minutes) * time.Minute).In(time.FixedZone("", 3600)).Format(time.RFC3339))
	}
	for query, want := range map[string]string{
		"event=signed_in":                                        "alice admin alice",
		"username=admin&event=signed_in":                         "admin",
		"username=Alice&event=signed_in":                         "none",
		"address=198.51.100.2":                                   "admin",
		"address=2001:0DB8:0::2":                                 "alice",
		"address=::ffff:198.51.100.2":                            "admin",
		"event=signed_in&since=" + at(2):                         "alice admin",
		"event=signed_in&since=" + east(2):                       "alice admin",
		"event=signed_in&until=" + at(2):                         "alice",
		"since=" + at(2) + "&until=" + at(3):                     "admin",
		fmt.Sprintf("event=signed_in&since=%d", begin.Unix()+60): "alice admin alice",
		"since=":                              "alice admin alice",
		"since=" + at(9):                      "none",
		"event=signed_in&page=2&per_page=1":   "admin",
		"event=signed_in&page=-1&per_page=-5": "alice admin alice",
	} {
		var page struct {
			Content []struct{ Username, Event, Address string }
		}
		s.get(t, s.App.AdminToken(), auditRoute+"?"+query).Into(t, &page)
		names := []string{}
		for _, e := range page.Content {
			if e.Event == "signed_in" {
				names = append(names, e.Username)
			}
		}
		if want == "none" {
			want = ""
			if len(page.Content) != 0 {
				t.Errorf("%s: %+v", query, page.Content)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: found %q, want %q", query, got, want)
		}
	}
}

func TestAuditFiltersAreJudged(t *testing.T) {
	s := open(t)
	const noTime = `query parameter "since" must be an RFC 3339 time or Unix seconds`
	for query, message := range map[string]string{
		"event=signed_in_":           "no such kind of event",
		"event=SIGNED_IN":            "no such kind of event",
		"event=changed_by_command":   "no such kind of event",
		"address=198.51.100":         "address must be an IPv4 or IPv6 address",
		"address=%25":                "address must be an IPv4 or IPv6 address",
		"since=yesterday":            noTime,
		"since=-1":                   noTime,
		"since=1e9":                  noTime,
		"since=99999999999999999999": noTime,
		"since=253402300800":         noTime,
		"since=2026-13-01T00:00:00Z": noTime,
		"since=2026-11-20":           noTime,
		"since=1&since=2":            `parameter "since" is given twice`,
		"username=a%00":              `parameter "username" must not contain control characters or broken text`,
		"page=one":                   `query parameter "page" must be a whole number`,
	} {
		wantRefused(t, query, s.get(t, s.App.AdminToken(), auditRoute+"?"+query), http.StatusBadRequest, message)
	}
}
