package syndicate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"diemtin/store"
	"diemtin/syndicate"
)

// What has no topic stands under "Tin khác", with feeds and days, and leaves it
// when it gains a topic.
func TestOtherNews(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.publish("nhandan", article("nhandan", "Con vẹt biết hát", "Một con vẹt.", noon.Add(-time.Hour)), article("nhandan", "Con mèo ngủ", "Một con mèo.", noon.Add(-time.Hour)),
		article("nhandan", "Giá vàng tăng", "Vàng tăng.", noon.Add(-time.Hour), "kinh-te"))
	for _, path := range []string{"/topics/tin-khac/feed.atom", "/topics/tin-khac/feed.rss", "/topics/tin-khac/days/2024-11-05/"} {
		body := s.get(path).Body.String()
		if !strings.Contains(body, "Con vẹt biết hát") || strings.Contains(body, "Giá vàng tăng") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if doc := s.page("/topics/"); doc.Find(`a[href="/topics/tin-khac/"]`).Length() != 1 {
		t.Error("the list of topics does not lead there")
	}
	if _, err := s.db.Rule(t.Context(), store.Ruling{Who: "lan", At: time.Now(), Verb: store.RuleTopic, Story: strings.TrimPrefix(s.story("Con vẹt biết hát"), "/stories/"), Topics: []string{"+kinh-te"}}, nil); err != nil {
		t.Fatal(err)
	}
	if body := s.get("/topics/tin-khac/").Body.String(); strings.Contains(body, "Con vẹt biết hát") || !strings.Contains(body, "Con mèo ngủ") {
		t.Errorf("with a topic it stays there, or another has gone: %s", body)
	}
	if body := s.get("/topics/kinh-te/").Body.String(); !strings.Contains(body, "Con vẹt biết hát") {
		t.Error("it is not under its topic")
	}
}

// Editors see what has no topic with what nearly matched, and nothing that
// readers may not see.
func TestUnclassified(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *syndicate.Config) {
		c.NearTopics = func(it *store.Item) []syndicate.NearTopic {
			if strings.HasPrefix(it.Title, "Con vẹt") {
				return []syndicate.NearTopic{
					{ItemTopic: store.ItemTopic{Topic: "kinh-te", Score: 0.5, Reasons: []store.Phrase{{Text: "giá <b>", Place: "summary", Weight: 0.5}}}, Needed: 1},
					{ItemTopic: store.ItemTopic{Topic: "khong-co", Score: 9}, Needed: 1},
				}
			}
			return []syndicate.NearTopic{{ItemTopic: store.ItemTopic{Topic: "kinh-te", Score: 3}, Needed: 1, Silenced: "vẹt"}}
		}
	})
	s.publish("nhandan", article("nhandan", "Con vẹt biết hát", "Một con vẹt.", noon.Add(-time.Hour)), article("nhandan", "Con mèo ngủ", "Một con mèo.", noon.Add(-time.Hour)),
		article("nhandan", "Giá vàng tăng", "Vàng tăng.", noon.Add(-time.Hour), "kinh-te"))
	doc := s.page("/status/chua-phan-loai")
	main := text(doc.Find("main"))
	for _, want := range []string{"Con vẹt biết hát", "0,5 trên 1 điểm, thiếu 0,5; “giá <b>” (", "3 điểm, bị loại bởi “vẹt”"} {
		if !strings.Contains(main, want) {
			t.Errorf("it lacks %q: %s", want, main)
		}
	}
	if strings.Contains(main, "Giá vàng tăng") || doc.Find(`meta[name="robots"][content*="noindex"]`).Length() != 1 {
		t.Errorf("it has what has a topic, or may be indexed: %s", main)
	}
	for path, want := range map[string]int{"/": 0, "/topics/tin-khac/": 0, "/status": 1, s.story("Con vẹt biết hát"): 0, s.story("Con vẹt biết hát") + "/explain": 1} {
		if n := s.page(path).Find(`a[href="/status/chua-phan-loai"]`).Length(); n != want {
			t.Errorf("%s has %d links to it, want %d", path, n, want)
		}
	}
	if a := newSite(t).get("/status/chua-phan-loai"); a.Code != http.StatusNotFound {
		t.Errorf("where nobody judges items: %d", a.Code)
	}
}
