package aggregator

import (
	"fmt"
	"math/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// vocabulary is what the texts of these tests are made of.
var vocabulary = strings.Fields(contentText(floodText+goldText, maxMatchBytes))

// prose is n syllables that no other seed has in this order, in lines of about
// forty.
func prose(seed int64, n int) string {
	r := rand.New(rand.NewSource(seed))
	var b strings.Builder
	for i := range n {
		word := strings.Trim(vocabulary[r.Intn(len(vocabulary))], ".,;:%[]")
		switch {
		case i > 0 && i%40 == 0:
			b.WriteString(".</p><p>")
		case i > 0:
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return "<p>" + b.String() + ".</p>"
}

// desk is a judge over a real store.
type desk struct {
	t     *testing.T
	db    *store.DB
	judge *Judge
	n     int
}

func newDesk(t *testing.T, outlets int) *desk {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "news.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var all []store.Outlet
	var sources []store.Source
	for i := range outlets {
		id := fmt.Sprintf("bao%02d", i)
		all = append(all, store.Outlet{ID: id, Name: id, Scope: store.National, Show: store.ShowSummary})
		sources = append(sources, store.Source{ID: id, Outlet: id, Kind: "feed"})
	}
	if err := db.Sync(t.Context(), all, sources); err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, db: db, judge: NewJudge(NewNames(all))}
}

// publish stores an outlet's article and returns the id of its story.
func (n *desk) publish(outlet int, title, summary, content string, at time.Time) string {
	n.t.Helper()
	n.n++
	id := fmt.Sprintf("bao%02d", outlet)
	link := fmt.Sprintf("%s.vn/bai-viet-so-%d.html", id, n.n)
	it := store.Item{Title: title, Summary: summary, Content: content, Link: "https://" + link, Published: at, Fingerprint: 1, Aliases: []string{"link:" + link}}
	n.judge.Prepare(&it)
	r := store.Refresh{Source: store.Source{ID: id, Outlet: id, State: store.SourceState{Visited: true}}, At: at, Items: []store.Item{it},
		Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}
	if _, err := n.db.Record(n.t.Context(), r, n.judge); err != nil {
		n.t.Fatal(err)
	}
	story, err := n.db.StoryOfLink(n.t.Context(), link)
	if err != nil {
		n.t.Fatal(err)
	}
	return story
}

// A footer that is longer than the texts above it merges nothing: not when the
// first outlets write it, and not when it is known. Copies are told all the same.
func TestBoilerplateMergesNothing(t *testing.T) {
	t.Parallel()
	footer := prose(1, 200)
	for _, tc := range []struct {
		name    string
		outlets int // that append the footer
		length  int // syllables of each text
	}{
		{"thirty outlets", 30, 120},
		{"thirty outlets, notes of eighty syllables", 30, 80},
		{"one outlet", 1, 120},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newDesk(t, 31)
			stories := map[string]int{}
			var texts []string
			for i := range 60 {
				text := prose(int64(1000+i), tc.length)
				texts = append(texts, text)
				story := n.publish(i%tc.outlets, fmt.Sprintf("Tin thứ %s", prose(int64(5000+i), 9)), contentText(prose(int64(9000+i), 30), 500), text+footer, matchDay.Add(time.Duration(i)*time.Minute))
				if first, ok := stories[story]; ok {
					t.Errorf("article %d was merged with %d", i, first)
				}
				stories[story] = i
			}
			for i := 40; i < 60; i++ { // copies without the footer, and with another lead
				story := n.publish(30, "Báo khác đăng lại", contentText(prose(int64(7000+i), 30), 500), texts[i], matchDay.Add(2*time.Hour))
				if first, ok := stories[story]; !ok || first != i {
					t.Errorf("the copy of article %d was not told", i)
				}
			}
		})
	}
}

func TestSplitLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Câu này có mười một âm tiết để thử việc cắt dòng. ", 20)
	for _, tc := range []struct {
		name, text string
		want       int
	}{
		{"lines", "Một\n\n Hai \nBa", 3},
		{"a text without paragraphs is cut into sentences", long, 20},
		{"a long line without a full stop", strings.Repeat("chữ ", 400), 1},
		{"nothing", "", 0},
	} {
		if got := splitLines(tc.text); len(got) != tc.want {
			t.Errorf("%s: got %d lines, want %d", tc.name, len(got), tc.want)
		}
	}
}

func TestWithoutLines(t *testing.T) {
	t.Parallel()
	lines := make([]string, 20)
	for i := range lines {
		lines[i] = fmt.Sprintf("Dòng số %d của một bài viết dài vừa phải.", i)
	}
	text := strings.Join(lines, "\n")
	same, counted := withoutLines(text, nil)
	if same != text || len(counted) != countedHead+countedTail {
		t.Errorf("got %d counted lines, text kept: %v; want %d, the text as it was", len(counted), same == text, countedHead+countedTail)
	}
	common := lineKey("Dòng số 5 của  một bài viết, dài vừa phải!")
	kept, _ := withoutLines(text, func(line uint64) bool { return line == common })
	if strings.Contains(kept, "số 5 ") || !strings.Contains(kept, "số 4 ") || !strings.Contains(kept, "số 15") {
		t.Errorf("got %q, want it without line 5 alone", kept)
	}
}
