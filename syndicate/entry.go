package syndicate

import (
	"html"
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// maxSummary is the most that is given out of an outlet's own summary, in
// syllables: enough to choose by, too little to replace the article.
const maxSummary = 60

// maxSummaryChars bounds a summary that has no syllables to count: sixty of
// the longest ("nghiêng" and a space) are 480 characters.
const maxSummaryChars = 800

// minuteLayout is how readers see a moment: 14:15 05/11/2024.
const minuteLayout = "15:04 02/01/2006"

// dayLayout is how readers see a day: 05/11/2024.
const dayLayout = "02/01/2006"

// entry is one story as all formats give it out: the quoted item, whole, in
// text and addresses that are safe to write anywhere.
type entry struct {
	id       string       // the same in all formats, on every replica, under any host
	story    *store.Story // nil: it is none of an outlet's, but the site's own
	title    string
	link     string // the outlet's own article
	via      string // the original's address, if it is another item
	lang     string // empty = the feed's
	outlet   outletRef
	authors  []string // empty = the outlet signs
	created  time.Time
	changed  time.Time
	summary  string // plain text, empty if the outlet allows none
	body     string // HTML: whose it is, then the summary
	topics   []category
	province category
	image    image
}

// outletRef is an outlet as a feed names it.
type outletRef struct {
	id, name, home string
}

// category is a topic or a province: its id, its name and the address below
// which its kind is found.
type category struct {
	term, label, scheme string
}

// image is a picture that an outlet lets others show.
type image struct {
	url    string
	media  string // media type, empty if unknown
	length int64  // bytes, 0 if unknown
}

// storyURN is the permanent id of an entry. It holds the story's id and
// nothing else: no host that may move, no headline that may change, and it is
// the same in every feed and format, so that readers see a story once. A tag:
// URI would need a host name of ours that outlives every operator; there is
// none.
func storyURN(id string) string { return "urn:diemtin:story:" + id }

// entry prepares one story for the formats.
func (f *Feed) entry(st *store.Story) entry {
	e := f.Config.quote(st)
	e.topics = f.Config.topicCategories(st.Topics)
	e.province = f.Config.provinceCategory(st.Province)
	original := f.Config.otherOriginal(st)
	e.via = original.Href
	e.body = f.body(&e, original.Text)
	return e
}

// quote is an entry as far as the item that it quotes tells: without topics,
// province, original and body.
func (c *Config) quote(st *store.Story) entry {
	it := &st.Quoted
	e := entry{
		id:      storyURN(st.ID),
		story:   st,
		title:   plainText(it.Title, maxTitle),
		link:    webLink(it.Link),
		summary: summary(it, &st.Outlet, maxSummary),
		outlet:  c.refer(&st.Outlet, it.Link),
		created: st.Shown.In(store.Zone),
		changed: changed(st).In(store.Zone),
	}
	if e.title == "" {
		e.title = untitled(e.outlet.name)
	}
	if e.link == "" {
		e.link = c.address("/stories/" + st.ID)
	}
	if it.Lang != c.language() && languageTag.MatchString(it.Lang) {
		e.lang = it.Lang
	}
	e.authors = authors(it)
	if st.Outlet.Images {
		e.image = picture(it)
	}
	return e
}

// authors are those who sign an item, each once.
func authors(it *store.Item) []string {
	var names []string
	for _, a := range it.Authors {
		if a = plainName(a); a != "" && !slices.Contains(names, a) {
			names = append(names, a)
		}
	}
	return names
}

// untitled is the headline of an item that has none.
func untitled(outlet string) string { return "Tin của " + outlet }

// summary is what an outlet lets others show of its own summary, at most n
// syllables of it; empty if no more than the headline.
func summary(it *store.Item, o *store.Outlet, n int) string {
	if o.Show != store.ShowSummary {
		return ""
	}
	return shorten(vi.Truncate(scrub(it.Summary), min(n, maxSummary)), maxSummaryChars)
}

// refer names an outlet. Its home is that of its first domain, or of its
// article if it has none, or else its page here.
func (c *Config) refer(o *store.Outlet, link string) outletRef {
	ref := outletRef{id: o.ID, name: plainName(o.Name)}
	if len(o.Domains) > 0 {
		ref.home = webLink("https://" + o.Domains[0] + "/")
	}
	if u, err := url.Parse(webLink(link)); ref.home == "" && err == nil && u.Host != "" {
		ref.home = u.Scheme + "://" + u.Host + "/"
	}
	if ref.home == "" {
		ref.home = c.address("/outlets/" + o.ID + "/")
	}
	if ref.name == "" {
		ref.name = o.ID
	}
	return ref
}

// otherOriginal names the original of a story, by its outlet, and its address;
// the zero link if it is the item quoted, or may not be shown.
func (c *Config) otherOriginal(st *store.Story) link {
	to := webLink(st.Original.Link)
	if st.Original.ID == st.Quoted.ID || to == "" || to == webLink(st.Quoted.Link) {
		return link{}
	}
	if o := c.outlet(st.Original.Outlet); o != nil {
		if o.Show == store.ShowNone {
			return link{}
		}
		return link{Text: plainName(o.Name), Href: to}
	}
	u, err := url.Parse(to)
	if err != nil {
		return link{}
	}
	return link{Text: u.Hostname(), Href: to}
}

// body is the visible part: whose text it is, the summary, where the original
// stands and when it changed. Readers rarely show <source>, so the first line
// says it.
func (f *Feed) body(e *entry, original string) string {
	var b strings.Builder
	b.WriteString("<p>Nguồn: " + anchor(e.link, e.outlet.name))
	if from := f.Config.attribution(&e.story.Quoted, &e.story.Outlet); from.Text != "" {
		b.WriteString(" (theo " + anchor(from.Href, from.Text) + ")")
	}
	b.WriteString("</p>")
	if e.summary != "" {
		b.WriteString("<p>" + html.EscapeString(e.summary) + "</p>")
	}
	if e.via != "" {
		b.WriteString("<p>Bản gốc: " + anchor(e.via, original) + "</p>")
	}
	if e.changed.Sub(e.story.Listed) >= time.Minute { // what a reader can tell apart
		b.WriteString("<p>Cập nhật lúc " + clock(e.changed) + "</p>")
	}
	return b.String()
}

// attribution is what an item itself says about where its text comes from; the
// zero link if nothing, or only its own outlet, or only that it was put together.
func (c *Config) attribution(it *store.Item, own *store.Outlet) link {
	at := it.Attribution
	if at.Outlet != "" && at.Outlet == own.ID || at.Text == store.AttributionCompiled {
		return link{}
	}
	text := plainName(at.Text)
	if o := c.outlet(at.Outlet); text == "" && o != nil {
		text = plainName(o.Name)
	}
	if text == "" || vi.Fold(text) == vi.Fold(plainName(own.Name)) {
		return link{}
	}
	return link{Text: text, Href: webLink(at.Link)}
}

// anchor is a link in HTML, or the text alone if there is no address.
func anchor(href, text string) string {
	text = html.EscapeString(text)
	if href == "" {
		return text
	}
	return `<a href="` + html.EscapeString(href) + `">` + text + `</a>`
}

// picture is the item's image, with what its enclosure or its name tells about
// the file.
func picture(it *store.Item) image {
	img := image{url: webLink(it.Image)}
	if img.url == "" {
		return image{}
	}
	for _, e := range it.Enclosures {
		if e.URL == it.Image && strings.HasPrefix(e.Type, "image/") {
			img.media, img.length = mediaType(e.Type), max(e.Length, 0)
		}
	}
	if u, err := url.Parse(img.url); err == nil && img.media == "" {
		img.media = imageTypes[strings.ToLower(path.Ext(u.Path))]
	}
	return img
}

// imageTypes tells the kind of a picture by its name. It is not the system's
// table: that differs between machines, and with it the bytes of a feed.
var imageTypes = map[string]string{
	".avif": "image/avif", ".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
	".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp",
}

// mediaType is s without parameters, or nothing if it is no media type.
func mediaType(s string) string {
	t, _, err := mime.ParseMediaType(scrub(s))
	if err != nil {
		return ""
	}
	return t
}

// topicCategories names topics, primary first. One that feeds.yaml no longer
// has keeps its id as its name.
func (c *Config) topicCategories(ids []store.Topic) []category {
	cats := make([]category, 0, len(ids))
	for _, id := range ids {
		cat := category{string(id), string(id), c.address("/topics/")}
		if i := slices.IndexFunc(c.Topics, func(t store.TopicInfo) bool { return t.ID == id }); i >= 0 {
			cat.label = plainName(c.Topics[i].VI)
		}
		cats = append(cats, cat)
	}
	return cats
}

// provinceCategory names a province; the zero category for none.
func (c *Config) provinceCategory(id string) category {
	if id == "" {
		return category{}
	}
	cat := category{id, id, c.address("/provinces/")}
	if p := c.place(id); p != nil {
		cat.label = plainName(p.Name)
	}
	return cat
}

// categories lists all of an entry, topics first.
func (e *entry) categories() []category {
	if e.province.term == "" {
		return e.topics
	}
	return append(slices.Clip(e.topics), e.province)
}

// address is the absolute address of a path of this site.
func (c *Config) address(path string) string { return webLink(c.Site.BaseURL + path) }
