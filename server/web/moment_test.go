package web_test

import (
	"testing"
	"time"

	"latchkey/server/web"
)

func TestMomentTakesTwoForms(t *testing.T) {
	want := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for query, want := range map[string]time.Time{
		"": {}, "at=": {}, "at=1795176000": want, "at=0": time.Unix(0, 0), "at=253402300799": time.Unix(253_402_300_799, 0),
		"at=2026-11-20T12:00:00Z": want, "at=2026-11-20T13:00:00%2B01:00": want, "at=2026-11-20T13:00:00+01:00": want,
		"at=2026-11-20T12:00:00.5Z": want.Add(time.Second / 2),
	} {
		if got, err := web.Moment(withQuery(query), "at"); err != nil || !got.Equal(want) {
			t.Errorf("Moment(%q) = %v, %v, want %v", query, got, err, want)
		}
	}
	const bad = `query parameter "at" must be an RFC 3339 time or Unix seconds`
	for query, text := range map[string]string{
		"at=x": bad, "at=-1": bad, "at=1.5": bad, "at=1e9": bad, "at=253402300800": bad, "at=99999999999999999999": bad,
		"at=2026-11-20": bad, "at=2026-11-20T12:00:00": bad, "at=2026-13-20T12:00:00Z": bad, "at=1%00": `parameter "at" must not contain control characters or broken text`,
		"at=1&at=1": `parameter "at" is given twice`,
	} {
		t.Run(query, func(t *testing.T) {
			_, err := web.Moment(withQuery(query), "at")
			wantFault(t, err, web.ErrParameter, text)
		})
	}
}
