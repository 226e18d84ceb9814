// Package address owns what is done with the addresses that clients come from:
// how a row shows one, and lists of those that are let in. It must not know how
// a door finds a client's address.
package address

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// Most is how many addresses and networks a list may have.
const Most = 32

// ErrList says that an address or network cannot be read, or that there are
// more than Most.
var ErrList = errors.New("not a list of addresses and networks")

// Networks are the networks that are let in. The zero value lets everybody in;
// a list of which nothing can be read lets nobody in.
type Networks struct {
	limited  bool
	prefixes []netip.Prefix
}

// Canonical writes addresses and networks in one form, sorted and each once,
// with commas between: as sshd's from= takes them. It fails with ErrList.
func Canonical(list []string) (string, error) {
	if len(list) > Most {
		return "", ErrList
	}
	var texts []string
	for _, text := range list {
		p, err := network(text)
		if err != nil {
			return "", err
		}
		texts = append(texts, p.String())
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), ","), nil
}

// Split is the parts of a list that Canonical wrote; nil for an empty one.
func Split(canonical string) []string {
	if canonical == "" {
		return nil
	}
	return strings.Split(canonical, ",")
}

// network reads an address or a network. An IPv4 address written as IPv6 is
// the IPv4 address; a zone says nothing to others.
func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return p, ErrList
	}
	return p.Masked(), nil
}

// Read reads a list as Canonical wrote it. What cannot be read lets nobody in.
func Read(canonical string) Networks {
	n := Networks{limited: canonical != ""}
	for _, text := range Split(canonical) {
		if p, err := netip.ParsePrefix(text); err == nil {
			n.prefixes = append(n.prefixes, p)
		}
	}
	return n
}

// Allow reports whether the address is in one of the networks, or there is no
// list. An IPv4 address inside an IPv6 one is the IPv4 address, and a zone does
// not count. What is no address is let in only where everybody is.
func (n Networks) Allow(addr string) bool {
	if !n.limited {
		return true
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Cover reports whether each of those networks lies in one of these, so that
// they let in nobody whom these do not. Networks that only together cover
// another do not count.
func (n Networks) Cover(those Networks) bool {
	if !n.limited {
		return true
	}
	return those.limited && !slices.ContainsFunc(those.prefixes, func(p netip.Prefix) bool {
		return !slices.ContainsFunc(n.prefixes, func(q netip.Prefix) bool {
			return q.Bits() <= p.Bits() && q.Contains(p.Addr())
		})
	})
}
