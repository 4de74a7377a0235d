package main

import (
	"fmt"
	"io"
	"strings"

	"diemtin/aggregator"
	"diemtin/aggregator/vi"
	"diemtin/store"
	"diemtin/syndicate"
)

// explainedStory is an explanation as the verb prints it: Vietnamese first, the
// English beside it.
type explainedStory struct {
	syndicate.Explanation
	Pages       map[int64]*explainedArticle `json:"pages"`                    // what became of each item's own page
	StoryTopics []store.Topic               `json:"story_topics"`             // of all its items together, after rulings
	Verdicts    []explainedVerdict          `json:"verdicts"`                 // of the configuration's rules on the quoted item
	Opinion     *explainedOpinion           `json:"second_opinion,omitempty"` // null if none is learned
	RulesFault  string                      `json:"rules_fault,omitempty"`    // why there are no verdicts
}

func (e explainedStory) write(w io.Writer) {
	fmt.Fprintf(w, "%s\n  tin/story     %s\n  lên trang     %s   (listed)\n  sửa lần cuối  %s   (last changed)\n", e.Title, e.Story, shown(e.Listed), shown(e.Updated))
	if e.Backfill {
		fmt.Fprintln(w, "  tin cũ: đến cùng lần đọc đầu tiên của nguồn, nên có ở trang và ngày, không có trong dòng tin hiện hành\n          (backfill: it came with a source's first visit, so it is on pages and days but not in current feeds)")
	}
	fmt.Fprintf(w, "  đang hiện     %s   (quoted)\n", e.Quoted)
	e.writeOriginal(w)
	if e.Province != "" {
		fmt.Fprintf(w, "  địa phương    %s   (province)\n", e.Province)
	}
	if len(e.Topics) == 0 {
		fmt.Fprintln(w, "  chuyên mục    không có: không từ ngữ nào khớp   (topics: none, no phrase was found)")
	}
	for _, t := range e.Topics {
		fmt.Fprintf(w, "  chuyên mục    %s   (topic)\n", topicLine(t))
	}
	e.writeVerdicts(w)
	fmt.Fprintf(w, "\n%d bản, cũ nhất trước   (%d copies, oldest first)\n", len(e.Copies), len(e.Copies))
	for _, c := range e.Copies {
		e.writeCopy(w, c)
	}
	writeNear(w, e.Near)
	writeRulingsWhy(w, e.Rulings)
}

func (e explainedStory) writeOriginal(w io.Writer) {
	fmt.Fprintf(w, "  bản gốc       %s   (original)\n", e.Original)
	if e.Outside != nil {
		fmt.Fprintf(w, "    bản gốc thật ở ngoài: “%s”; bản trên là bản tốt nhất được biết\n    (the true original is outside: %s; this is the best known copy)\n", e.Outside.Text, e.Outside.Text)
	}
	for _, r := range e.Reasons {
		fmt.Fprintf(w, "    vì %s\n    (%s)\n", r.VI, r.EN)
	}
	if len(e.Reasons) == 0 && e.Why != "" {
		fmt.Fprintf(w, "    đã ghi lại: %s   (as it was noted: %s)\n", aggregator.NotedVietnamese(e.Why), e.Why)
	}
}

