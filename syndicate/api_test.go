package syndicate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// fullText and secretLead are words that outlets do not let us show.
const (
	fullText   = "TOÀN-VĂN-CỦA-BÀI"
	secretLead = "LỜI-DẪN-CHỈ-CÓ-TIÊU-ĐỀ"
)

// apiSite is a site with stories of every fate.
type apiSite struct {
	*feedSite
	carried, merged, hidden string // ids of stories
}

func newAPISite(t *testing.T, change ...func(*Config)) *apiSite {
	t.Helper()
	s := &apiSite{feedSite: newFeedSite(t, change...)}
	s.server.api.now = s.clock.now
	for i := range 12 {
		s.article("trunguong", "xay-dung-dang", i)
		s.article("laocai", "kinh-te", i)
		s.article("tieude", "giao-duc", i)
		s.article("an", "kinh-te", i)
		s.clock.forward(time.Minute)
	}
	own := s.list("/stories?outlets=trunguong")
	others := s.list("/stories?outlets=laocai")
	s.carried, s.merged, s.hidden = own[3].ID, others[2].ID, own[1].ID
	r := s.rule(store.Ruling{Verb: store.RuleMerge, Story: s.carried, Other: s.merged})
	s.carried, s.merged = r.Story, r.Other
	s.rule(store.Ruling{Verb: store.RuleHide, Story: s.hidden})
	s.clock.forward(2 * freshFor)
	return s
}

