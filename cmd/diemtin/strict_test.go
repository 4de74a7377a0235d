package main

import (
	"os"
	"strings"
	"testing"

	"diemtin/aggregator"
	"diemtin/syndicate"
)

// shippedText is the feeds.yaml of this repository.
func shippedText(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../feeds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const goodYAML = `site: {title: Điểm tin, base_url: "https://tin.example.vn/", language: vi, operator: Tòa soạn, contact: a@example.vn}
limits: {allow_private: false}
outlets:
  - id: nhandan
    name: Báo Nhân Dân
    aliases: [nhandan.vn]
    domains: [nhandan.vn]
    scope: national
    rank: 1
    show: summary
    delay: 90s
    sources:
      - {id: nhandan-home, url: "https://nhandan.vn/rss/home.rss"}
  - id: thaibinh
    name: Cổng Thái Bình
    domains: [thaibinh.example.vn]
    scope: provincial
    province: hung-yen
    sources:
      - id: thaibinh-xdd
        kind: page
        url: "https://thaibinh.example.vn/xay-dung-dang"
        topic: xay-dung-dang
        every: {min: 5m, max: 6h}
        page: {item: "ul.news > li", title: a, link: a, date: .date, next: "a.next"}
channels:
  - {id: hai-bao, title: Hai báo, outlets: [nhandan, thaibinh]}
delivery: {cache_bytes: 134217728}
`

func TestGoodConfig(t *testing.T) {
	t.Parallel()
	cfg, err := parseConfig("x.yaml", []byte(goodYAML))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(cfg.aggregate.Topics); n != 23 {
		t.Errorf("%d topics, want the 23 shipped ones", n)
	}
	if got := cfg.syndicate.Delivery.CacheBytes; got != 128<<20 {
		t.Errorf("cache_bytes %d, want 128 MiB", got)
	}
	if cfg.syndicate.Site.BaseURL != "https://tin.example.vn" {
		t.Errorf("base URL %q keeps its slash", cfg.syndicate.Site.BaseURL)
	}
	if want := "diemtin/" + version + " (+a@example.vn)"; cfg.aggregate.Agent != want {
		t.Errorf("agent %q, want %q", cfg.aggregate.Agent, want)
	}
	if len(cfg.syndicate.Channels) != 1 || cfg.syndicate.Channels[0].Title.EN != "Hai báo" {
		t.Errorf("channels %+v", cfg.syndicate.Channels)
	}
}

// Each edit makes one fault; its message must name the place, the value and
// what is allowed.
func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown key", "rank: 1", "ranks: 1", `x.yaml:9:5: outlets[0].ranks: unknown key "ranks"; allowed are id, name`},
		{"unknown top key", "limits:", "limit:", `x.yaml:2:1: limit: unknown key "limit"; allowed are site, limits, outlets`},
		{"cache too small", "134217728", "1000", `delivery.cache_bytes: cache_bytes 1000: want 4194304 to 68719476736`},
		{"repeated key", "rank: 1", "rank: 1\n    rank: 2", `x.yaml:10:5: outlets[0].rank: key "rank" stands twice; the first is on line 9`},
		{"repeated outlet", "id: thaibinh\n", "id: nhandan\n", `x.yaml:14:9: outlets[1].id: outlet id "nhandan" stands twice; the first is outlets[0].id`},
		{"repeated source", "id: thaibinh-xdd", "id: nhandan-home", `source id "nhandan-home" stands twice`},
		{"bad id", "id: nhandan\n", "id: Nhân Dân\n", `x.yaml:4:9: outlets[0].id: outlet id "Nhân Dân": want lower-case`},
		{"bad URL", "https://nhandan.vn/rss", "nhandan.vn/rss", `x.yaml:13:33: outlets[0].sources[0].url: url "nhandan.vn/rss/home.rss": want an address that begins with https://`},
		{"URL without host", "https://nhandan.vn/rss", "https:///rss", "has no host name"},
		{"no such topic", "topic: xay-dung-dang", "topic: xay-dung", `x.yaml:23:16: outlets[1].sources[0].topic: topic "xay-dung" is not among the topics of this file; did you mean xay-dung-dang?`},
		{"no such scope", "scope: national", "scope: nation", `outlets[0].scope: scope "nation": want national, ministry or provincial`},
		{"no such province", "province: hung-yen", "province: hung-ye", `x.yaml:18:15: outlets[1].province: province "hung-ye" is not known`},
		{"a province by its name", "province: hung-yen", "province: Tỉnh Hưng Yên", `province "Tỉnh Hưng Yên" is not known; did you mean hung-yen?`},
		{"a topic without its hyphens", "topic: xay-dung-dang", "topic: xaydungdang", `did you mean xay-dung-dang?`},
		{"province missing", "    province: hung-yen\n", "", "x.yaml:14:5: outlets[1].province: a provincial outlet needs its province"},
		{"no such kind", "kind: page", "kind: pages", `kind "pages": want feed or page`},
		{"selectors missing", `        page: {item: "ul.news > li", title: a, link: a, date: .date, next: "a.next"}` + "\n", "", "needs its selectors"},
		{"bad selector", "ul.news > li", "ul..news", `x.yaml:25:22: outlets[1].sources[0].page.item: "ul..news" is no CSS selector`},
		{"bounds the wrong way", "{min: 5m, max: 6h}", "{min: 5h, max: 6m}", "x.yaml:24:31: outlets[1].sources[0].every.max: 6m0s: want between min (5h0m0s)"},
		{"no duration", "delay: 90s", "delay: soon", `x.yaml:11:12: outlets[0].delay: "soon" is not a duration such as 90s, 5m, 6h or 2d`},
		{"no number", "rank: 1", "rank: first", `outlets[0].rank: "first": want a whole number`},
		{"no bool", "allow_private: false", "allow_private: maybe", `x.yaml:2:25: limits.allow_private: "maybe": want true or false`},
		{"list for text", "name: Báo Nhân Dân", "name: [a]", "outlets[0].name: want text, found a list"},
		{"text for list", "domains: [nhandan.vn]", "domains: nhandan.vn", `outlets[0].domains: want a list, found "nhandan.vn"`},
		{"text for keys", "limits: {allow_private: false}", "limits: none", "limits: want keys (allow_private"},
		{"bad domain", "domains: [nhandan.vn]", "domains: [https://nhandan.vn]", "outlets[0].domains[0]: domain"},
		{"bad show", "show: summary", "show: all", `show "all": want summary, headline or none`},
		{"bad base URL", "https://tin.example.vn/", "tin.example.vn", `x.yaml:1:35: site.base_url: base_url "tin.example.vn": want an address`},
		{"channel of nobody", "outlets: [nhandan, thaibinh]", "outlets: [nhandan, thaibin]", `x.yaml:27:54: channels[0].outlets[1]: outlet "thaibin" is not among the outlets`},
		{"channel without what it asks for", "outlets: [nhandan, thaibinh]", "outlets: [nhandan], exclude: {outlets: [nhandan]}", `channels[0].exclude.outlets[0]: outlet "nhandan" is asked for and left out`},
		{"channel of a word without letters", "outlets: [nhandan, thaibinh]", `words: {any: [vải, "!"]}`, `x.yaml:27:54: channels[0].words.any[1]: "!": want a word or a phrase of at most 16 words`},
		{"channel of no language", "outlets: [nhandan, thaibinh]", "languages: [tiếng Việt]", `channels[0].languages[0]: language "tiếng Việt": want a language tag`},
		{"channel that leaves out no topic", "outlets: [nhandan, thaibinh]", "exclude: {topics: [xay-dung]}", `channels[0].exclude.topics[0]: topic "xay-dung" is not among the topics of this file; did you mean xay-dung-dang?`},
		{"channel of everything", "outlets: [nhandan, thaibinh]", "exclude: {}", "channels[0].topics: the channel selects nothing"},
		{"channel with an unknown key", "outlets: [nhandan, thaibinh]", "words: {none: [a]}", `channels[0].words.none: unknown key "none"; allowed are any, all`},
		{"former id in use", "rank: 1", "was: [thaibinh]", `x.yaml:9:11: outlets[0].was[0]: former id "thaibinh" is in use: outlets has an entry of that id`},
		{"former id twice", "rank: 1", "was: [nd, nd]", `outlets[0].was[1]: former id "nd" stands twice`},
		{"no former id", "rank: 1", "was: [Nhân Dân]", `outlets[0].was[0]: former id "Nhân Dân": want lower-case`},
		{"no proxy", "limits: {", "visitors: {proxies: [10.0.0.0/8, cache]}\nlimits: {", `x.yaml:2:34: visitors.proxies[1]: proxy "cache": want an address or a network`},
		{"no number of searches", "limits: {", "visitors: {per_minute: -1}\nlimits: {", `visitors.per_minute: per_minute -1: want 1 to 100000`},
		{"no YAML", "site: {", "site: {{", "x.yaml:"},
		{"an anchor nobody set", "rank: 1", "rank: *nobody", "x.yaml:9:11: this is not YAML: unknown anchor 'nobody'"},
		{"not UTF-8", "Báo Nhân", "Báo Nh\xe2n", "x.yaml:5:17: this is not YAML:"},
		{"control character", "Báo Nhân", "Báo\x01Nhân", "x.yaml:5:14: this is not YAML: control characters"},
		{"second document", "channels:", "---\nchannels:", "x.yaml:26:1: a second document begins"},
		{"days without end", "delay: 90s", "delay: 99999999999d", "x.yaml:11:12: outlets[0].delay: \"99999999999d\" is not a duration"},
	} {
		text := strings.Replace(goodYAML, tt.old, tt.new, 1)
		if text == goodYAML {
			t.Fatalf("%s: nothing was edited", tt.name)
		}
		_, err := parseConfig("x.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

// What has no content gets the shipped topics and channels, like what is absent.
func TestConfigForms(t *testing.T) {
	t.Parallel()
	bare := strings.Split(goodYAML, "channels:")[0]
	for name, text := range map[string]string{
		"byte order mark": "\ufeff" + bare, "CR LF": strings.ReplaceAll(bare, "\n", "\r\n"), "end mark": "---\n" + bare + "...\n",
		"topics and channels without content": bare + "topics:\nchannels:\n",
	} {
		cfg, err := parseConfig("x.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(cfg.aggregate.Topics) != 23 || len(cfg.syndicate.Channels) == 0 {
			t.Errorf("%s: %d topics, %d channels", name, len(cfg.aggregate.Topics), len(cfg.syndicate.Channels))
		}
	}
	if _, err := parseConfig("x.yaml", nil); err == nil || !strings.Contains(err.Error(), "x.yaml:1:1: the file is empty") {
		t.Errorf("empty file: %v", err)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("scope: national", "scope: x", "rank: 1", "rnk: 1", "topic: xay-dung-dang", "topic: y", "delay: 90s", "delay: z").Replace(goodYAML)
	_, err := parseConfig("x.yaml", []byte(text))
	if err == nil {
		t.Fatal("no fault found")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 4 {
		t.Errorf("%d faults, want 4:\n%v", len(lines), err)
	}
	for i, want := range []string{"x.yaml:8:", "x.yaml:9:", "x.yaml:11:", "x.yaml:23:"} {
		if i < len(lines) && !strings.HasPrefix(lines[i], want) {
			t.Errorf("fault %d is %q, want it at %s", i, lines[i], want)
		}
	}
}

func TestShippedConfig(t *testing.T) {
	t.Parallel()
	cfg, err := parseConfig("feeds.yaml", shippedText(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(cfg.aggregate.Outlets); n < 40 {
		t.Errorf("%d outlets, want at least 40", n)
	}
	found := &faults{file: "feeds.yaml"}
	checkExamples(cfg, found)
	if err := found.err(); err != nil {
		t.Error(err)
	}
}

func TestFailingExample(t *testing.T) {
	t.Parallel()
	text := goodYAML + `topics:
  - id: xay-dung-dang
    name: {vi: Xây dựng Đảng, en: Party building}
    phrases: [chi bộ]
    examples: {yes: [Chi bộ thôn kết nạp đảng viên, Giá vàng tăng], no: [Bóng đá]}
`
	cfg, found := readFile("x.yaml", []byte(text))
	checkExamples(cfg, found)
	err := found.err()
	if err == nil || !strings.HasPrefix(err.Error(), `x.yaml:33:53: topics[0].examples.yes[1]: topic "xay-dung-dang": example "Giá vàng tăng" must get it and did not`) {
		t.Errorf("faults: %v", err)
	}
}

// FuzzConfig leaves the topics out: compiling the shipped ones takes longer
// than a thousand readings.
func FuzzConfig(f *testing.F) {
	f.Add(goodYAML)
	f.Add("site: &a {title: x}\noutlets: [*a, [[]], {sources: [{page: 1}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		var into file
		found := decodeStrict("x.yaml", []byte(text), &into)
		cfg := aggregator.Config{Limits: into.Limits, Outlets: into.Outlets}
		cfg.Check(found.report)
		out := syndicate.Config{Site: into.Site, Channels: into.Channels}
		out.Check(found.report)
		if err := found.err(); err == nil && len(into.Outlets) == 0 {
			t.Error("a configuration without outlets passed")
		}
	})
}
