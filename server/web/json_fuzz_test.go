package web_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/server/web"
)

// FuzzJSON: what is taken is an object that encoding/json reads the same, and
// binds to the same once more.
func FuzzJSON(f *testing.F) {
	for _, tt := range malformed() {
		if len(tt.body) < 1000 {
			f.Add(tt.body)
		}
	}
	f.Add(`{"username":"\ud83d\ude00\\\"","OTP_code":42,"role":[1],"extra":{"a":[{"b":null}]},"inner":{"path":"/"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var got request
		if err := web.JSON(post("/", "application/json", body), &got); err != nil {
			return
		}
		if !utf8.ValidString(body) || !json.Valid([]byte(body)) {
			t.Fatalf("took %q", body)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var second request
		if err := web.JSON(post("/", "application/json", string(again)), &second); err != nil {
			t.Fatalf("took %q, but not %q: %v", body, again, err)
		}
		if diff := cmp.Diff(got, second, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q and %q differ: %s", body, again, diff)
		}
	})
}
