package syndicate

import (
	"fmt"
	"strings"
	"time"

	"diemtin/store"
)

// format is one standard form in which a channel is given out. Routes, Link
// headers, autodiscovery and tests iterate the table, so a new form is one
// more file and one more line.
type format struct {
	name    string   // metric label
	file    string   // last part of the address
	aliases []string // old and guessed names of the file: redirected to it
	media   string   // media type without parameters
	charset string   // parameter of the media type, where it may have one
	render  func(Feed) ([]byte, error)
	entries entryMarks // in its documents; none if no part of one is given out (RFC 3229 knows JSON not)
}

// formats is the whole set, the richest first. JSON has no charset: RFC 8259
// knows only UTF-8.
var formats = []format{
	{"atom", "feed.atom", []string{"atom", "atom.xml"}, "application/atom+xml", "utf-8", renderAtom, entryMarks{entryStart, entryEnd}},
	{"rss", "feed.rss", []string{"feed", "feed.xml", "rss", "rss.xml", "index.xml"}, "application/rss+xml", "utf-8", renderRSS, entryMarks{"<item>", "</item>"}},
	{"json", "feed.json", nil, "application/feed+json", "", renderJSON, entryMarks{}},
}

// contentType is the header that goes with the bytes.
func (f *format) contentType() string {
	if f.charset == "" {
		return f.media
	}
	return f.media + "; charset=" + f.charset
}

// Feed is one channel as it is given out: all that a format needs, and nothing
// that depends on when it is rendered.
type Feed struct {
	Config  *Config
	Channel Channel
	Size    int // the entries asked for by ?n=, 0 if the address has no such part
	Stories []store.Story
	Gone    []store.Tombstone // by place, newest first
	Notes   []entry           // what is no story: such a feed has nothing else

	Doc  store.ArchiveKey // the document of the archive that this is; no Part = the current feed
	Prev store.ArchiveKey // the document of the archive before this; no Part = none
}

// emptySince is the date of a feed that has no entry yet, since Atom demands
// one and the time of rendering is none: the year of this program.
var emptySince = time.Date(2026, time.January, 1, 0, 0, 0, 0, store.Zone)

// updated is the newest change of what the feed shows. It comes from the
// entries and not from the channel's revision, which a change elsewhere may
// raise: same entries, same bytes.
func (f *Feed) updated() time.Time {
	var newest time.Time
	for i := range f.Stories {
		if t := changed(&f.Stories[i]); t.After(newest) {
			newest = t
		}
	}
	for i := range f.Notes {
		if t := f.Notes[i].changed; t.After(newest) {
			newest = t
		}
	}
	for _, g := range f.Gone {
		if g.At.After(newest) {
			newest = g.At
		}
	}
	switch {
	case !newest.IsZero():
		return newest.In(store.Zone)
	case f.Channel.Day != "":
		return f.Channel.Day.Start()
	}
	return emptySince
}

// feedStyle is what browsers show a feed with that take it for XML; Chromium
// shows feeds as text, and with it the comment that follows.
const feedStyle = `<?xml-stylesheet type="text/css" href="/assets/feed.css"?>`

// forPeople puts behind the declaration of a document what helps a person who
// opened it in a browser: the style sheet, and where the page is.
func (f *Feed) forPeople(doc string) []byte {
	page := strings.ReplaceAll(f.alternate(), "--", "%2D%2D") // which no comment may hold
	head, rest, _ := strings.Cut(doc, "?>")
	return []byte(head + "?>\n" + feedStyle + "\n<!-- Đây là nguồn cấp tin: hãy chép địa chỉ của nó vào ứng dụng đọc tin. Trang để đọc: " +
		page + " -->\n" + strings.TrimPrefix(rest, "\n") + "\n")
}

// changed is when readers could last see a change of a story.
func changed(st *store.Story) time.Time {
	if st.Updated.After(st.Listed) {
		return st.Updated
	}
	return st.Listed
}

// title is the channel's, with the site's after it, since a reader lists feeds
// of many sites.
func (f *Feed) title() string {
	site, title := plainName(f.Config.Site.Title), f.Channel.heading()
	if f.Channel.Kind == "all" && f.Channel.Day == "" || title == "" {
		return site
	}
	return title + " – " + site
}

// heading is a channel's title with its day: "Kinh tế: tin ngày 05/11/2024".
func (ch *Channel) heading() string {
	title := plainName(ch.Title.VI)
	switch {
	case ch.Day == "":
		return title
	case ch.Kind == "all":
		return fmt.Sprintf(vietnamese["day.title"], date(ch.Day))
	}
	return fmt.Sprintf(vietnamese["day.channel"], title, date(ch.Day))
}

// description is the channel's own, or what it holds in a sentence.
func (f *Feed) description() string {
	if d := plainText(f.Channel.Description.VI, maxTitle); d != "" {
		return d
	}
	return f.Channel.heading() + ", từ báo, đài và cổng thông tin Việt Nam"
}

// self is the address of the feed itself.
func (f *Feed) self(file string) string {
	if f.Doc.Part > 0 {
		return f.Config.address(archivePath(&f.Channel, f.Doc) + file)
	}
	return f.Config.address(f.Channel.url(file, f.Size))
}

// id is the address that names the channel in every form for ever.
func (f *Feed) id() string {
	if f.Channel.Query != "" {
		return f.Config.address(f.Channel.Path + "?" + f.Channel.Query)
	}
	return f.Config.address(f.Channel.Path)
}

// alternate is the page that shows the same to people.
func (f *Feed) alternate() string { return f.Config.address(f.Channel.url("", 0)) }

// language is the site's, Vietnamese unless set.
func (c *Config) language() string {
	if languageTag.MatchString(c.Site.Language) {
		return c.Site.Language
	}
	return "vi"
}
