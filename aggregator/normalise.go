package aggregator

import (
	"encoding/binary"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// Bounds of an item's fields. What is longer is cut with an ellipsis.
const (
	maxTitle      = 400  // characters; the longest headline of the development corpus has 223
	maxSummary    = 4000 // characters
	maxAuthors    = 10
	maxName       = 200 // characters of an author or category
	maxCategories = 30
	maxEnclosures = 10
	maxGUID       = 1000 // bytes
	futureSlack   = 10 * time.Minute
)

// normaliser turns the raw entries of one source into clean items. It is a
// pure function of its fields and the entries.
type normaliser struct {
	outlet   store.Outlet
	source   SourceConfig
	zone     *time.Location
	now      time.Time
	names    *Names
	classify *Classifier
}

// items returns the clean items of a document in its order, and notes in r
// what had to be mended or left out.
func (n *normaliser) items(entries []Entry, r *repairs) []store.Item {
	link := func(e *Entry) string { return strings.TrimSpace(e.Link) }
	guid := func(e *Entry) string { return strings.TrimSpace(e.GUID) }
	sharedLinks := shared(entries, link, func(a, b *Entry) bool { return a.Title != b.Title })
	sharedGUIDs := shared(entries, guid, func(a, b *Entry) bool { return a.Title != b.Title && link(a) != link(b) })
	items := make([]store.Item, 0, len(entries))
	seen := map[string]bool{}
	for i := range entries {
		e := entries[i]
		if sharedGUIDs[guid(&e)] && link(&e) != "" {
			r.add("guid_shared", "articles with other links and headlines have the same guid; it was passed over")
			e.GUID = ""
		}
		it, ok := n.item(&e, sharedLinks[link(&e)], r)
		if !ok {
			continue
		}
		if seen[it.Aliases[0]] {
			r.add("duplicate", "an item that stands twice; the first was kept")
			continue
		}
		seen[it.Aliases[0]] = true
		items = append(items, it)
	}
	return items
}

// shared finds the keys that entries of a document have in common while they
// differ, such as the front page for every link, or "0" for every guid: they
// identify nothing.
func shared(entries []Entry, key func(*Entry) string, differ func(a, b *Entry) bool) map[string]bool {
	last := map[string]*Entry{}
	many := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		k := key(e)
		if k == "" {
			continue
		}
		if before := last[k]; before != nil && differ(before, e) {
			many[k] = true
		}
		last[k] = e
	}
	return many
}

func (n *normaliser) item(e *Entry, sharedLink bool, r *repairs) (store.Item, bool) {
	it := store.Item{Outlet: n.outlet.ID, Source: n.source.ID, Seen: n.now, PublishedRaw: vi.Line(firstNonEmpty(e.Published, e.Updated))}
	var ok bool
	if it.Link, ok = cleanLink(e.Link, e.Base, n.outlet.Domains); !ok {
		if it.Link, ok = cleanLink(e.GUID, "", n.outlet.Domains); !ok {
			r.add("no_link", "an item without a link to its article was left out")
			return it, false
		}
		r.add("guid_as_link", "the guid was taken for the missing link")
	}
	it.Aliases = n.aliases(e, it.Link, sharedLink || isFrontPage(it.Link))
	n.readText(e, &it)
	if it.Title == "" {
		r.add("no_title", "an item without a headline and text was left out")
		return it, false
	}
	n.readDates(e, &it, r)
	n.readPeople(e, &it)
	n.readMedia(e, &it)
	it.Lang = vi.Line(firstNonEmpty(n.source.Lang, e.Lang))
	n.judge(&it)
	if e.page != nil {
		n.readPage(&it, *e.page)
	}
	return it, true
}

// aliases are the item's identities, strongest first.
func (n *normaliser) aliases(e *Entry, link string, shared bool) []string {
	var all []string
	if guid := guidAlias(n.source.ID, e.GUID); guid != "" {
		all = append(all, guid)
	}
	if !shared {
		all = append(all, linkAliases(link, n.outlet.Domains)...)
	}
	if len(all) == 0 { // no guid, and a link that says nothing: the headline must do
		all = append(all, titleAlias(e))
	}
	return all
}

func titleAlias(e *Entry) string { return "title:" + vi.Fold(e.headline()) }

