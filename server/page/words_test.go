package page_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/service/fault"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 seconds", time.Millisecond: "1 second", time.Second: "1 second", 1500 * time.Millisecond: "2 seconds", 59 * time.Second: "59 seconds",
		time.Minute: "1 minute", 61 * time.Second: "61 seconds", 119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes", 121 * time.Second: "3 minutes",
		time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 2*time.Hour + 1: "3 hours", 24 * time.Hour: "1 day", 47 * time.Hour: "47 hours",
		90 * 24 * time.Hour: "90 days",
	} {
		if got := page.Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for _, tt := range []struct {
		f     *fault.Error
		want  string
		after string
	}{
		{fault.New(fault.Invalid, "x", "too short"), "Too short.", ""},
		{fault.New(fault.Invalid, "x", "Ärger."), "Ärger.", ""},
		{fault.New(fault.Invalid, "x", "älter"), "Älter.", ""},
		{fault.New(fault.Invalid, "x", ""), "", ""},
		{fault.New(fault.TooMany, "x", "too often").After(90500 * time.Millisecond), "Too often. The next try is possible in 91 seconds.", "91"},
	} {
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		if got := page.Sentence(c, tt.f); got != tt.want || w.Header().Get("Retry-After") != tt.after {
			t.Errorf("Sentence = %q, Retry-After %q, want %q, %q", got, w.Header().Get("Retry-After"), tt.want, tt.after)
		}
	}
}
