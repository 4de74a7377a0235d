package aggregator

import (
	"net/netip"
	"testing"
)

func TestClosedAddresses(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
		"64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "fe80::1%eth0"} {
		addr := netip.MustParseAddr(a)
		if a == "::ffff:8.8.8.8" {
			if closed(addr) {
				t.Errorf("%s is closed; the address it wraps is public", a)
			}
			continue
		}
		if !closed(addr) {
			t.Errorf("%s is open", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "103.1.2.3", "2001:4860:4860::8888", "2606:4700::1111", "172.32.0.1", "100.128.0.1"} {
		if closed(netip.MustParseAddr(a)) {
			t.Errorf("%s is closed", a)
		}
	}
}