// guidAlias is the identity that a guid gives an item; "" if there is none.
func guidAlias(source, guid string) string {
	if guid = strings.TrimSpace(guid); guid == "" {
		return ""
	}
	if len(guid) > maxGUID {
		guid = strings.ToValidUTF8(guid[:maxGUID], "")
	}
	if key := LinkKey(guid); key != "" {
		guid = key // http or https, with or without www
	}
	return "guid:" + source + ":" + guid
}

func (n *normaliser) readText(e *Entry, it *store.Item) {
	it.Title = cut(e.headline(), maxTitle)
	it.Content = sanitised(e.Content, e.Base)
	it.Summary = cut(linesOf(e.Summary), maxSummary)
	if it.Summary == "" {
		it.Summary = cut(linesOf(it.Content), maxSummary)
	}
	if it.Content == "" && strings.Contains(e.Summary, "<") && utf8.RuneCountInString(it.Summary) > maxLead {
		it.Content = sanitised(e.Summary, e.Base) // the whole article in <description>
	}
	if it.Title == "" {
		it.Title = vi.Truncate(vi.Line(it.Summary), titleSyllables)
	}
	if it.Summary == it.Title {
		it.Summary = ""
	}
}

const (
	// maxLead is the length in characters beyond which a description is an
	// article rather than a lead.
	maxLead = 1000
	// titleSyllables is how much of its text heads an item without a headline.
	titleSyllables = 15
)

// cut shortens to n characters, at a space where one is near.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	runes := []rune(s)[:n-1]
	short := string(runes)
	if i := strings.LastIndexAny(short, " \n"); i > len(short)*4/5 {
		short = short[:i]
	}
	return strings.TrimRight(short, " \n,.;:–-") + "…"
}

func (n *normaliser) readDates(e *Entry, it *store.Item, r *repairs) {
	it.Published = n.date(e.Published, e.Parsed, r)
	it.Updated = n.date(e.Updated, time.Time{}, r)
	if it.Published.IsZero() {
		it.Published = it.Updated
	}
}

// date reads one date: by our own reader first, since gofeed takes GMT+7 for
// UTC and 12/3 for 3 December; a future date is held to now.
func (n *normaliser) date(raw string, parsed time.Time, r *repairs) time.Time {
	if strings.TrimSpace(raw) == "" {
		return time.Time{}
	}
	t, err := vi.ParseDate(raw, vi.DateOptions{Zone: n.zone, Now: n.now})
	switch {
	case err != nil && parsed.IsZero(), err != nil && parsed.Year() < 1990:
		r.add("date_unreadable", vi.Line(raw))
		return time.Time{}
	case err != nil:
		r.add("date_guessed", vi.Line(raw))
		t = parsed
	}
	if t.After(n.now.Add(futureSlack)) {
		r.add("date_future", vi.Line(raw))
		return n.now.UTC()
	}
	if t.After(n.now) {
		return n.now.UTC()
	}
	return t.UTC()
}

func (n *normaliser) readPeople(e *Entry, it *store.Item) {
	for _, a := range e.Authors {
		if a = cut(lineOf(a), maxName); a != "" && !slices.Contains(it.Authors, a) && len(it.Authors) < maxAuthors {
			it.Authors = append(it.Authors, a)
		}
	}
	for _, c := range e.Categories {
		if c = cut(lineOf(c), maxName); c != "" && !slices.Contains(it.Categories, c) && len(it.Categories) < maxCategories {
			it.Categories = append(it.Categories, c)
		}
	}
}

func (n *normaliser) readMedia(e *Entry, it *store.Item) {
	image := firstNonEmpty(e.Image, firstImage(e.Summary), firstImage(e.Content))
	it.Image, _ = cleanLink(image, e.Base, nil)
	for _, enc := range e.Enclosures {
		u, ok := cleanLink(enc.URL, e.Base, nil)
		if !ok || len(it.Enclosures) >= maxEnclosures {
			continue
		}
		length, _ := strconv.ParseInt(strings.TrimSpace(enc.Length), 10, 64)
		it.Enclosures = append(it.Enclosures, store.Enclosure{URL: u, Type: vi.Line(enc.Type), Length: max(length, 0)})
	}
}

