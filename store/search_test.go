package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// said is an article with a headline and a summary.
func said(n int, title, summary string, change ...func(*store.Item)) store.Item {
	link := fmt.Sprintf("http://o0.example/%d", n)
	it := store.Item{Title: title, Summary: summary, Link: link, Aliases: []string{"link:" + link}, Fingerprint: uint64(n + 1),
		Topics: []store.ItemTopic{{Topic: "kinh-te", Primary: true}}, Province: "lao-cai", Lang: "vi"}
	for _, f := range change {
		f(&it)
	}
	return it
}

// desk is an open store with two outlets, for tests of what is found.
type desk struct {
	t    *testing.T
	db   *store.DB
	open func() *store.DB
}

func newDesk(t *testing.T, open func() *store.DB) *desk {
	t.Helper()
	d := &desk{t, open(), open}
	outlets, sources := outlets(2)
	if err := d.db.Sync(t.Context(), outlets, sources); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) visit(source string, at time.Time, items ...store.Item) {
	d.t.Helper()
	_, err := d.db.Record(d.t.Context(), store.Refresh{Source: store.Source{ID: source + "-home", Outlet: source, State: store.SourceState{Visited: true}},
		At: at, Items: items, Settle: func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }}, sameTitle{})
	if err != nil {
		d.t.Fatal(err)
	}
}

// found are the headlines that a query finds.
func (d *desk) found(q store.Query) []string {
	d.t.Helper()
	if q.Limit == 0 {
		q.Limit = 10
	}
	all, err := d.db.Stories(d.t.Context(), q)
	if err != nil {
		d.t.Fatalf("%+v: %v", q, err)
	}
	titles := []string{}
	for _, s := range all {
		titles = append(titles, s.Quoted.Title)
	}
	return titles
}

func (d *desk) search(words string) []string {
	d.t.Helper()
	w, err := store.ParseWords(words)
	if err != nil {
		d.t.Fatalf("%q: %v", words, err)
	}
	return d.found(store.Query{Selection: store.Selection{Words: w}})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open)
		d.visit("o0", now, said(1, "Vải thiều Thanh Hà vào vụ", "Nông dân phấn khởi."))
		d.visit("o0", now.Add(time.Minute), said(2, "Điểm thi vào lớp 10", "Công bố ngày 5/11, thiều quang."))
		d.visit("o0", now.Add(2*time.Minute), said(3, "Chợ vải", "Tơ lụa và thiều hoa; 1.500 gian hàng.",
			func(it *store.Item) { it.Province, it.Lang = "hung-yen", "" }))
		for _, tt := range []struct {
			words string
			want  []string
		}{
			{"vải", []string{"Chợ vải", "Vải thiều Thanh Hà vào vụ"}},
			{"VAI thieu", []string{"Chợ vải", "Vải thiều Thanh Hà vào vụ"}},
			{`"vai thieu"`, []string{"Vải thiều Thanh Hà vào vụ"}},
			{`“vải thiều”`, []string{"Vải thiều Thanh Hà vào vụ"}},
			{"va\u0309i", []string{"Chợ vải", "Vải thiều Thanh Hà vào vụ"}},
			{"thiều -vải", []string{"Điểm thi vào lớp 10"}},
			{`thieu -"vai thieu" -diem`, []string{"Chợ vải"}},
			{"diem", []string{"Điểm thi vào lớp 10"}},
			{"1.500", []string{"Chợ vải"}},
			{"5/11", []string{"Điểm thi vào lớp 10"}},
			{`"vai thieu`, []string{"Vải thiều Thanh Hà vào vụ"}},
			{"vai OR diem", []string{}},
			{"thie", []string{}},
			{"không có đâu", []string{}},
		} {
			if got := d.search(tt.words); !slices.Equal(got, tt.want) {
				t.Errorf("%q: got %q, want %q", tt.words, got, tt.want)
			}
		}
		vai := store.Words{All: []store.Term{{"vai"}}}
		for name, tt := range map[string]struct {
			sel  store.Selection
			want []string
		}{
			"with a province":     {store.Selection{Words: vai, Provinces: []string{"hung-yen"}}, []string{"Chợ vải"}},
			"any of":              {store.Selection{Words: store.Words{Any: []store.Term{{"diem", "thi"}, {"cho"}}}}, []string{"Chợ vải", "Điểm thi vào lớp 10"}},
			"only not":            {store.Selection{Words: store.Words{Not: []store.Term{{"vai"}}}}, []string{"Điểm thi vào lớp 10"}},
			"of a day":            {store.Selection{Words: vai, Day: store.DayOf(now)}, []string{"Chợ vải", "Vải thiều Thanh Hà vào vụ"}},
			"language":            {store.Selection{Languages: []string{""}}, []string{"Chợ vải"}},
			"words and language":  {store.Selection{Words: vai, Languages: []string{"vi"}}, []string{"Vải thiều Thanh Hà vào vụ"}},
			"without a topic":     {store.Selection{NotTopics: []store.Topic{"kinh-te"}}, []string{}},
			"without an outlet":   {store.Selection{Words: vai, NotOutlets: []string{"o0"}}, []string{}},
			"without another one": {store.Selection{Words: vai, NotOutlets: []string{"o1"}}, []string{"Chợ vải", "Vải thiều Thanh Hà vào vụ"}},
			"either": {store.Selection{Either: true, Provinces: []string{"hung-yen"}, Outlets: []string{"o1"}, Topics: []store.Topic{"kinh-te"}},
				[]string{"Chợ vải", "Điểm thi vào lớp 10", "Vải thiều Thanh Hà vào vụ"}},
			"neither": {store.Selection{Either: true, Provinces: []string{"ha-noi"}, Outlets: []string{"o1"}}, []string{}},
		} {
			if got := d.found(store.Query{Selection: tt.sel}); !slices.Equal(got, tt.want) {
				t.Errorf("%s: got %q, want %q", name, got, tt.want)
			}
		}
	})
}

