package aggregator

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// siteOf is what makes two hosts one outlet: the registrable domain, so that
// "rss.x.vn" and "www.x.vn" are one; an address stays as it is, with its port.
func siteOf(host string) string {
	name, _, _ := strings.Cut(host, ":")
	if _, err := netip.ParseAddr(name); err == nil {
		return host
	}
	return hostKey("https://" + strings.ToLower(host))
}

// outletID is an outlet's id as its site suggests it: "nhandan" of nhandan.vn,
// "thaibinh-gov" of thaibinh.gov.vn.
func outletID(site string) string {
	labels := strings.Split(site, ".")
	if _, err := netip.ParseAddrPort(site); err == nil || len(labels) < 2 {
		return idOf(site)
	}
	id := labels[0]
	if len(labels) > 2 && labels[1] == "gov" {
		id += "-gov"
	}
	return idOf(id)
}

// takenIDs makes ids unique.
type takenIDs map[string]bool

// take returns id, or the first of id-2, id-3, … that is free, and takes it.
func (ids takenIDs) take(id string) string {
	free := id
	for n := 2; ids[free]; n++ {
		free = fmt.Sprintf("%s-%d", id, n)
	}
	ids[free] = true
	return free
}

// idOf makes an id of any text.
func idOf(s string) string {
	id := strings.Trim(notID.ReplaceAllString(vi.Slug(s), "-"), "-")
	if id == "" {
		return "nguon"
	}
	return id
}

var notID = regexp.MustCompile(`[^a-z0-9]+`)

// outletAt is an outlet as the address and its front page suggest it.
func outletAt(u *url.URL, page *goquery.Document) OutletConfig {
	host := strings.TrimPrefix(cleanHost(u), "www.")
	site := siteOf(host)
	o := OutletConfig{ID: outletID(site), Name: site, Domains: []string{site}, Scope: store.National, Show: store.ShowSummary}
	if host != site && !strings.HasPrefix(host, "m.") {
		o.Domains = append(o.Domains, host)
	}
	if page != nil {
		if name := siteName(page, strings.Trim(u.Path, "/") == ""); name != "" {
			o.Name = name
		}
	}
	if strings.HasSuffix(site, ".gov.vn") {
		o.Scope = store.Ministry
	}
	if id := provinceOfSite(site); id != "" {
		o.Scope, o.Province = store.Provincial, id
	}
	return o
}

// siteName is what a page calls its site, or "": a front page's title begins
// with it, any other's ends with it.
func siteName(page *goquery.Document, front bool) string {
	if name := lineOf(page.Find(`meta[property="og:site_name"]`).AttrOr("content", "")); name != "" {
		return cut(name, maxName)
	}
	title := lineOf(page.Find("head title").First().Text())
	for _, sep := range titleSeparators {
		if i, j := strings.Index(title, sep), strings.LastIndex(title, sep); front && i > 0 {
			title = title[:i]
		} else if j > 0 {
			title = title[j+len(sep):]
		}
	}
	return cut(title, maxName)
}

// provinceOfSite is the province that a site is named after: "baohungyen.vn",
// "hungyen.gov.vn", "hungyentv.vn"; or "".
func provinceOfSite(site string) string {
	label, _, _ := strings.Cut(site, ".")
	for _, p := range []string{"bao", "dai", "congthong", "ubnd"} {
		label = strings.TrimPrefix(label, p)
	}
	for _, s := range []string{"tv", "online", "portal", "ptth", "news"} {
		label = strings.TrimSuffix(label, s)
	}
	label = strings.ReplaceAll(label, "-", "")
	for _, p := range vi.Provinces() {
		if strings.ReplaceAll(p.ID, "-", "") == label {
			return p.ID
		}
	}
	return ""
}

// privateHost tells whether a host is an address that the guard refuses.
func privateHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && closed(ip)
}

var (
	feedWords = map[string]bool{"rss": true, "feed": true, "feeds": true, "atom": true, "xml": true, "index": true, "home": true, "default": true, "trang-chu": true}
	numberEnd = regexp.MustCompile(`-[0-9]+$`)
	fileEnd   = regexp.MustCompile(`\.(rss|xml|atom|rdf|json|aspx?|php|html?|gz)`)
)

// sectionOf names the section that a source's address stands for; "home" if
// it names none.
func sectionOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "home"
	}
	parts := strings.Split(fileEnd.ReplaceAllString(strings.Trim(u.Path, "/"), ""), "/")
	for i := len(parts) - 1; i >= 0; i-- {
		name := numberEnd.ReplaceAllString(idOf(parts[i]), "")
		if parts[i] != "" && !feedWords[name] {
			return name
		}
	}
	if u.RawQuery != "" {
		return idOf(u.RawQuery)
	}
	return "home"
}
