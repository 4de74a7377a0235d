package aggregator

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// trackingParams are query parameters that say how a reader came, never what
// she reads. A name that ends in "_" stands for all that begin with it.
var trackingParams = []string{
	"utm_", "itm_", "mc_", "pk_", "mtm_", "hsa_", "vn_", "_hs", "stm_",
	"fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid", "igshid", "zarsrc", "zclid",
	"_ga", "_gl", "dicbo", "cx_source", "cx_", "spm", "ref_src", "ref_url", "cmpid", "ocid", "ncid", "s_cid", "at_medium", "at_campaign",
	"guccounter", "guce_referrer", "guce_referrer_sig",
}

func isTracking(name string) bool {
	name = strings.ToLower(name)
	for _, p := range trackingParams {
		if name == p || strings.HasSuffix(p, "_") && strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// fromRSS are parameters that say how a reader came by their value alone.
var fromRSS = map[string]bool{"source=rss": true, "src=rss": true, "from=rss": true, "ref=rss": true, "via=rss": true, "rss=1": true}

// maxLink bounds an address, as servers and readers do.
const maxLink = 2048

// cleanLink makes an item's address absolute and canonical: without tracking
// parameters, fragment, default port or user name, and, where the outlet's
// domains say that it is the same site, without a mobile or AMP host. Only
// http and https addresses with a host are links.
func cleanLink(raw, base string, domains []string) (string, bool) {
	raw = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1 // zero-width spaces come with copied addresses
		}
		return r
	}, strings.TrimSpace(raw))
	if raw == "" || len(raw) > maxLink {
		return "", false
	}
	u, err := url.Parse(strings.ReplaceAll(raw, " ", "%20"))
	if err != nil {
		return "", false
	}
	b, err := url.Parse(base)
	if err != nil {
		b = new(url.URL) // for what needs no base
	}
	u = b.ResolveReference(u)
	u.Scheme = strings.ToLower(u.Scheme)
	if u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	if u.Host = cleanHost(u); u.Host == "" || u.Host[0] == ':' {
		return "", false
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	u.RawQuery = cleanQuery(u.RawQuery)
	u.ForceQuery = false
	if bare, special := bareHost(u.Host); special && slices.Contains(domains, bare) {
		u.Host = bare
		u.Path, u.RawPath = withoutAMP(u.Path), ""
		u = new(url.URL).ResolveReference(u) // "/..amp" has become "/."
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), true
}

func cleanHost(u *url.URL) string {
	host := strings.TrimRight(strings.ToLower(u.Hostname()), ".")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = strings.TrimRight(ascii, ".") // of another script
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p := u.Port(); p != "" && !(u.Scheme == "http" && p == "80") && !(u.Scheme == "https" && p == "443") {
		host += ":" + p
	}
	return host
}

// cleanQuery drops tracking parameters and keeps the others as they stand.
func cleanQuery(raw string) string {
	if raw == "" {
		return ""
	}
	var kept []string
	for _, p := range strings.Split(raw, "&") {
		name, _, _ := strings.Cut(p, "=")
		if name == "" || isTracking(name) || fromRSS[strings.ToLower(p)] {
			continue
		}
		kept = append(kept, p)
	}
	return strings.Join(kept, "&")
}

// bareHost takes a mobile or AMP label off a host; special says whether there
// was one.
func bareHost(host string) (bare string, special bool) {
	for _, prefix := range []string{"m.", "mobile.", "amp."} {
		if rest, ok := strings.CutPrefix(host, prefix); ok && strings.Contains(rest, ".") {
			return rest, true
		}
	}
	return host, false
}

// withoutAMP takes the mark of an AMP page off a path.
func withoutAMP(path string) string {
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/amp/"), "/amp")
	if rest, ok := strings.CutPrefix(path, "/amp/"); ok {
		path = "/" + rest
	}
	for _, ext := range []string{".amp", "-amp.html", ".amp.html"} {
		if rest, ok := strings.CutSuffix(path, ext); ok {
			if strings.HasSuffix(ext, ".html") {
				rest += ".html"
			}
			return rest
		}
	}
	return path
}

// LinkKey is what makes two addresses the same article: the canonical link
// without scheme, "www.", mobile and AMP marks, trailing slash or index page.
// It returns "" for what is no link.
func LinkKey(link string) string {
	clean, ok := cleanLink(link, "", nil)
	if !ok {
		return ""
	}
	u, err := url.Parse(clean)
	if err != nil {
		return ""
	}
	host, _ := bareHost(strings.TrimPrefix(u.Host, "www."))
	path := strings.TrimSuffix(withoutAMP(u.EscapedPath()), "/")
	path = strings.TrimSuffix(path, "/index.html")
	key := host + path
	if q := withoutAMPQuery(u.RawQuery); q != "" {
		key += "?" + q
	}
	return key
}

// isFrontPage says whether a canonical link leads to a site rather than to an
// article of it.
func isFrontPage(link string) bool {
	return !strings.ContainsAny(LinkKey(link), "/?")
}

func withoutAMPQuery(q string) string {
	parts := strings.Split(q, "&")
	parts = slices.DeleteFunc(parts, func(p string) bool {
		return p == "amp" || p == "amp=1" || p == "outputType=amp" || p == "m=1"
	})
	return strings.Join(parts, "&")
}

// linkAliases are the identities a link gives an item: its key, and the same
// under the outlet's other domains, since outlets move.
func linkAliases(link string, domains []string) []string {
	key := LinkKey(link)
	if key == "" {
		return nil
	}
	aliases := []string{"link:" + key}
	host, rest, _ := strings.Cut(key, "/")
	if !slices.Contains(domains, host) {
		return aliases
	}
	for _, d := range domains {
		if d != host {
			aliases = append(aliases, "link:"+d+"/"+rest)
		}
	}
	return aliases
}
