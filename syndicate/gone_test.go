package syndicate

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// known is what readers of the three formats tell entries apart by.
type known struct{ atom, rss, json, links, deleted []string }

func (s *feedSite) known(folder string) known {
	s.t.Helper()
	s.clock.forward(freshFor)
	var k known
	var atom struct {
		Entries []struct {
			ID string `xml:"id"`
		} `xml:"entry"`
		Deleted []struct {
			Ref  string    `xml:"ref,attr"`
			When time.Time `xml:"when,attr"`
		} `xml:"http://purl.org/atompub/tombstones/1.0 deleted-entry"`
	}
	_, body := s.get(folder + "feed.atom")
	if err := xml.Unmarshal(body, &atom); err != nil {
		s.t.Fatal(err)
	}
	for _, e := range atom.Entries {
		k.atom = append(k.atom, e.ID)
	}
	for _, d := range atom.Deleted {
		if d.When.IsZero() {
			s.t.Errorf("%s is deleted at no time", d.Ref)
		}
		k.deleted = append(k.deleted, d.Ref)
	}
	var rss struct {
		Items []struct {
			GUID string `xml:"guid"`
			Link string `xml:"link"`
		} `xml:"channel>item"`
	}
	_, body = s.get(folder + "feed.rss")
	if err := xml.Unmarshal(body, &rss); err != nil {
		s.t.Fatal(err)
	}
	for _, it := range rss.Items {
		k.rss = append(k.rss, it.GUID)
		if it.Link != "" {
			k.links = append(k.links, it.Link)
		}
	}
	var doc struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	_, body = s.get(folder + "feed.json")
	if err := json.Unmarshal(body, &doc); err != nil {
		s.t.Fatal(err)
	}
	for _, it := range doc.Items {
		k.json = append(k.json, it.ID)
	}
	return k
}

// nothingNew fails if a reader that has seen before finds anything new, by
// whatever rule it knows entries.
func (k known) nothingNew(t *testing.T, op string, before known) {
	t.Helper()
	for _, rule := range []struct {
		name        string
		now, before []string
	}{{"atom:id", k.atom, before.atom}, {"guid", k.rss, before.rss}, {"link", k.links, before.links}, {"json id", k.json, before.json}} {
		for _, id := range rule.now {
			if !slices.Contains(rule.before, id) {
				t.Errorf("%s: by %s, %s is new", op, rule.name, id)
			}
		}
	}
}

func (s *feedSite) rule(r store.Ruling) store.Ruling {
	s.t.Helper()
	r.Who, r.At = "lan", s.clock.now()
	done, err := s.db.Rule(s.t.Context(), r, firstJudge{})
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

// A feed of sixty with room for fifty: whatever is ruled, nothing in it is new
// to a reader that keeps only what the last document had.
func TestRulingsBringNothingNew(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	for n := range 60 {
		site.publish("laocai", "kinh-te", n)
		site.clock.forward(time.Minute)
	}
	site.clock.forward(24 * time.Hour) // so that all are sealed, and the feed need not hold them
	if err := site.server.SealArchives(t.Context()); err != nil {
		t.Fatal(err)
	}
	newest, err := site.db.Stories(t.Context(), store.Query{Limit: 6})
	if err != nil {
		t.Fatal(err)
	}
	const topic = "/topics/kinh-te/"
	before := site.known(topic)
	if len(before.atom) != feedStories || len(before.links) != feedStories {
		t.Fatalf("%d entries, %d links", len(before.atom), len(before.links))
	}
	hidden, merged, older, taken, moved := newest[0].ID, newest[1].ID, newest[2].ID, newest[3], newest[4].ID
	for _, op := range []store.Ruling{
		{Verb: store.RuleHide, Story: hidden},
		{Verb: store.RuleMerge, Story: merged, Other: older},
		{Verb: store.RuleTakedown, Items: []int64{taken.Quoted.ID}, Why: "báo yêu cầu"},
		{Verb: store.RuleTopic, Story: moved, Topics: []string{"-kinh-te", "+giao-duc"}},
		{Verb: store.RulePin, Story: older, Items: []int64{newest[1].Quoted.ID}},
	} {
		site.rule(op)
		now := site.known(topic)
		now.nothingNew(t, string(op.Verb), before)
		before = now
	}
	last := site.known(topic)
	if want := []string{storyURN(hidden), storyURN(merged), storyURN(taken.ID)}; !slices.Equal(last.deleted, want) {
		t.Errorf("deleted entries %q, want %q", last.deleted, want)
	}
	if got := len(last.rss) - len(last.atom); got != 2 {
		t.Errorf("RSS marks %d empty places, want 2", got)
	}
	tag := func() string {
		resp, _ := site.get(topic + "feed.atom")
		return resp.Header.Get("ETag")
	}
	was := tag()
	site.clock.forward(30 * 24 * time.Hour)
	if tag() != was {
		t.Error("time alone changed the feed")
	}
	// A month later something changes: the empty places are no longer told of,
	// and still nothing old comes back.
	site.publish("laocai", "kinh-te", 100)
	now := site.known(topic)
	if len(now.deleted) != 0 || len(now.rss) != len(now.atom) {
		t.Errorf("still said to be gone: %q", now.deleted)
	}
	fresh := slices.DeleteFunc(slices.Clone(now.atom), func(id string) bool { return slices.Contains(last.atom, id) })
	if len(fresh) != 1 {
		t.Errorf("%d entries are new, want 1", len(fresh))
	}
	site.rule(store.Ruling{Verb: store.RuleRestore, Story: hidden})
	if back := site.known(topic); !slices.Contains(back.atom, storyURN(hidden)) || slices.Index(back.atom, storyURN(hidden)) != 1 {
		t.Errorf("not restored to its place: %q", back.atom[:3])
	}
}

// What was taken down is shown nowhere: not its headline, text, picture or link.
func TestTakenDownIsShownNowhere(t *testing.T) {
	t.Parallel()
	site := newFeedSite(t)
	site.publish("laocai", "kinh-te", 1)
	site.clock.forward(time.Minute)
	site.publish("trunguong", "kinh-te", 2)
	gone, err := site.db.Stories(t.Context(), store.Query{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	st := gone[1]
	paths := []string{"/feed.atom", "/feed.rss", "/feed.json", "/", "/topics/kinh-te/", "/outlets/laocai/", "/outlets/laocai/feed.rss", "/provinces/lao-cai/feed.json",
		"/days/2024-11-05/", "/days/2024-11-05/feed.rss", "/topics/kinh-te/days/2024-11-05/feed.atom", "/stories/" + gone[0].ID}
	shows := func(path string) bool {
		_, body := site.get(path)
		return strings.Contains(string(body), st.Quoted.Title) || strings.Contains(string(body), st.Quoted.Link)
	}
	for _, path := range paths[:3] {
		if !shows(path) {
			t.Errorf("%s never had it", path)
		}
	}
	site.clock.forward(freshFor)
	site.rule(store.Ruling{Verb: store.RuleTakedown, Story: st.ID, Why: "toà án"})
	for _, path := range paths {
		if shows(path) {
			t.Errorf("%s still shows it", path)
		}
	}
	for _, path := range []string{"/stories/" + st.ID, "/stories/" + st.ID + "/explain"} {
		if resp, body := site.get(path); resp.StatusCode != http.StatusGone || strings.Contains(string(body), st.Quoted.Title) {
			t.Errorf("%s: %d, want 410 without a word of it", path, resp.StatusCode)
		}
	}
}