// article stores the n-th one of an outlet, or that with other words.
func (s *apiSite) article(outlet string, topic store.Topic, n int, words ...string) {
	s.t.Helper()
	link := fmt.Sprintf("https://%s.example.vn/tin/%d.html", outlet, n)
	it := store.Item{Title: fmt.Sprintf("Tin số %d của %s %s", n, outlet, strings.Join(words, " ")), Link: link, Summary: "Tóm tắt ngắn của bản tin.",
		Content: "<p>" + fullText + "</p>", Authors: []string{"Lan Anh"}, Image: "https://" + outlet + ".example.vn/anh.jpg",
		Published: s.clock.now().Add(-time.Minute), Province: []string{"lao-cai", "hung-yen"}[n%2], Attribution: store.Attribution{Text: "TTXVN"},
		Topics:  []store.ItemTopic{{Topic: topic, Score: 1, Primary: true, Reasons: []store.Phrase{{Text: "tin", Place: "title", Weight: 1}}}},
		Aliases: []string{"link:" + link}, Fingerprint: uint64(n) + 1 + uint64(len(words))<<20}
	if outlet == "tieude" {
		it.Summary = secretLead
	}
	src, err := s.db.Source(context.Background(), outlet+"-home")
	if err != nil {
		s.t.Fatal(err)
	}
	src.State.Visited = true
	if _, err := s.db.Record(context.Background(), store.Refresh{Source: src, At: s.clock.now(), Items: []store.Item{it},
		Settle: func(store.Changes) store.SourceState {
			return store.SourceState{Visited: true, Outcome: store.HTTP4xx, Detail: "HTTP 404", Fails: 2, LastTry: s.clock.now(), Repairs: []store.Repair{{Kind: "date_future", Count: 2}}}
		}}, firstJudge{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *apiSite) rule(r store.Ruling) store.Ruling {
	s.t.Helper()
	r.Who, r.At, r.Why = "lan", s.clock.now(), "thử"
	r, err := s.db.Rule(context.Background(), r, firstJudge{})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// read gets a document of the API.
func (s *apiSite) read(path string, into any) {
	s.t.Helper()
	resp, body := s.get(strings.TrimPrefix(path, s.base))
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
}

func (s *apiSite) list(path string) []apiStory {
	s.t.Helper()
	var p apiPage
	s.read(apiRoot+path, &p)
	return p.Stories
}

func titles(all []apiStory) string {
	var names []string
	for _, st := range all {
		names = append(names, strings.TrimSpace(strings.TrimPrefix(st.Title, "Tin số ")))
	}
	return strings.Join(names, ", ")
}

func TestAPISelections(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	for _, tt := range []struct{ name, query, want string }{
		{"an outlet", "/stories?outlets=laocai&limit=2", "11 của laocai, 10 của laocai"},
		{"an outlet as people write it", "/stories?outlets=LaoCai&limit=1", "11 của laocai"},
		{"a topic in a province", "/stories?topics=kinh-te&provinces=hung-yen&limit=2", "11 của laocai, 7 của laocai"}, // 9 is part of another
		{"a topic or a province", "/stories?topics=giao-duc&provinces=hung-yen&match=any&limit=3", "11 của tieude, 11 của laocai, 11 của trunguong"},
		{"a scope", "/stories?scopes=ministry&limit=1", "11 của tieude"},
		{"two ids, one twice", "/stories?outlets=laocai,tieude,laocai&limit=2", "11 của tieude, 11 của laocai"},
		{"a configured channel", "/stories?channel=dang-va-kinh-te&limit=2", "11 của laocai, 11 của trunguong"},
		{"a day", "/stories?day=2024-11-05&outlets=tieude&limit=1", "11 của tieude"},
		{"a day without news", "/stories?day=2024-11-04", ""},
		{"in the order of pages", "/stories?outlets=tieude&order=published&limit=1", "11 của tieude"},
		{"without a topic", "/stories?topics=tin-khac", ""},
		{"words", "/search?q=laocai%20%2211%22", "11 của laocai"},
		{"words of an outlet", "/search?q=tin&outlets=tieude&limit=1", "11 của tieude"},
		{"an outlet that may not be shown", "/search?q=an", ""},
		{"a hidden story", "/search?q=10%20trunguong", ""},
		{"a merged story", "/search?q=9%20laocai", ""},
	} {
		if got := titles(s.list(tt.query)); got != tt.want {
			t.Errorf("%s: %s\ngot  %q\nwant %q", tt.name, tt.query, got, tt.want)
		}
	}
}

func TestAPIProblems(t *testing.T) {
	t.Parallel()
	s := newAPISite(t, func(c *Config) {
		c.Channels = append(c.Channels, ChannelConfig{ID: "vang", Title: Names{"Vàng", "Gold"}, Words: ChannelWords{Any: []string{"vàng"}}})
	})
	many := strings.Repeat("laocai,", 3) + strings.Join(slices.Repeat([]string{"x"}, 3), ",")
	for _, tt := range []struct {
		path, field, detail string
		status              int
	}{
		{"/stories?limit=0", "limit", "from 1 to 200", 400},
		{"/stories?limit=201", "limit", "from 1 to 200", 400},
		{"/stories?limit=x", "limit", "from 1 to 200", 400},
		{"/stories?topics=kinhte", "topics", "kinh-te", 400},
		{"/stories?outlets=" + many, "outlets", `"x"`, 400},
		{"/stories?scopes=local", "scopes", `"local"`, 400},
		{"/stories?channel=khong", "channel", `"khong"`, 400},
		{"/stories?channel=vang&topics=kinh-te", "channel", "of its own", 400},
		{"/stories?match=some", "match", "all or any", 400},
		{"/stories?order=random", "order", "listed or published", 400},
		{"/stories?day=2024-13-01", "day", "2024-11-05", 400},
		{"/stories?day=2030-01-01", "day", "until today", 400},
		{"/stories?cursor=abc", "cursor", "what an answer has given", 400},
		{"/stories?cursor=1.%27", "cursor", "what an answer has given", 400},
		{"/stories?cursor=99999999999999999", "cursor", "what an answer has given", 400},
		{"/stories?topic=kinh-te", "topic", "there is no such parameter", 400},
		{"/stories?limit=1&limit=2", "limit", "more than once", 400},
		{"/stories?limit=%zz", "", "cannot be read", 400},
		{"/search", "q", "a word", 400},
		{"/search?q=-", "q", "a word", 400},
		{"/search?q=" + strings.Repeat("a", 300), "q", "at most", 400},
		{"/changes?since=x", "since", "what an answer has given", 400},
		{"/changes?limit=201", "limit", "from 1 to 200", 400},
		{"/days?month=2024", "month", "2024-11", 400},
		{"/days?month=2031-01", "month", "until the present", 400},
		{"/days?channel=vang", "channel", "by words", 400},
		{"/topics?limit=1", "limit", "no parameters", 400},
		{"/stories/aaaaaaaaaaaaa", "id", "no such story", 404},
		{"/stories/x%2Fy", "id", "no such story", 404},
		{"/stories/" + s.hidden, "id", "taken down", 410},
		{"/stories/" + s.hidden + "/explain", "id", "taken down", 410},
		{"/story", "", "openapi.json", 404},
	} {
		resp, body := s.get(apiRoot + tt.path)
		var p Problem
		err := json.Unmarshal(body, &p)
		if err != nil || resp.StatusCode != tt.status || p.Status != tt.status || p.Field != tt.field || !strings.Contains(p.Detail, tt.detail) ||
			p.Title == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, %v; want %d, field %q, %q", tt.path, resp.StatusCode, body, err, tt.status, tt.field, tt.detail)
		}
		if resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: headers %v", tt.path, resp.Header)
		}
	}
	resp, body := s.ask("DELETE", apiRoot+"/stories")
	if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("DELETE: %d %v %s", resp.StatusCode, resp.Header, body)
	}
	for from, to := range map[string]string{"/api/v1": "/api/v1/", "/api/": "/api/v1/", "/api/v1/stories/?limit=3": "/api/v1/stories?limit=3",
		"/api/v1/stories/" + s.merged: "/api/v1/stories/" + s.carried, "/API/v1/topics": "/api/v1/topics"} {
		resp, _ := s.get(from)
		if resp.StatusCode/100 != 3 || resp.Header.Get("Location") != to {
			t.Errorf("%s: %d to %q, want %q", from, resp.StatusCode, resp.Header.Get("Location"), to)
		}
	}
}

