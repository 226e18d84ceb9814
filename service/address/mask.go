package address

import (
	"net/netip"
	"strings"
)

// Mask hides the middle of an address, as session lists show it: 1.*.*.4,
// 2001:*::1. An IPv4 address inside an IPv6 one is masked too. What is no
// address stays.
func Mask(addr string) string {
	if !strings.Contains(addr, ":") {
		return maskIPv4(addr)
	}
	if ip, err := netip.ParseAddr(addr); err == nil && ip.Is4In6() {
		return maskIPv4(ip.Unmap().String())
	}
	parts := strings.Split(addr, ":")
	last := len(parts) - 1
	for i, part := range parts {
		if i == 0 || i == last {
			parts[i] = maskIPv4(part)
		} else if part != "" {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ":")
}

func maskIPv4(addr string) string {
	parts := strings.Split(addr, ".")
	if len(parts) != 4 {
		return addr
	}
	return parts[0] + ".*.*." + parts[3]
}
