package syndicate

import (
	"net/url"
	"strings"
	"time"

	"diemtin/store"
)

// hardCase is a feed that breaks careless writers.
type hardCase struct {
	name  string
	feed  Feed
	title string // of the first entry, as a reader must show it; empty = not judged
}

// hardCases are all feeds of everything, so that they share one address.
func hardCases() []hardCase {
	outlets := sampleConfig().Outlets
	o := outlets[0]
	one := func(change func(*store.Item)) Feed {
		return sampleFeed("", "", sampleStory(1, o, quoted(change)))
	}
	title := func(s string) Feed { return one(func(it *store.Item) { it.Title = s }) }
	long := strings.Repeat("Nghị quyết ", 1000) // 11,000 characters
	return []hardCase{
		{name: "no entry", feed: sampleFeed("", "")},
		{name: "one entry", feed: one(func(*store.Item) {}), title: "Xã Bắc Hà khai giảng lớp học thứ 1"},
		{name: "300 entries", feed: sampleFeed("", "", manyStories(300, o)...)},
		{name: "100 entries of one second", feed: sampleFeed("", "", sameSecond(100, o)...)},
		{name: "no date", feed: one(func(it *store.Item) { it.Published = time.Time{} })},
		{name: "date ahead of the listing", feed: one(func(it *store.Item) { it.Published = it.Published.Add(3 * time.Hour) })},
		{name: "no summary", feed: one(func(it *store.Item) { it.Summary = "" })},
		{name: "endless summary", feed: one(func(it *store.Item) { it.Summary = strings.Repeat("a", 50_000) })},
		{name: "no title", feed: title(""), title: "Tin của Báo Trung Ương"},
		{name: "no topic", feed: sampleFeed("", "", sampleStory(1, o, func(st *store.Story) { st.Topics = nil }))},
		{name: "unknown topic and province", feed: sampleFeed("", "", sampleStory(1, o, func(st *store.Story) {
			st.Topics, st.Province = []store.Topic{"da-bo"}, "khong-con"
		}))},
		{name: "angle bracket and ampersand", feed: title(`Lãi suất < 5% & tăng > 3%`), title: `Lãi suất < 5% & tăng > 3%`},
		{name: "bracket before a digit", feed: title(`Xe <5 tỷ`), title: `Xe <5 tỷ`},
		{name: "tag", feed: title(`Thẻ <b>đậm</b> trong <!-- tin -->`), title: `Thẻ ‹b›đậm‹/b› trong ‹!-- tin --›`},
		{name: "open tag", feed: title(`Giá <script src=x`), title: `Giá ‹script src=x`},
		{name: "escaped twice", feed: title(`Tin &amp;amp; &lt;i&gt;bài&lt;/i&gt;&nbsp;mới`), title: `Tin & ‹i›bài‹/i› mới`},
		{name: "ampersand before a word", feed: title(`Hỏi &đáp, R&D, Q&A2, &5, &copysửa`), title: `Hỏi &đáp, R&D, Q&A2, &5, ©sửa`},
		{name: "quotes", feed: title(`"Nói" và 'làm' “đi đôi”`), title: `"Nói" và 'làm' “đi đôi”`},
		{name: "emoji", feed: title("Cả nhà 👨‍👩‍👧 vui ❤️ 🇻🇳"), title: "Cả nhà 👨‍👩‍👧 vui ❤️ 🇻🇳"},
		{name: "bidirectional", feed: title("Tin \u202Eđảo\u202C và \u2067שלום\u2069 hết"), title: "Tin đảo và שלום hết"},
		{name: "10,000 characters", feed: title(long)},
		{name: "10,000 characters without a space", feed: title(strings.Repeat("ạ", 10_000))},
		{name: "control characters", feed: title("A\x00B\x08C\x1FD\u0085E\u009CF\uFFFEG\uFFFFH\uFDD0I\U0001FFFFJ"), title: "ABCD EFGHIJ"},
		{name: "cut UTF-8", feed: title("Đồng b\xE1\xBA, \xFFhết\xC3"), title: "Đồng b, hết"},
		{name: "replacement and invisible", feed: title("\uFEFFMột\u200B hai\uFFFD ba\u2060"), title: "Một hai ba"},
		{name: "white space", feed: title("\n\tMột\r\n  hai\u00A0ba \u2028 bốn\v"), title: "Một hai ba bốn"},
		{name: "only what is scrubbed", feed: title("\x00\u200B \uFFFE"), title: "Tin của Báo Trung Ương"},
		{name: "CDATA end mark", feed: one(func(it *store.Item) {
			it.Title, it.Summary = "Hết ]]> rồi", "<![CDATA[ một ]]> hai ]]&gt; ]]>"
		}), title: "Hết ]]> rồi"},
		{name: "markup in the summary", feed: one(func(it *store.Item) {
			it.Summary = `<script>alert(1)</script><img src=x onerror=alert(1)> & &nbsp; "x" <a href="/y">`
		})},
		{name: "control characters everywhere", feed: dirty("\x00x\uFFFE\xFFy]]>\u202E<b>&amp;\"'\x1B")},
		{name: "IRI", feed: one(func(it *store.Item) {
			it.Link = "https://báo-mới.vn/tin tức/đảng?q=xây dựng&x=[1]|{2}#mục lục#2"
		})},
		{name: "half escaped link", feed: one(func(it *store.Item) { it.Link = "HTTPS://User:pw@Laocai.Example.VN:8443/100%/%C3%AA/%zz\\x" })},
		{name: "no usable link", feed: one(func(it *store.Item) { it.Link = "javascript:alert(1)" })},
		{name: "no domain, no link", feed: sampleFeed("", "", sampleStory(1, o, func(st *store.Story) {
			st.Outlet.Domains, st.Quoted.Link = nil, ""
		}))},
		{name: "odd image", feed: one(func(it *store.Item) {
			it.Image = "https://trunguong.example.vn/ảnh bìa?id=1&w=2"
			it.Enclosures = []store.Enclosure{{URL: it.Image, Type: "image/\x00<b>", Length: -1}}
		})},
		{name: "unknown language", feed: one(func(it *store.Item) { it.Lang = "tiếng Việt\x00" })},
		{name: "other original", feed: sampleFeed("", "", sampleStory(1, o, func(st *store.Story) {
			st.Original = sampleStory(2, outlets[1], quoted(func(it *store.Item) { it.Link = "https://laocai.example.vn/bài gốc" })).Quoted
			st.Updated = st.Listed.Add(time.Hour)
		}))},
	}
}