// The store's error is told once, and what was taken down is not given out
// from memory.
func TestAPIForgetsWhatIsTakenDown(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	path := apiRoot + "/stories/" + s.carried
	if resp, _ := s.get(path); resp.StatusCode != 200 {
		t.Fatalf("before: %d", resp.StatusCode)
	}
	s.rule(store.Ruling{Verb: store.RuleTakedown, Story: s.carried})
	s.clock.forward(2 * freshFor)
	if resp, body := s.get(path); resp.StatusCode != 410 {
		t.Errorf("taken down: %d %s", resp.StatusCode, body)
	}
	s.db.Close()
	s.clock.forward(2 * freshFor)
	resp, body := s.get(path)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("without a store: %d %s", resp.StatusCode, body)
	}
}

func TestAPICaching(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	path := apiRoot + "/stories?outlets=laocai"
	resp, body := s.get(path)
	tag := resp.Header.Get("ETag")
	if tag == "" || resp.Header.Get("Cache-Control") != cacheControl || resp.Header.Get("Access-Control-Allow-Origin") != "*" ||
		resp.Header.Get("Content-Type") != "application/json" || !strings.Contains(resp.Header.Get("Link"), "service-desc") {
		t.Errorf("headers %v", resp.Header)
	}
	if resp, _ := s.get(path, "If-None-Match", tag); resp.StatusCode != 304 {
		t.Errorf("with its tag: %d", resp.StatusCode)
	}
	if resp, other := s.get(apiRoot + "/stories?limit=50&outlets=LAOCAI&cursor="); resp.Header.Get("ETag") != tag || string(other) != string(body) {
		t.Error("another spelling of the same query has other bytes")
	}
	if resp, _ := s.ask("HEAD", path); resp.StatusCode != 200 || resp.Header.Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", resp.StatusCode, resp.Header)
	}
	s.clock.forward(time.Hour)
	if resp, _ := s.get(path, "If-None-Match", tag); resp.StatusCode != 304 {
		t.Errorf("an hour later: %d", resp.StatusCode)
	}
	s.article("laocai", "kinh-te", 99)
	s.clock.forward(2 * freshFor)
	if resp, body := s.get(path, "If-None-Match", tag); resp.StatusCode != 200 || !strings.Contains(string(body), "Tin số 99") {
		t.Errorf("with news: %d", resp.StatusCode)
	}
	resp, _ = s.ask("OPTIONS", path, "Origin", "https://x.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "if-none-match")
	if resp.StatusCode != 204 || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
	if n := s.metric("diemtin_api_requests_total", "stories", "304"); n != 2 {
		t.Errorf("%v answers of 304 are counted, want 2", n)
	}
}

func TestAPILimits(t *testing.T) {
	t.Parallel()
	s := newAPISite(t, func(c *Config) { c.Visitors.PerMinute = 2 })
	for i, path := range []string{"/search?q=tin", "/stories?topics=kinh-te,giao-duc", "/search?q=tin", "/search?q=moi", "/stories?topics=kinh-te&outlets=laocai"} {
		want := 200
		if i > 2 { // the third is at hand
			want = 429
		}
		resp, body := s.get(apiRoot + path)
		if resp.StatusCode != want || want == 429 && (resp.Header.Get("Retry-After") != "30" || resp.Header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("%s: %d %v %s, want %d", path, resp.StatusCode, resp.Header, body, want)
		}
	}
	if resp, _ := s.get(apiRoot + "/stories?topics=kinh-te"); resp.StatusCode != 200 {
		t.Errorf("one topic is limited too: %d", resp.StatusCode)
	}
}

// Nothing of the API shows more of an outlet's words than its terms allow.
func TestAPIShowsNoMoreThanAllowed(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	for _, path := range []string{"/stories?limit=200", "/stories?order=published", "/search?q=tin", "/changes?limit=200", "/stories/" + s.carried,
		"/stories/" + s.carried + "/explain", "/stories/" + s.list("/stories?outlets=tieude")[0].ID, "/outlets"} {
		_, body := s.get(apiRoot + path)
		for _, word := range []string{fullText, secretLead, "của an ", "an.example.vn", "laocai.example.vn/anh.jpg"} {
			if strings.Contains(string(body), word) {
				t.Errorf("%s shows %s", path, word)
			}
		}
		if !strings.Contains(string(body), "trunguong") && !strings.Contains(string(body), "tieude") {
			t.Errorf("%s shows nothing: %s", path, body)
		}
	}
}

