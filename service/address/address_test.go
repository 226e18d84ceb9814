package address_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"latchkey/service/address"
)

func TestCanonical(t *testing.T) {
	for given, want := range map[string]string{
		"":                                    "",
		"192.0.2.7":                           "192.0.2.7/32",
		"192.0.2.7/24":                        "192.0.2.0/24",
		"::ffff:192.0.2.7":                    "192.0.2.7/32",
		"2001:DB8::1,192.0.2.7,2001:db8:0::1": "192.0.2.7/32,2001:db8::1/128",
	} {
		got, err := address.Canonical(address.Split(given))
		if err != nil || got != want {
			t.Errorf("Canonical(%q) = %q, %v, want %q", given, got, err, want)
		}
	}
	many := make([]string, address.Most+1)
	for i := range many {
		many[i] = fmt.Sprintf("192.0.2.%d", i)
	}
	for _, bad := range []string{
		"localhost", "192.0.2.7:22", "192.0.2.256", "fe80::1%eth0", "::ffff:192.0.2.0/120", "192.0.2.0/33", " 192.0.2.7", strings.Join(many, ","),
	} {
		if got, err := address.Canonical(address.Split(bad)); !errors.Is(err, address.ErrList) {
			t.Errorf("Canonical(%q) = %q, %v, want ErrList", bad, got, err)
		}
	}
}

func TestNetworksAllow(t *testing.T) {
	limited, broken := address.Read("192.0.2.0/24,2001:db8::/32"), address.Read("everywhere")
	for addr, want := range map[string]bool{
		"192.0.2.0": true, "192.0.2.255": true, "::ffff:192.0.2.7": true, "2001:db8:ffff::1": true, "2001:db8::1%eth0": true,
		"192.0.3.0": false, "2001:db9::1": false, "": false, "localhost": false, "192.0.2.7:22": false,
	} {
		if got := limited.Allow(addr); got != want {
			t.Errorf("Allow(%q) = %v, want %v", addr, got, want)
		}
		if !(address.Networks{}).Allow(addr) || !address.Read("").Allow(addr) {
			t.Errorf("without a list, %q is not let in", addr)
		}
		if broken.Allow(addr) {
			t.Errorf("a list that cannot be read lets %q in", addr)
		}
	}
}

func TestNetworksCover(t *testing.T) {
	for name, tt := range map[string]struct {
		wide, narrow string
		want         bool
	}{
		"no list covers all":              {"", "192.0.2.0/24", true},
		"no list covers no list":          {"", "", true},
		"a list does not cover no list":   {"0.0.0.0/0,::/0", "", false},
		"the same":                        {"192.0.2.0/24", "192.0.2.0/24", true},
		"a part":                          {"192.0.2.0/24,2001:db8::/32", "192.0.2.7/32", true},
		"a part of each":                  {"192.0.2.0/24,2001:db8::/32", "192.0.2.7/32,2001:db8:1::/48", true},
		"one address more":                {"192.0.2.0/24", "192.0.2.7/32,192.0.3.1/32", false},
		"a wider one":                     {"192.0.2.0/24", "192.0.0.0/16", false},
		"all of IPv4 is not IPv6":         {"0.0.0.0/0", "2001:db8::/32", false},
		"halves are not seen as a whole":  {"192.0.2.0/25,192.0.2.128/25", "192.0.2.0/24", false},
		"what cannot be read lets nobody": {"192.0.2.0/24", "everywhere", true},
	} {
		if got := address.Read(tt.wide).Cover(address.Read(tt.narrow)); got != tt.want {
			t.Errorf("%s: Cover = %v, want %v", name, got, tt.want)
		}
	}
}