// What readers see no more is not found; what is edited is found by its new
// words alone, at its old place.
func TestSearchFollowsTheStory(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open)
		d.visit("o0", now, said(1, "Lũ ống ở Bắc Hà", "Ba người mất tích."))
		d.visit("o0", now.Add(time.Minute), said(2, "Lũ ống rút", ""))
		d.visit("o0", now.Add(2*time.Minute), said(1, "Lũ ống ở Bắc Hà: hai người về", "Còn một.", func(it *store.Item) { it.Fingerprint = 99 }))
		if got, want := d.search("lu ong"), []string{"Lũ ống rút", "Lũ ống ở Bắc Hà: hai người về"}; !slices.Equal(got, want) {
			t.Errorf("after an edit: got %q, want %q", got, want)
		}
		if got := d.search("mất tích"); len(got) > 0 {
			t.Errorf("the words before the edit still find %q", got)
		}
		w, _ := store.ParseWords("bắc hà")
		all, err := d.db.Stories(t.Context(), store.Query{Selection: store.Selection{Words: w}, Limit: 1})
		if err != nil || len(all) != 1 {
			t.Fatalf("got %d stories, %v", len(all), err)
		}
		rule := func(verb store.RuleVerb) {
			t.Helper()
			if _, err := d.db.Rule(t.Context(), store.Ruling{Who: "lan", Why: "thử", At: now.Add(time.Hour), Verb: verb, Story: all[0].ID}, sameTitle{}); err != nil {
				t.Fatal(err)
			}
		}
		rule(store.RuleHide)
		if got := d.search("bắc hà"); len(got) > 0 {
			t.Errorf("hidden, and found: %q", got)
		}
		win, err := d.db.Window(t.Context(), store.Query{Selection: store.Selection{Words: w}, Limit: 5})
		if err != nil || len(win.Stories) != 0 || len(win.Gone) != 1 || win.Gone[0].Story != all[0].ID {
			t.Errorf("window after hiding: %+v, %v; want its tombstone alone", win, err)
		}
		other, _ := store.ParseWords("rút")
		if win, err = d.db.Window(t.Context(), store.Query{Selection: store.Selection{Words: other}, Limit: 5}); err != nil || len(win.Gone) != 0 {
			t.Errorf("another search tells of it: %+v, %v", win.Gone, err)
		}
		rule(store.RuleRestore)
		if got := d.search("bắc hà"); len(got) != 1 {
			t.Errorf("restored: got %q", got)
		}
		d.visit("o1", now.Add(2*time.Hour), said(5, "Lũ ống rút", "", func(it *store.Item) {
			it.Link, it.Aliases = "http://o1.example/5", []string{"link:http://o1.example/5"}
		}))
		before := d.search("lu ong")
		d.db.Close()
		d.db = d.open()
		if got := d.search("lu ong"); !slices.Equal(got, before) {
			t.Errorf("opened anew: got %q, want %q", got, before)
		}
	})
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open)
		var want []string
		for n := range 25 {
			title := fmt.Sprintf("Tin lũ số %d", n)
			d.visit("o0", now.Add(time.Duration(n)*time.Minute), said(n, title, "", func(it *store.Item) {
				if n%5 == 0 {
					it.Province = "hung-yen"
				}
			}))
			want = append([]string{title}, want...)
		}
		w, _ := store.ParseWords("lũ")
		var got []string
		q := store.Query{Selection: store.Selection{Words: w}, Limit: 4}
		for {
			all, err := d.db.Stories(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				got = append(got, s.Quoted.Title)
				q.Before = store.Cursor{At: s.Listed, ID: s.ID}
			}
			if len(all) < q.Limit {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		q = store.Query{Selection: store.Selection{Words: w, Provinces: []string{"hung-yen"}}, Limit: 5}
		if got := d.found(q); len(got) != 5 || got[4] != "Tin lũ số 0" {
			t.Errorf("in a province: got %q", got)
		}
	})
}

