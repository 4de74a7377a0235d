package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

// explained stores a text in two outlets and one that is nearly the same but
// another instalment, with the real judge, and explains the first.
func explainedText(t *testing.T, show store.Show) (explainedStory, string) {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	outlets := []store.Outlet{
		{ID: "a", Name: "Báo A", Domains: []string{"a.example.vn"}, Scope: store.National, Rank: 2, Show: show},
		{ID: "b", Name: "Báo B", Domains: []string{"b.example.vn"}, Scope: store.National, Rank: 1, Show: show},
		{ID: "c", Name: "Báo C", Domains: []string{"c.example.vn"}, Scope: store.National, Rank: 3, Show: show},
	}
	var sources []store.Source
	for _, o := range outlets {
		sources = append(sources, store.Source{ID: o.ID + "-home", Outlet: o.ID, Kind: "feed", URL: "https://" + o.Domains[0] + "/rss"})
	}
	if err := db.Sync(t.Context(), outlets, sources); err != nil {
		t.Fatal(err)
	}
	judge := aggregator.NewJudge(aggregator.NewNames(outlets))
	seen := time.Date(2024, 11, 5, 8, 0, 0, 0, store.Zone)
	publish := func(outlet, title, lead, text string, at time.Time, theo store.Attribution) {
		link := fmt.Sprintf("https://%s.example.vn/bai-viet-%d.html", outlet, at.Unix())
		it := store.Item{Title: title, Link: link, Summary: lead, Content: text, Published: at, Attribution: theo, Aliases: []string{"link:" + aggregator.LinkKey(link)}}
		it.Sketch = aggregator.SketchKeys(&it)
		_, err := db.Record(t.Context(), store.Refresh{Source: store.Source{ID: outlet + "-home", Outlet: outlet}, At: at.Add(5 * time.Minute),
			Items: []store.Item{it}, Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, judge)
		if err != nil {
			t.Fatal(err)
		}
	}
	lead := "Sáng nay kỳ họp của Hội đồng nhân dân tỉnh bước sang ngày làm việc mới với phần thảo luận tại tổ."
	body := func(n int, tail string) string {
		var b strings.Builder
		for i := range 12 {
			fmt.Fprintf(&b, "<p>Các đại biểu tổ %d cho rằng cần ưu tiên vốn cho đường liên xã, trường học vùng cao và nước sạch ở những bản xa trung tâm.</p>", i+1)
		}
		return b.String() + fmt.Sprintf("<p>Đây là thông cáo số %d của kỳ họp. %s</p>", n, tail)
	}
	agency := store.Attribution{Text: "TTXVN"}
	publish("a", "Thông cáo số 12 kỳ họp Hội đồng nhân dân tỉnh", lead, body(12, ""), seen, agency)
	publish("b", "Thông cáo số 12: thảo luận vốn cho đường liên xã", lead, body(12, "Bản tin dành riêng cho bạn đọc của báo chúng tôi ở vùng cao."), seen.Add(time.Hour), agency)
	publish("c", "Thông cáo số 18 kỳ họp Hội đồng nhân dân tỉnh", lead, body(18, ""), seen.Add(2*time.Hour), agency)
	e, err := explain(t.Context(), db, "", "https://a.example.vn/bai-viet-"+fmt.Sprint(seen.Unix())+".html")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e.write(&out)
	return e.(explainedStory), out.String()
}

func TestExplainStory(t *testing.T) {
	t.Parallel()
	e, out := explainedText(t, store.ShowSummary)
	if len(e.Copies) != 2 || e.Copies[1].Compared == nil {
		t.Fatalf("got %+v, want two copies, the second compared", e.Copies)
	}
	if c := e.Copies[1].Compared; c.By != "text" || c.Shared < 90 || len(c.Common) == 0 || len(c.OnlyHere) == 0 || !strings.Contains(c.OnlyHere[0], "dành riêng") {
		t.Errorf("the copy: got %+v", c)
	}
	if e.Outside == nil || e.Outside.Text != "TTXVN" {
		t.Errorf("outside: got %+v, want TTXVN", e.Outside)
	}
	if len(e.Near) != 1 {
		t.Fatalf("near: got %+v, want the other instalment", e.Near)
	}
	near := e.Near[0]
	if near.Outlet != "c" || len(near.Compared.NumbersThere) == 0 || near.Compared.NumbersThere[0] != "18" || !strings.Contains(near.Reason.VI, "18") || near.Evidence == "" {
		t.Errorf("near: got %+v, want the numbers told", near)
	}
	for _, want := range []string{"vì đăng sớm nhất: lúc 08:00 05/11/2024", "(published first: 08:00 05/11/2024", "bản gốc thật ở ngoài: “TTXVN”",
		"2 bản, cũ nhất trước", "tự ghi nguồn: “TTXVN”", "[-kỳ họp Hội đồng nhân dân tỉnh-]", "{+thảo luận vốn cho đường liên xã+}", "cả hai (both): “", "Gần giống nhưng không gộp", "số 18"} {
		if !strings.Contains(out, want) {
			t.Errorf("explain lacks %q:\n%s", want, out)
		}
	}
}

// TestExplainQuotesOnlyWithLeave: of outlets that allow their headlines alone,
// no passage is shown.
func TestExplainQuotesOnlyWithLeave(t *testing.T) {
	t.Parallel()
	e, _ := explainedText(t, store.ShowHeadline)
	if c := e.Copies[1].Compared; c == nil || c.Shared < 90 || len(c.Common)+len(c.OnlyHere)+len(c.OnlyThere) > 0 {
		t.Errorf("got %+v, want the share and no passage", c)
	}
}
