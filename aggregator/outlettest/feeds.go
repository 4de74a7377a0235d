package outlettest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// document is one rendered feed or listing, kept until the news changes.
type document struct {
	body, zipped []byte
	etag         string    // without quotation marks
	modified     time.Time // when readers last saw a change
	from, until  time.Time // for what times it was rendered; until zero: no end
}

// document returns what is cached under the key, or renders it.
func (o *Outlet) document(key string, render func() string) *document {
	now := o.now()
	if d := o.docs[key]; d != nil && !now.Before(d.from) && (d.until.IsZero() || now.Before(d.until)) {
		return d
	}
	d := &document{from: now, modified: o.changed}
	for _, a := range o.articles { // by time: the first in the future ends the list
		if a.Published.After(now) {
			d.until = a.Published
			break
		}
		if a.Published.After(d.modified) {
			d.modified = a.Published
		}
	}
	d.body = o.profile.charset.encode(render())
	sum := sha256.Sum256(d.body)
	d.etag = hex.EncodeToString(sum[:8])
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	zw.Write(d.body) // into memory: cannot fail
	zw.Close()
	d.zipped = zipped.Bytes()
	o.docs[key] = d
	return d
}

func (o *Outlet) serveFeed(a *answer, req *http.Request, s section) {
	p := o.profile
	if p.validators == lyingValidators {
		clear(o.docs) // each body has a new time in it
	}
	d := o.document(s.id, func() string { return o.renderFeed(s) })
	switch p.format {
	case atom:
		a.header.Set("Content-Type", "application/atom+xml; charset=utf-8")
	case jsonf:
		a.header.Set("Content-Type", "application/feed+json")
	case rss1:
		a.header.Set("Content-Type", "application/rdf+xml")
	default:
		a.header.Set("Content-Type", "text/xml") // no charset: the document declares it
	}
	o.serveDocument(a, req, d)
}

// serveDocument answers with a document: 304 where that was promised,
// compressed if the client asks for it.
func (o *Outlet) serveDocument(a *answer, req *http.Request, d *document) {
	v := o.profile.validators
	zip := strings.Contains(req.Header.Get("Accept-Encoding"), "gzip")
	etag := `"` + d.etag + `"`
	if zip {
		etag = `"` + d.etag + `-gz"`
	}
	if v == weakEtag {
		etag = `W/"` + d.etag + `"`
	}
	if v != noValidators && v != modifiedOnly {
		a.header.Set("ETag", etag)
	}
	// Within the second of a change Last-Modified cannot tell the versions
	// apart (RFC 9110, section 8.8.2.2), so it is not promised yet.
	settled := o.now().Unix() > d.modified.Unix()
	if settled && (v == bothValidators || v == modifiedOnly || v == lyingValidators) {
		a.header.Set("Last-Modified", d.modified.UTC().Format(http.TimeFormat))
	}
	a.header.Set("Vary", "Accept-Encoding")
	if v != lyingValidators && matches(req, a.header.Get("ETag"), a.header.Get("Last-Modified")) {
		a.status = http.StatusNotModified
		return
	}
	if zip {
		a.header.Set("Content-Encoding", "gzip")
		a.body.Write(d.zipped)
		return
	}
	a.body.Write(d.body)
}

// entry is an article as a feed shows it.
type entry struct {
	*Article
	link, guid string
	permalink  bool // guid is an address
	date       string
	image      string // address, empty if none
	bytes      int    // of the image
}

func (o *Outlet) entry(a *Article, s section) entry {
	p := o.profile
	e := entry{Article: a, link: a.Link, guid: a.GUID, date: a.Date}
	if p.variants {
		e.link = o.variant(a, s)
	}
	if e.date == "" {
		e.date = p.dates(a.Published)
	}
	if e.guid == "" { // the home feed and the sections do not agree on guids
		e.guid, e.permalink = a.Link, true
		if s.topics != nil {
			e.guid, e.permalink = p.id+":"+s.id+":"+a.ID, false
		}
	}
	if p.images && strings.ContainsAny(a.ID[len(a.ID)-1:], "02468") { // every other article has a picture
		e.image, e.bytes = o.URL+"/anh/"+a.ID+".png", len(picture(a.ID))
	}
	return e
}

