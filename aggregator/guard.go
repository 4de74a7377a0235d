package aggregator

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"diemtin/store"
)

// closedPrefixes are the addresses that no source of the open net has
// (IANA special-purpose registries, RFC 6890, RFC 6598, RFC 4193): a feed that
// points there asks us to knock on our own doors.
var closedPrefixes = parsePrefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
	"2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8")

func parsePrefixes(all ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range all {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// closed says whether an address belongs to no host of the open net. IPv4
// addresses wrapped in IPv6 are judged by what they wrap.
func closed(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range closedPrefixes {
		if p.Contains(a) {
			return true
		}
	}
	return !a.IsValid()
}

// guardDial is a net.Dialer.Control that judges the address about to be
// connected to, after all name look-ups and on every redirect: a name that
// resolves to a private address is caught where it cannot change any more.
func guardDial(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fault(store.Refused, "address %q cannot be read", address)
	}
	a, err := netip.ParseAddr(host)
	if err != nil || closed(a) {
		return &Fault{Outcome: store.Refused, Err: fmt.Errorf("%s is a private address; allow_private admits it", host)}
	}
	return nil
}

// GuardedClient is an HTTP client for addresses that strangers name. It refuses
// private ones unless the limits admit them, and follows no redirect by itself.
func GuardedClient(l Limits) *http.Client {
	return &http.Client{Transport: newTransport(!l.AllowPrivate), Timeout: time.Duration(l.Timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// proxyGuard judges the target of every request, redirects too, before the
// proxy is asked for it: a proxy connects where we cannot look.
type proxyGuard struct{ next http.RoundTripper }

// RoundTrip resolves the target here and refuses private addresses.
func (g proxyGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := openTarget(req.Context(), req.URL.Hostname()); err != nil {
		return nil, err
	}
	return g.next.RoundTrip(req)
}

func openTarget(ctx context.Context, host string) error {
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, a := range found {
		if closed(a) {
			return fault(store.Refused, "%s is a private address (%s); allow_private admits it", host, a)
		}
	}
	return nil
}