func manyStories(n int, o store.Outlet) []store.Story {
	stories := make([]store.Story, n)
	for i := range stories {
		stories[i] = sampleStory(i, o)
	}
	return stories
}

// sameSecond are stories that appeared in one second, told apart by
// milliseconds as the store promises.
func sameSecond(n int, o store.Outlet) []store.Story {
	stories := manyStories(n, o)
	for i := range stories {
		stories[i].Quoted.Published = at("14:15:00.000")
		stories[i].Listed = at("14:20:00.000").Add(time.Duration(i) * time.Millisecond)
		stories[i].Updated = stories[i].Listed
	}
	return stories
}

// dirty puts bad into every text that comes from outside or from feeds.yaml.
func dirty(bad string) Feed {
	f := sampleFeed("", "")
	f.Config.Site.Title += bad
	f.Config.Version += bad
	f.Config.Topics[0].VI += bad
	f.Config.Places[0].Name += bad
	for i := range f.Config.Outlets {
		f.Config.Outlets[i].Name += bad
	}
	f.Channel.Title.VI += bad
	f.Channel.Description.VI = "Mô tả" + bad
	st := sampleStory(1, f.Config.Outlets[0], quoted(func(it *store.Item) {
		it.Title += bad
		it.Summary += bad
		it.Authors = []string{"Tác giả" + bad, bad, ""}
		it.Link += bad
		it.Image = "https://trunguong.example.vn/a.png?" + bad
		it.Attribution = store.Attribution{Text: "Nguồn" + bad, Link: "https://laocai.example.vn/" + bad}
		it.Lang = "vi" + bad
	}))
	st.Topics, st.Province = []store.Topic{"xay-dung-dang"}, "lao-cai"
	st.Original = sampleStory(2, f.Config.Outlets[1]).Quoted
	st.Original.Link += bad
	f.Stories = []store.Story{st}
	return f
}