// variant spells an article's address as feeds with careless links do: the
// home feed and the sections differently, all leading to the same page.
func (o *Outlet) variant(a *Article, s section) string {
	path := strings.TrimPrefix(a.Link, o.URL)
	if s.topics == nil {
		return a.Link + "?utm_source=rss&utm_medium=" + s.id + "&utm_campaign=" + o.ID
	}
	n, _ := strconv.Atoi(a.ID) // a script may give an ID that is no number: variant 0
	forms := []string{
		a.Link + "#rss",
		o.URL + "/amp" + path,
		a.Link + "?fbclid=Iw" + a.ID + "&utm_source=rss",
		strings.Replace(a.Link, "http://", "HTTP://", 1),
	}
	if strings.Contains(o.URL, testDomain) {
		forms = append(forms, strings.Replace(a.Link, "://", "://m.", 1), strings.Replace(a.Link, "://", "://www.", 1))
	}
	return forms[n%len(forms)]
}

func (o *Outlet) renderFeed(s section) string {
	var entries []entry
	for _, a := range o.visible(s.topics, o.profile.window) {
		entries = append(entries, o.entry(a, s))
	}
	switch o.profile.format {
	case atom:
		return o.atom(s, entries)
	case jsonf:
		return o.json(entries)
	case rss1:
		return o.rdf(s, entries)
	}
	if o.profile.junk {
		return o.junkRSS(s, entries)
	}
	return o.rss(s, entries)
}

// esc escapes text for XML.
func esc(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) // into memory: cannot fail
	return b.String()
}

// content is an article's whole text as HTML.
func (e entry) content() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<p><strong>%s</strong></p>", html.EscapeString(e.Lead))
	for _, p := range e.Body {
		fmt.Fprintf(&b, "<p>%s</p>", html.EscapeString(p))
	}
	if e.Credit != "" {
		fmt.Fprintf(&b, `<p class="source">%s</p>`, html.EscapeString(e.Credit))
	}
	return b.String()
}

// description is the summary as Vietnamese feeds write it: HTML with a small
// picture in front, if there is one.
func (e entry) description() string {
	if e.image == "" {
		return html.EscapeString(e.Lead)
	}
	return fmt.Sprintf(`<a href="%s"><img src="%s" alt="" /></a><br />%s`,
		html.EscapeString(e.link), html.EscapeString(e.image), html.EscapeString(e.Lead))
}

func (o *Outlet) rss(s section, entries []entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="%s"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>%s - %s</title>
<link>%s/</link>
<description>%s: tin mới nhất</description>
<language>vi</language>
`, o.profile.charset.label(), esc(o.Name), esc(s.name), esc(o.URL), esc(o.Name))
	if o.profile.validators == lyingValidators {
		fmt.Fprintf(&b, "<lastBuildDate>%s</lastBuildDate>\n", dateRFC822(o.now()))
	}
	for _, e := range entries {
		fmt.Fprintf(&b, "<item>\n<title>%s</title>\n<link>%s</link>\n<guid isPermaLink=\"%t\">%s</guid>\n<pubDate>%s</pubDate>\n",
			esc(e.Title), esc(e.link), e.permalink, esc(e.guid), esc(e.date))
		fmt.Fprintf(&b, "<description><![CDATA[%s]]></description>\n", e.description())
		if o.profile.fullText {
			fmt.Fprintf(&b, "<content:encoded><![CDATA[%s]]></content:encoded>\n", e.content())
		}
		if e.Author != "" {
			fmt.Fprintf(&b, "<dc:creator>%s</dc:creator>\n", esc(e.Author))
		}
		if e.image != "" {
			fmt.Fprintf(&b, "<enclosure url=\"%s\" type=\"image/png\" length=\"%d\"/>\n", esc(e.image), e.bytes)
		}
		b.WriteString("</item>\n")
	}
	b.WriteString("</channel>\n</rss>\n")
	return b.String()
}

func (o *Outlet) atom(s section, entries []entry) string {
	var b strings.Builder
	updated := o.now()
	if len(entries) > 0 {
		updated = entries[0].Published
	}
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="vi">
<title>%s - %s</title>
<id>tag:%s,2024:%s</id>
<link href="%s/"/>
<link rel="self" href="%s"/>
<updated>%s</updated>
<author><name>%s</name></author>
`, esc(o.Name), esc(s.name), o.Domain, s.id, esc(o.URL), esc(o.URL+o.sectionPath(s)), dateRFC3339(updated), esc(o.Name))
	for _, e := range entries {
		changed := e.Published
		if !e.Updated.IsZero() {
			changed = e.Updated
		}
		id := e.GUID
		if id == "" {
			id = fmt.Sprintf("tag:%s,2024:%s/%s", o.Domain, s.id, e.ID)
		}
		fmt.Fprintf(&b, "<entry>\n<title type=\"html\">%s</title>\n<id>%s</id>\n<link rel=\"alternate\" href=\"%s\"/>\n<published>%s</published>\n<updated>%s</updated>\n<summary>%s</summary>\n",
			esc(html.EscapeString(e.Title)), esc(id), esc(e.link), esc(e.date), dateRFC3339(changed), esc(e.Lead))
		if o.profile.fullText {
			fmt.Fprintf(&b, "<content type=\"html\">%s</content>\n", esc(e.content()))
		}
		if e.Author != "" {
			fmt.Fprintf(&b, "<author><name>%s</name></author>\n", esc(e.Author))
		}
		b.WriteString("</entry>\n")
	}
	b.WriteString("</feed>\n")
	return b.String()
}