// A database of an older program becomes searchable when it is opened.
func TestSearchOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + t.TempDir() + "/old.db"
	d := newDesk(t, opener(t, dsn))
	d.visit("o0", now, said(1, "Lũ ống ở Bắc Hà", ""), said(2, "Chợ phiên", ""))
	d.db.Close()
	plain := plainSQL(t, dsn)
	for _, q := range []string{`DELETE FROM meta WHERE name = 'searchable'`, `DROP TABLE search`,
		`CREATE VIRTUAL TABLE search USING fts5(words, content='', contentless_delete=1, tokenize='ascii')`} {
		if _, err := plain.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	plain.Close()
	d.db = d.open()
	if got := d.search("lu ong"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestParseWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in  string
		all string
		not string
		err error
	}{
		{"Vải thiều", "[[vai] [thieu]]", "[]", nil},
		{`"Đảng bộ" -hội "x`, "[[dang bo] [x]]", "[[hoi]]", nil},
		{"covid-19", "[[covid 19]]", "[]", nil},
		{"a -", "[[a]]", "[]", nil},
		{"--a b", "[[b]]", "[[a]]", nil},
		{`a"b c"d`, "[[a] [b c] [d]]", "[]", nil},
		{"NEAR(a b) a* ^b col:c", "[[near a] [b] [a] [b] [col c]]", "[]", nil},
		{"北京 Москва", "[[北京] [москва]]", "[]", nil},
		{"", "", "", store.ErrNoWords},
		{"-a", "", "", store.ErrNoWords},
		{`"" ' ; % *`, "", "", store.ErrNoWords},
		{strings.Repeat("a ", 13), "", "", store.ErrTooMany},
		{`"` + strings.Repeat("a ", 17), "", "", store.ErrTooMany},
		{strings.Repeat("a", 201), "", "", store.ErrTooMany},
	} {
		w, err := store.ParseWords(tt.in)
		if !errors.Is(err, tt.err) || err == nil && (fmt.Sprint(w.All) != tt.all || fmt.Sprint(w.Not) != tt.not) {
			t.Errorf("%q: got %v %v %v, want %s %s %v", tt.in, w.All, w.Not, err, tt.all, tt.not, tt.err)
		}
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ search, text, want string }{
		{"vai", "Vải thiều, vải lụa", "[Vải] thiều, [vải] lụa"},
		{`"vai thieu" thieu`, "Vải thiều vào vụ; thiều hoa", "[Vải thiều] vào vụ; [thiều] hoa"},
		{`"a b" "b c"`, "x A b, C d", "x [A b, C] d"},
		{"dang", "ĐẢNG đãng da\u0306ng", "[ĐẢNG] [đãng] [da\u0306ng]"},
		{"a -b", "b a", "b [a]"},
	} {
		w, err := store.ParseWords(tt.search)
		if err != nil {
			t.Fatal(err)
		}
		got, at := "", 0
		for _, m := range w.Marks(tt.text) {
			got, at = got+tt.text[at:m[0]]+"["+tt.text[m[0]:m[1]]+"]", m[1]
		}
		if got += tt.text[at:]; got != tt.want {
			t.Errorf("%q in %q: got %q, want %q", tt.search, tt.text, got, tt.want)
		}
	}
}