// A partner that follows the changes holds, story by story, what lists tell,
// and whoever follows a list to its end gets each once while more arrive.
func TestAPIMirror(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	held := map[string]string{}
	next := apiRoot + "/changes?limit=7"
	follow := func() {
		t.Helper()
		for {
			var l struct {
				Changes []struct {
					ID, State, Into string
					Story           json.RawMessage
				}
				Next string
				More bool
			}
			s.read(next, &l)
			for _, c := range l.Changes {
				if delete(held, c.ID); c.State == "listed" {
					held[c.ID] = string(c.Story)
				}
			}
			if next = l.Next; !l.More {
				return
			}
		}
	}
	compare := func(when string) {
		t.Helper()
		follow()
		listed := map[string]string{}
		for at := apiRoot + "/stories?order=published&limit=5"; at != ""; {
			var p struct {
				Stories []json.RawMessage
				Next    string
			}
			s.read(at, &p)
			for _, raw := range p.Stories {
				var st apiStory
				if err := json.Unmarshal(raw, &st); err != nil {
					t.Fatal(err)
				}
				listed[st.ID] = string(raw)
			}
			at = p.Next
		}
		if !maps.Equal(held, listed) {
			t.Errorf("%s: the mirror holds %d stories, listed are %d:\n%v\n%v", when, len(held), len(listed), held, listed)
		}
	}
	compare("at the beginning")
	s.article("laocai", "kinh-te", 5, "đã sửa")
	s.clock.forward(2 * freshFor)
	compare("after an edit")
	s.rule(store.Ruling{Verb: store.RuleUnmerge, Story: s.merged})
	s.clock.forward(2 * freshFor)
	compare("after an unmerge")
	s.rule(store.Ruling{Verb: store.RuleTakedown, Outlet: "tieude"})
	s.clock.forward(2 * freshFor)
	compare("after a takedown")
	s.rule(store.Ruling{Verb: store.RuleRestore, Story: s.hidden})
	s.clock.forward(2 * freshFor)
	compare("after a restore")
	if len(held) != 24 {
		t.Errorf("%d stories at the end, want 24", len(held))
	}

	seen := map[string]int{}
	arrived := 0
	for at := apiRoot + "/stories?outlets=laocai,trunguong&limit=4"; at != ""; arrived++ {
		s.article("laocai", "kinh-te", 200+arrived)
		var p apiPage
		s.read(at, &p)
		for _, st := range p.Stories {
			seen[st.ID]++
		}
		if at = ""; p.Next != nil {
			at = *p.Next
		}
	}
	for id := range held {
		if seen[id] != 1 {
			t.Errorf("%s comes %d times", id, seen[id])
		}
	}
	if arrived < 6 {
		t.Errorf("only %d pages", arrived)
	}
}

func TestAPIStoryTellsAll(t *testing.T) {
	t.Parallel()
	s := newAPISite(t)
	s.article("trunguong", "xay-dung-dang", 8, "sửa lần một")
	var full apiFullStory
	s.read(apiRoot+"/stories/"+s.carried, &full)
	if full.Carriers != 2 || len(full.Copies) != 2 || !full.Copies[0].Quoted || full.Attribution == nil || full.Attribution.Name != "TTXVN" {
		t.Errorf("%+v", full)
	}
	var events []string
	for _, e := range full.Timeline {
		events = append(events, e.Event+" "+e.Outlet)
	}
	if got := strings.Join(events, ", "); got != "appeared trunguong, appeared laocai, retitled trunguong" {
		t.Errorf("timeline %s", got)
	}
	var month apiMonthOf
	s.read(apiRoot+"/days?"+url.Values{"outlets": {"laocai"}}.Encode(), &month)
	if month.Month != "2024-11" || len(month.Days) != 1 || month.Days[0].Stories != 11 {
		t.Errorf("days %+v", month)
	}
	if got := len(s.list(strings.TrimPrefix(month.Days[0].Address, s.base+apiRoot))); got != 11 {
		t.Errorf("the day's list has %d stories", got)
	}
	var sources struct{ Sources []apiHealth }
	s.read(apiRoot+"/sources", &sources)
	if len(sources.Sources) != 4 || sources.Sources[0].State != "failing" || sources.Sources[0].Advice == "" || len(sources.Sources[0].Repairs) != 1 {
		t.Errorf("sources %+v", sources)
	}
}