func (o *Outlet) rdf(s section, entries []entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="%s">
<title>%s - %s</title>
<link>%s/</link>
<description>%s</description>
<items><rdf:Seq>
`, esc(o.URL+o.sectionPath(s)), esc(o.Name), esc(s.name), esc(o.URL), esc(o.Name))
	for _, e := range entries {
		fmt.Fprintf(&b, "<rdf:li rdf:resource=\"%s\"/>\n", esc(e.link))
	}
	b.WriteString("</rdf:Seq></items>\n</channel>\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "<item rdf:about=\"%s\">\n<title>%s</title>\n<link>%s</link>\n<description>%s</description>\n<dc:date>%s</dc:date>\n<dc:creator>%s</dc:creator>\n</item>\n",
			esc(e.guid), esc(e.Title), esc(e.link), esc(e.Lead), esc(e.date), esc(e.Author))
	}
	b.WriteString("</rdf:RDF>\n")
	return b.String()
}

// jsonItem is an item of JSON Feed 1.1.
type jsonItem struct {
	ID        string              `json:"id"`
	URL       string              `json:"url"`
	Title     string              `json:"title"`
	Summary   string              `json:"summary"`
	HTML      string              `json:"content_html"`
	Image     string              `json:"image,omitempty"`
	Published string              `json:"date_published"`
	Modified  string              `json:"date_modified,omitempty"`
	Authors   []map[string]string `json:"authors,omitempty"`
	Tags      []string            `json:"tags,omitempty"`
}

func (o *Outlet) json(entries []entry) string {
	items := make([]jsonItem, 0, len(entries))
	for _, e := range entries {
		it := jsonItem{ID: e.guid, URL: e.link, Title: e.Title, Summary: e.Lead, HTML: e.description(), Image: e.image, Published: e.date}
		if !e.Updated.IsZero() {
			it.Modified = dateRFC3339(e.Updated)
		}
		if e.Author != "" {
			it.Authors = []map[string]string{{"name": e.Author}}
		}
		items = append(items, it)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	enc.Encode(map[string]any{ // strings only: cannot fail
		"version": "https://jsonfeed.org/version/1.1", "title": o.Name, "home_page_url": o.URL + "/",
		"feed_url": o.Feeds[0].URL, "language": "vi", "items": items,
	})
	return b.String()
}

// BrokenItem is the item that the feed with junk holds besides its news: its
// title has a bare < in it, so that no XML parser gets past it, and it has
// neither link nor guid, so that no reader can want it.
const BrokenItem = "<item>\n<title>Giá < 5 triệu & lãi > 10% <img src=a.jpg></title>\n</item>\n"

// junkRSS is what a content management system writes that was patched for
// twenty years: BOM and blank lines in front, CDATA with blank lines,
// undeclared entities, bare ampersands, control characters, one broken item.
func (o *Outlet) junkRSS(s section, entries []entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\ufeff\n<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<rss version=\"2.0\">\n<channel>\n<title>%s &raquo; %s</title>\n<link>%s/</link>\n<description></description>\n",
		o.Name, s.name, o.URL)
	for i, e := range entries {
		if i == 2 {
			b.WriteString(BrokenItem)
		}
		lead := html.EscapeString(e.Lead)
		switch i % 4 {
		case 1:
			lead = strings.Replace(lead, " ", "&nbsp;", 1)
		case 3:
			lead = strings.Replace(lead, " ", " \x08", 1)
		}
		fmt.Fprintf(&b, "<item>\n<title><![CDATA[\n\n  %s\n ]]></title>\n<link>\n%s?utm_source=rss&utm_medium=feed\n</link>\n<pubDate>%s</pubDate>\n<guid>%s</guid>\n",
			e.Title, e.link, e.date, e.guid)
		if e.image != "" {
			fmt.Fprintf(&b, "<image>%s</image>\n", e.image)
		}
		fmt.Fprintf(&b, "<description>%s</description>\n</item>\n", lead)
	}
	b.WriteString("</channel>\n</rss>\n")
	return b.String()
}