// judge adds what follows from the text alone: whose it is, where it happens,
// what it is about, under which keys its copies are found.
func (n *normaliser) judge(it *store.Item) {
	body := plainText(it.Content)
	it.Attribution = ReadAttribution(it.Summary, it.Content, n.names)
	if it.Attribution.Outlet == it.Outlet {
		it.Attribution = store.Attribution{}
	}
	text := Text{Title: it.Title, Summary: it.Summary, Body: body, Section: n.source.Topic, Scope: n.outlet.Scope}
	it.Topics = n.classify.Classify(text)
	it.Province = ProvinceOf(text, it.Topics, homeOf(it.Attribution, n.outlet))
	NewMatcher(n.names).Prepare(it, nil)
	it.Fingerprint = fingerprint(it, n.outlet.Domains)
}

// homeOf is where an outlet's item happens if nothing tells: the outlet's
// province, unless another outlet wrote it, about who knows where.
func homeOf(a store.Attribution, o store.Outlet) string {
	if a.Outlet != "" {
		return ""
	}
	return o.Province
}

// readPage adds what the item's own page tells, which was read for the listing:
// its text finds copies, its province and its topics as a text in the feed would.
func (n *normaliser) readPage(it *store.Item, p ArticlePage) {
	it.Page = keeper{outlet: n.outlet, source: n.source, names: n.names, classify: n.classify}.article(it, p)
	it.Text = it.Page.Text
	if it.Attribution.Text == "" {
		it.Attribution = it.Page.Attribution
	}
	if len(it.Topics) == 0 {
		it.Topics = it.Page.Topics
	}
	it.Province = firstNonEmpty(it.Page.Province, it.Province)
	if len(it.Page.Sketch) > 0 {
		it.Sketch, it.Form, it.Lines, it.Names = it.Page.Sketch, it.Page.Form, it.Page.Lines, it.Page.Names
	}
	it.Fingerprint = fingerprint(it, n.outlet.Domains)
}

// ProvinceOf returns the id of the province that a text is about: the one its
// headline or summary names, or else, unless its primary topic is other
// countries or the country's dealings with them, the one that the body is
// surely about, or else home, its outlet's. "" if there is none.
func ProvinceOf(t Text, topics []store.ItemTopic, home string) string {
	if named, _ := vi.ProvinceIn(t.Title, t.Summary); named != "" {
		return named
	}
	if len(topics) > 0 && (topics[0].Topic == worldTopic || topics[0].Topic == diplomacyTopic) {
		return ""
	}
	var besides []string
	if home != "" {
		besides = append(besides, home)
	}
	return firstNonEmpty(vi.ProvinceInText(t.Body, besides...), home)
}

// The topics of the shipped rules that no province is at the centre of.
const (
	worldTopic     store.Topic = "the-gioi"
	diplomacyTopic store.Topic = "doi-ngoai"
)

// fingerprint changes when a reader would see a change: the headline, the
// summary as far as feeds show it, the people, the picture, the link, the
// attribution. A view counter is none, nor is a move of the outlet's from one
// of its domains to another: some readers know an entry by its link, which
// stays.
func fingerprint(it *store.Item, domains []string) uint64 {
	h := fnv.New64a()
	write := func(s string) {
		var size [8]byte
		binary.LittleEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		h.Write([]byte(s))
	}
	write(it.Title)
	write(vi.Truncate(withoutCounters(it.Summary), shownSyllables))
	write(oneDomain(LinkKey(it.Link), domains))
	write(it.Image)
	write(it.Attribution.Text)
	for _, a := range it.Authors {
		write(a)
	}
	return h.Sum64()
}

// oneDomain is a link's key under the first of an outlet's domains if it is
// under one of them.
func oneDomain(key string, domains []string) string {
	host, rest, _ := strings.Cut(key, "/")
	if !slices.Contains(domains, host) {
		return key
	}
	return domains[0] + "/" + rest
}

// counters are how pages count their readers within a text: "Lượt xem: 1.234",
// "(12 bình luận)".
var counters = regexp.MustCompile(`(?i)[([]?\s*(?:(?:số )?(?:lượt (?:xem|đọc|thích|truy cập)|bình luận|views?|comments?)\s*:?\s*\d[\d.,]*[km]?|` +
	`\d[\d.,]*[km]?\s*(?:lượt (?:xem|đọc|thích|truy cập)|bình luận|views?|comments?)\b)\s*[)\]]?`)

// withoutCounters returns a text without them: they move by themselves, and
// nobody wants to be told.
func withoutCounters(s string) string {
	if !strings.ContainsAny(s, "0123456789") {
		return s
	}
	return strings.TrimSpace(counters.ReplaceAllString(s, ""))
}

// shownSyllables is how much of a summary is ever given out again.
const shownSyllables = 60