// Whatever is searched for, both engines answer, and what is found holds the
// words.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"lũ", `"lũ ống" -bắc`, "NEAR(a,b)", `"; DROP TABLE stories; --`, "a* OR ^b {c}:d", "' & ! | <-> :*", "\x00\xff\"", "-\"", "ﬁ İ ẞ ĿŁ", "\\' \\\"", "(((((", "a:b AND NOT c"} {
		f.Add(s)
	}
	var dbs []*store.DB
	for _, dsn := range fuzzDSNs(f) {
		db, err := store.Open(f.Context(), dsn)
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { db.Close() })
		outlets, sources := outlets(1)
		if err := db.Sync(f.Context(), outlets, sources); err != nil {
			f.Fatal(err)
		}
		items := []store.Item{said(1, "Lũ ống ở Bắc Hà", "a b c d ﬁ İ ẞ 北京"), said(2, "NEAR OR AND NOT a:b", `'x' "y"`)}
		if _, err := db.Record(f.Context(), store.Refresh{Source: sources[0], At: now, Items: items,
			Settle: func(store.Changes) store.SourceState { return store.SourceState{} }}, sameTitle{}); err != nil {
			f.Fatal(err)
		}
		dbs = append(dbs, db)
	}
	f.Fuzz(func(t *testing.T, search string) {
		w, err := store.ParseWords(search)
		if err != nil {
			return
		}
		var first []string
		for i, db := range dbs {
			all, err := db.Stories(t.Context(), store.Query{Selection: store.Selection{Words: w}, Limit: 10})
			if err != nil {
				t.Fatalf("%q: %v", search, err)
			}
			ids := []string{}
			for _, s := range all {
				ids = append(ids, s.ID)
				if marks := w.Marks(s.Quoted.Title + " " + s.Quoted.Summary); len(marks) == 0 {
					t.Errorf("%q found %q, where nothing is to be marked", search, s.Quoted.Title)
				}
			}
			read, err := db.Stories(t.Context(), store.Query{Selection: store.Selection{Words: w, Day: store.DayOf(now)}, Limit: 10})
			if err != nil || len(read) != len(all) {
				t.Errorf("%q: the index finds %d, reading them finds %d, %v", search, len(all), len(read), err)
			}
			if i == 0 {
				first = ids
			} else if !slices.Equal(ids, first) {
				t.Errorf("%q: the engines find %v and %v", search, first, ids)
			}
		}
	})
}

func fuzzDSNs(f *testing.F) []string {
	dsns := []string{"sqlite:" + f.TempDir() + "/fuzz.db"}
	if base := os.Getenv("DIEMTIN_TEST_POSTGRES"); base != "" {
		dsns = append(dsns, freshSchema(f, base))
	}
	return dsns
}

func plainSQL(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// A search may be limited to days of publication: the newest stories with its
// words, more than are looked up, do not hide those of long ago.
func TestSearchWithinDays(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sync1(t, db, 1)
		for i, at := range []time.Time{now.AddDate(0, 0, -30), now.AddDate(0, 0, -29), now.AddDate(0, 0, -1), now} {
			record(t, db, "o0-home", at.Add(time.Minute), article("o0", fmt.Sprintf("Vải thiều %d", i), at))
		}
		late := article("o0", "Vải thiều muộn", now.AddDate(0, 0, -29).Add(time.Hour)) // listed a month after
		record(t, db, "o0-home", now.Add(time.Hour), late)
		words, err := store.ParseWords("vải thiều")
		if err != nil {
			t.Fatal(err)
		}
		day := func(ago int) store.Day { return store.DayOf(now.AddDate(0, 0, -ago)) }
		for _, tt := range []struct {
			name     string
			from, to store.Day
			limit    int
			want     []string
		}{
			{"no bound", "", "", 10, []string{"Vải thiều muộn", "Vải thiều 3", "Vải thiều 2", "Vải thiều 1", "Vải thiều 0"}},
			{"from", day(1), "", 10, []string{"Vải thiều 3", "Vải thiều 2"}},
			{"to", "", day(29), 10, []string{"Vải thiều muộn", "Vải thiều 1", "Vải thiều 0"}},
			{"both", day(29), day(29), 10, []string{"Vải thiều muộn", "Vải thiều 1"}},
			{"a limit", "", day(29), 2, []string{"Vải thiều muộn", "Vải thiều 1"}},
			{"nothing", day(20), day(10), 10, nil},
		} {
			q := store.Query{Selection: store.Selection{Words: words, From: tt.from, To: tt.to}, Order: store.ByPublished, Limit: tt.limit}
			stories, err := db.Stories(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range stories {
				got = append(got, s.Quoted.Title)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}