// hardOn is every hard case as one channel of each kind, days of some and a
// document of an archive have it; the key is the channel's folder.
func hardOn() map[string][]hardCase {
	moved := map[string][]hardCase{}
	for _, c := range hardCases() {
		dirt := strings.TrimPrefix(c.feed.Channel.Title.VI, "Tất cả tin")
		for _, f := range everyKind(c.feed) {
			ch := &f.Channel
			ch.Title.VI += dirt
			if c.feed.Channel.Description.VI != "" {
				ch.Description = c.feed.Channel.Description
			}
			folder := strings.TrimSuffix(strings.TrimPrefix(f.self(""), f.Config.Site.BaseURL), "?"+ch.Query)
			moved[folder] = append(moved[folder], hardCase{name: c.name, feed: f})
		}
	}
	return moved
}

// everyKind is a feed as each kind of channel has it.
func everyKind(f Feed) []Feed {
	cfg := f.Config
	cfg.Channels = append(cfg.Channels, ChannelConfig{ID: "tu-khoa", Title: Names{VI: `Từ khóa "A" & <B>`},
		Words: ChannelWords{Any: []string{"khai giảng"}}, Exclude: ChannelLess{Outlets: []string{"tieude"}}, Languages: []string{"vi"}})
	var all []Feed
	as := func(ch Channel, ok bool) Channel {
		if !ok {
			panic("no channel " + ch.Path)
		}
		g := f
		g.Channel = ch
		all = append(all, g)
		return ch
	}
	everything, ok := cfg.channel("", "")
	as(everything.onDay("2024-11-05"), ok)
	for kind, id := range map[string]string{"topics": "giao-duc", "provinces": "lao-cai", "outlets": "trunguong", "scopes": "national", "channels": "dang-va-kinh-te"} {
		ch := as(cfg.channel(kind, id))
		as(ch.onDay("2024-11-05"), true)
	}
	as(cfg.channel("channels", "tu-khoa"))
	as(cfg.channel("topics", noTopicID))
	site := &Server{cfg: *cfg, lang: languages[0], words: vietnamese}
	topic, _ := cfg.channel("topics", "giao-duc")
	cross, why := site.inProvince(topic, "lao-cai")
	as(cross, why == "")
	mix, err := site.mix(url.Values{"topics": {"giao-duc,kinh-te"}, "provinces": {"lao-cai"}, "outlets": {"laocai"}})
	as(mix, err == nil)
	found, err := site.search(url.Values{"q": {`"lớp học" & <b> -"]]>" ' \ 100%`}})
	as(found, err == nil)
	for _, scope := range []string{store.ArchiveAll, store.ArchiveTopic("giao-duc"), store.ArchiveChannel{ID: "tu-khoa"}.Scope()} {
		ch := as(cfg.archived(scope))
		g := &all[len(all)-1]
		g.Doc, g.Prev = store.ArchiveKey{Scope: scope, Day: "2024-11-05", Part: 2}, store.ArchiveKey{Scope: scope, Day: "2024-11-05", Part: 1}
		g.Channel = ch
	}
	return all
}

// withGone is a feed, unless it is a document of an archive, before whose first
// story one was taken down, and where another is part of one now.
func withGone(f Feed) Feed {
	if f.Doc.Part > 0 {
		return f
	}
	first := at("15:00:00.000")
	if len(f.Stories) > 0 {
		first = f.Stories[0].Listed
	}
	f.Gone = []store.Tombstone{
		{Story: "goneaaaaaaaaa", Listed: first.Add(time.Second), Shown: first.Add(-time.Minute), At: first.Add(time.Hour), Why: store.BuriedWithdrawn, Inside: true},
		{Story: "goneaaaaaaaab", Listed: first.Add(-time.Second), Shown: first.Add(-time.Hour), At: first.Add(2 * time.Hour), Why: store.BuriedMerged, Inside: true},
	}
	return f
}
