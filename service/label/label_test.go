package label_test

import (
	"strings"
	"testing"

	"latchkey/service/label"
)

func TestIsName(t *testing.T) {
	for text, want := range map[string]bool{
		"a": true, "my  key": true, "Ключ 鍵 می\u200cخواهم": true, "👩\u200d💻": true, strings.Repeat("ü", 8): true,
		"": false, "  ": false, "\u200d": false, "\u3164": false, "a\nb": false, "a\x00": false, "\x1b[31m": false,
		"a\u202eb": false, "\ufeffa": false, "a\xff": false, strings.Repeat("ü", 20): false,
	} {
		if got := label.IsName(text, 19); got != want {
			t.Errorf("IsName(%q) = %v, want %v", text, got, want)
		}
	}
}
