package syndicate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
	"diemtin/syndicate"
)

// wordy explains everything, to see all of it on the page.
type wordy struct{}

func (wordy) Explain(_ context.Context, e *syndicate.Explanation, _ store.Story, copies []store.Copy) error {
	at := "2024-11-05T12:30:00+07:00"
	e.Reasons = []syndicate.Said{{VI: "bản này ghi rõ nguồn", EN: "it names its source"}}
	e.Outside = &syndicate.Outside{Text: "TTXVN"}
	e.Copies[len(copies)-1].Reason = syndicate.Said{VI: "Nội dung trùng.", EN: "The same words."}
	e.Copies[len(copies)-1].Compared = &syndicate.Compared{By: "text", Shared: 90, Common: []string{"cụm chung"},
		OnlyHere: []string{"chỉ ở <b>đây</b>"}, OnlyThere: []string{"chỉ ở kia"}, NumbersHere: []string{"18"}, NumbersThere: []string{"12"}}
	e.Near = []syndicate.NearWhy{{Story: "abc", Page: "/stories/abc", OutletName: "Báo Khác", Title: "Tin gần giống", Link: "javascript:alert(1)", Published: &at,
		Reason: syndicate.Said{VI: "Số kỳ khác nhau.", EN: "Another number."}, Evidence: "titles number two instalments"}}
	e.Rulings = []syndicate.RulingWhy{{At: &at, Who: "Thu Hà", Did: syndicate.Said{VI: "Gộp hai tin.", EN: "Merged two stories."}, Why: "cùng một bài"}}
	return nil
}

func TestExplainInWords(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *syndicate.Config) { c.Explainer = wordy{} })
	s.fill()
	path := s.story("Khai mạc hội nghị Trung ương") + "/explain"
	doc := s.page(path)
	main := text(doc.Find("main"))
	for _, want := range []string{"bản này ghi rõ nguồn it names its source", "“TTXVN”", "Nội dung trùng. The same words.",
		"Cả hai bản đều có: cụm chung", "Chỉ bản này có: chỉ ở <b>đây</b>", "Chỉ bản kia có: chỉ ở kia", "Con số chỉ bản này có: 18", "Con số chỉ bản kia có: 12",
		"Tin gần giống", "Số kỳ khác nhau. Another number.", "titles number two instalments", "Thu Hà", "Gộp hai tin.", "“cùng một bài”"} {
		if !strings.Contains(main, want) {
			t.Errorf("explanation lacks %q: %s", want, main)
		}
	}
	if href := doc.Find(`a[href^="javascript"]`).Length(); href > 0 {
		t.Error("an address that is none became a link")
	}
	a := s.get(path + ".json")
	var e syndicate.Explanation
	if err := json.Unmarshal(a.Body.Bytes(), &e); err != nil || a.Code != http.StatusOK || a.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("JSON: %d %s, %v", a.Code, a.Header().Get("Content-Type"), err)
	}
	if len(e.Copies) != 2 || e.Copies[1].Compared == nil || e.Original == "" || len(e.Near) != 1 || e.Rulings[0].Who != "Thu Hà" {
		t.Errorf("JSON: got %+v", e)
	}
	if a := s.get("/stories/aaaaaaaaaaaaa/explain.json"); a.Code != http.StatusNotFound {
		t.Errorf("JSON of no story: got %d, want 404", a.Code)
	}
	if body := s.get(path + ".json").Body.String(); strings.Contains(body, "giau") {
		t.Error("JSON names an outlet that is not shown")
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *syndicate.Config) {
		c.Outlets = append(c.Outlets, store.Outlet{ID: "hungyen", Name: "Báo Hưng Yên", Domains: []string{"hungyen.example.vn"},
			Scope: store.Provincial, Province: "hung-yen", Show: store.ShowSummary})
	})
	wire := func(outlet, title string, at time.Duration, theo store.Attribution) store.Item {
		it := article(outlet, title, "Cùng một bản tin.", noon.Add(at), "kinh-te")
		it.Attribution = theo
		return it
	}
	agency := store.Attribution{Text: "TTXVN"}
	s.publish("nhandan", wire("nhandan", "Ba người chết vì lũ quét ở Lào Cai", -4*time.Hour, agency))
	s.publish("laocai", wire("laocai", "Ba người mất tích vì lũ quét ở Lào Cai", -170*time.Minute, agency))
	s.publish("hungyen", wire("hungyen", "Thiên tai gây thiệt hại nặng", -time.Hour, agency))
	edited := wire("nhandan", "Bốn người chết vì lũ quét ở Lào Cai", -4*time.Hour, agency)
	edited.Aliases = []string{wire("nhandan", "Ba người chết vì lũ quét ở Lào Cai", 0, agency).Aliases[0]}
	s.publish("nhandan", edited)
	doc := s.page(s.story("Bốn người chết vì lũ quét ở Lào Cai"))
	if got, want := text(doc.Find(".spread")), "Đầu tiên lúc 08:00 05/11/2024 trên Báo Nhân Dân, rồi 2 báo, trang tin khác trong 3 giờ, ở 2 tỉnh, thành phố."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := texts(doc.Find(".diff")); !slices.Equal(got, []string{"So tít: [Bốn] ‹Ba› người [chết] ‹mất tích› vì lũ quét ở Lào Cai"}) {
		t.Errorf("headline: got %q", got)
	}
	if got := texts(doc.Find(".former")); !slices.Equal(got, []string{"Ba người chết vì lũ quét ở Lào Cai"}) {
		t.Errorf("former headlines: got %q", got)
	}
	copies := text(doc.Find(".copylist"))
	if !strings.Contains(copies, "tít khác hẳn bản đầu tiên") {
		t.Errorf("copies: got %q, want the headline of its own noted", copies)
	}
	if got := text(doc.Find(".outside")); !strings.Contains(got, "TTXVN") {
		t.Errorf("the source outside: got %q", got)
	}
}

// TestOutsideOnlyWhereItIs: a story whose original names no source, or one that
// is among the copies, has none outside.
func TestOutsideOnlyWhereItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill()
	if got := s.page(s.story("Khai mạc hội nghị Trung ương")).Find(".outside").Length(); got != 0 {
		t.Error("a source outside is named where the original is here")
	}
	if got := text(s.page(s.story(`<script>alert("x")</script> & 'tin'`)).Find(".outside")); !strings.Contains(got, "TTXVN") {
		t.Errorf("the only copy names TTXVN: got %q", got)
	}
}
