package address_test

import (
	"net/netip"
	"strings"
	"testing"

	"latchkey/service/address"
)

func TestMask(t *testing.T) {
	for addr, want := range map[string]string{
		"":                                "",
		"127.0.0.1":                       "127.*.*.1",
		"1.2.3.4":                         "1.*.*.4",
		"2001:db8:85a3:1:2:8a2e:370:7334": "2001:*:*:*:*:*:*:7334",
		"2001:db8::1":                     "2001:*::1",
		"fe80::1":                         "fe80::1",
		"::1":                             "::1",
		"::":                              "::",
		"::ffff:1.2.3.4":                  "1.*.*.4",
		"::FFFF:1.2.3.4":                  "1.*.*.4",
		"0:0:0:0:0:ffff:1.2.3.4":          "1.*.*.4",
		"::ffff:102:304":                  "1.*.*.4",
		"::ffff:1.2.3.4%eth0":             "1.*.*.4",
		"64:ff9b::1.2.3.4":                "64:*::1.*.*.4",
		"fe80::1%eth0":                    "fe80::1%eth0",
		"::*:1.2.3.4":                     "::*:1.*.*.4", // as another program masked it
		"1.2.3.4:80":                      "1.*.*.4:80",
		"1.2.3":                           "1.2.3",
		"1.2.3.4.5":                       "1.2.3.4.5",
		"@":                               "@",
		"localhost":                       "localhost",
	} {
		if got := address.Mask(addr); got != want {
			t.Errorf("Mask(%q) = %q, want %q", addr, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", "::ffff:1.2.3.4", "2001:db8:85a3:1:2:8a2e:370:7334", "::1", "64:ff9b::1.2.3.4", "fe80::1%a:b.c.d.e", "...", "a.b.c.d:e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := address.Mask(in)
		if again := address.Mask(got); again != got {
			t.Fatalf("Mask(%q) = %q, and again %q", in, got, again)
		}
		addr, err := netip.ParseAddr(in)
		if err != nil {
			return
		}
		if addr = addr.Unmap(); addr.Is4() {
			parts := strings.Split(addr.String(), ".")
			if want := parts[0] + ".*.*." + parts[3]; got != want {
				t.Fatalf("Mask(%q) = %q, want %q", in, got, want)
			}
			return
		}
		parts := strings.Split(got, ":")
		for _, part := range parts[1:min(8, len(parts)-1)] {
			if part != "" && part != "*" {
				t.Fatalf("Mask(%q) = %q shows %q", in, got, part)
			}
		}
	})
}