func (e explainedStory) writeCopy(w io.Writer, c syndicate.CopyWhy) {
	var marks []string
	if c.Original {
		marks = append(marks, "BẢN GỐC/original")
	}
	if c.Quoted {
		marks = append(marks, "ĐANG HIỆN/quoted")
	}
	fmt.Fprintf(w, "\n  %s  %s  %s\n      %s\n      %s\n", shown(c.Published), c.Outlet, strings.Join(marks, ", "), c.Title, c.Link)
	for _, t := range c.Titles {
		fmt.Fprintf(w, "      tít cũ, đến %s: %s   (former headline)\n", shown(stamp(t.Until)), t.Title)
	}
	if c.Theo != "" {
		fmt.Fprintf(w, "      tự ghi nguồn: “%s”   (it names its source)\n", c.Theo)
	}
	p := e.Pages[c.Item]
	fmt.Fprintf(w, "      trang bài: %s   (%s)\n", p.vi(), p.line())
	writeSaid(w, "      ", c.Reason)
	if c.Clock != nil {
		writeSaid(w, "      ", *c.Clock)
	}
	if c.Merge.Evidence != "" && c.Merge.Reason != "first" {
		fmt.Fprintf(w, "      ghi lại khi gộp: %s %.2f: %s\n      (as noted: %s)\n", c.Merge.Reason, c.Merge.Score, aggregator.NotedVietnamese(c.Merge.Evidence), c.Merge.Evidence)
	}
	if c.Compared != nil {
		if len(e.Copies) > 0 && c.Title != e.Copies[0].Title {
			fmt.Fprintf(w, "      tít so với bản trên cùng: %s\n", marked(vi.Diff(e.Copies[0].Title, c.Title)))
		}
		writeCompared(w, *c.Compared)
	}
}

// marked writes a word diff in one line: [-removed-] {+added+}.
func marked(pieces []vi.Piece) string {
	words := make([]string, len(pieces))
	for i, p := range pieces {
		switch p.Edit {
		case vi.Removed:
			words[i] = "[-" + p.Text + "-]"
		case vi.Added:
			words[i] = "{+" + p.Text + "+}"
		default:
			words[i] = p.Text
		}
	}
	return strings.Join(words, " ")
}

func writeSaid(w io.Writer, indent string, s syndicate.Said) {
	fmt.Fprintf(w, "%s%s\n%s(%s)\n", indent, s.VI, indent, s.EN)
}

func writeCompared(w io.Writer, c syndicate.Compared) {
	line := func(sign, name string, passages []string) {
		for _, p := range passages {
			fmt.Fprintf(w, "      %s %s: “%s”\n", sign, name, p)
		}
	}
	line("=", "cả hai (both)", c.Common)
	line("+", "chỉ ở đây (only here)", c.OnlyHere)
	line("-", "chỉ ở kia (only there)", c.OnlyThere)
	if len(c.NumbersHere)+len(c.NumbersThere) > 0 {
		fmt.Fprintf(w, "      # số chỉ có ở đây: %s; chỉ có ở kia: %s   (numbers only here; only there)\n", list(c.NumbersHere), list(c.NumbersThere))
	}
}

func list(words []string) string {
	if len(words) == 0 {
		return "–"
	}
	return strings.Join(words, ", ")
}

func writeNear(w io.Writer, near []syndicate.NearWhy) {
	if len(near) == 0 {
		fmt.Fprintln(w, "\nKhông có tin nào gần giống.   (nothing near)")
		return
	}
	fmt.Fprintln(w, "\nGần giống nhưng không gộp   (near, and not merged)")
	for _, n := range near {
		fmt.Fprintf(w, "\n  %s  %s  %s\n      %s\n      %s\n", shown(n.Published), n.Outlet, n.Story, n.Title, n.Link)
		writeSaid(w, "      ", n.Reason)
		if n.Evidence != "" {
			fmt.Fprintf(w, "      phép so: %.2f: %s\n      (the verdict: %s)\n", n.Score, aggregator.NotedVietnamese(n.Evidence), n.Evidence)
		}
		writeCompared(w, n.Compared)
	}
}

func writeRulingsWhy(w io.Writer, rulings []syndicate.RulingWhy) {
	if len(rulings) == 0 {
		return
	}
	fmt.Fprintln(w, "\nBiên tập viên đã quyết định   (rulings)")
	for _, r := range rulings {
		fmt.Fprintf(w, "  %s  %s: %s   (%s)\n", shown(r.At), r.Who, r.Did.VI, r.Did.EN)
		if r.Why != "" {
			fmt.Fprintf(w, "      “%s”\n", r.Why)
		}
	}
}
