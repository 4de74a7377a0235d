package syndicate

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

func TestBody(t *testing.T) {
	t.Parallel()
	outlets := sampleConfig().Outlets
	national, provincial, headlines, hidden := outlets[0], outlets[1], outlets[2], outlets[3]
	const source = `<p>Nguồn: <a href="https://laocai.example.vn/tin/bai-1.html">Báo Lào Cai</a></p>`
	short := quoted(func(it *store.Item) { it.Summary = "Tóm tắt." })
	tests := []struct {
		name   string
		outlet store.Outlet
		change func(*store.Story)
		want   string
	}{
		{"summary allowed", provincial, short, source + `<p>Tóm tắt.</p>`},
		{"headline only", headlines, short, `<p>Nguồn: <a href="https://tieude.example.vn/tin/bai-1.html">Báo Chỉ Tiêu Đề</a></p>`},
		{"terms unknown", store.Outlet{ID: "x", Name: "Báo X", Domains: []string{"x.example.vn"}}, short,
			`<p>Nguồn: <a href="https://x.example.vn/tin/bai-1.html">Báo X</a></p>`},
		{"named agency", provincial, quoted(func(it *store.Item) {
			it.Summary, it.Attribution = "", store.Attribution{Text: "TTXVN"}
		}), strings.TrimSuffix(source, "</p>") + ` (theo TTXVN)</p>`},
		{"known outlet with link", provincial, quoted(func(it *store.Item) {
			it.Summary, it.Attribution = "", store.Attribution{Outlet: "trunguong", Link: "https://trunguong.example.vn/a?b&c"}
		}), strings.TrimSuffix(source, "</p>") + ` (theo <a href="https://trunguong.example.vn/a?b&amp;c">Báo Trung Ương</a>)</p>`},
		{"names itself by id", provincial, quoted(func(it *store.Item) {
			it.Summary, it.Attribution = "", store.Attribution{Text: "BLC", Outlet: "laocai"}
		}), source},
		{"names itself by name", provincial, quoted(func(it *store.Item) {
			it.Summary, it.Attribution = "", store.Attribution{Text: "báo Lào cai"}
		}), source},
		{"original elsewhere", provincial, func(st *store.Story) {
			short(st)
			st.Original = sampleStory(7, national).Quoted
		}, source + `<p>Tóm tắt.</p><p>Bản gốc: <a href="https://trunguong.example.vn/tin/bai-7.html">Báo Trung Ương</a></p>`},
		{"original of an outlet that is not shown", provincial, func(st *store.Story) {
			short(st)
			st.Original = sampleStory(7, hidden).Quoted
		}, source + `<p>Tóm tắt.</p>`},
		{"original of an unknown outlet", provincial, func(st *store.Story) {
			short(st)
			st.Original = sampleStory(7, store.Outlet{ID: "cu", Domains: []string{"cu.example.vn"}}).Quoted
		}, source + `<p>Tóm tắt.</p><p>Bản gốc: <a href="https://cu.example.vn/tin/bai-7.html">cu.example.vn</a></p>`},
		{"changed", provincial, func(st *store.Story) {
			short(st)
			st.Updated = st.Listed.Add(24 * time.Hour)
		}, source + `<p>Tóm tắt.</p><p>Cập nhật lúc 14:18 06/11/2024</p>`},
		{"long summary", provincial, quoted(func(it *store.Item) { it.Summary = strings.Repeat("tin ", 100) }),
			source + `<p>` + strings.TrimSpace(strings.Repeat("tin ", 60)) + `…</p>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := sampleFeed("", "", sampleStory(1, tt.outlet, tt.change))
			e := f.entry(&f.Stories[0])
			if e.body != tt.want {
				t.Errorf("got\n%s\nwant\n%s", e.body, tt.want)
			}
		})
	}
}

func TestPicturesOnlyWhereAllowed(t *testing.T) {
	t.Parallel()
	with := quoted(func(it *store.Item) { it.Image = "https://" + it.Outlet + ".example.vn/a.png" })
	for _, o := range sampleConfig().Outlets {
		feed := sampleFeed("", "", sampleStory(1, o, with))
		for _, f := range formats {
			doc, err := f.render(feed)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Contains(doc, []byte("a.png")); got != o.Images {
				t.Errorf("%s in %s: shown %v, want %v", o.Name, f.name, got, o.Images)
			}
		}
	}
}

// TestWhatMustNotChangeAFeed: copies come and go and hosts move, and readers
// must see neither as news.
func TestWhatMustNotChangeAFeed(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		before, err := f.render(typicalFeed())
		if err != nil {
			t.Fatal(err)
		}
		more := typicalFeed()
		for i := range more.Stories {
			more.Stories[i].Carriers += 30
			more.Stories[i].Why = "another reason"
		}
		if got, _ := f.render(more); !bytes.Equal(got, before) {
			t.Errorf("%s: the number of copies changes it", f.name)
		}
		moved := typicalFeed()
		moved.Config.Site.BaseURL = "https://khac.example.org"
		got, _ := f.render(moved)
		for i := range moved.Stories {
			if id := storyURN(moved.Stories[i].ID); !bytes.Contains(before, []byte(id)) || !bytes.Contains(got, []byte(id)) {
				t.Errorf("%s: the id %s depends on the host", f.name, id)
			}
		}
	}
}

func TestWebLink(t *testing.T) {
	t.Parallel()
	tests := []struct{ raw, want string }{
		{"https://laocai.example.vn/a/b.html?x=1&y=2#z", "https://laocai.example.vn/a/b.html?x=1&y=2#z"},
		{" HTTP://LaoCai.Example.VN ", "http://laocai.example.vn"},
		{"https://laocai.example.vn/tin tức/đảng", "https://laocai.example.vn/tin%20t%E1%BB%A9c/%C4%91%E1%BA%A3ng"},
		{"https://laocai.example.vn/%C4%91/100%/%zz", "https://laocai.example.vn/%C4%91/100%25/%25zz"},
		{"https://báo.vn:8443/", "https://xn--bo-mia.vn:8443/"},
		{"https://user:pw@laocai.example.vn/", "https://laocai.example.vn/"},
		{"https://laocai.example.vn/a#b#c", "https://laocai.example.vn/a#b%23c"},
		{"https://laocai.example.vn/a\n\tb\x00", "https://laocai.example.vn/ab"},
		{"https://laocai.example.vn\\@evil.example/", "https://laocai.example.vn/%5C@evil.example/"},
		{"https://[2001:db8::1]:8080/a[1]", "https://[2001:db8::1]:8080/a%5B1%5D"},
		{"https://\x80/", ""}, {"https://[bad/", ""}, {"https://a:b:c/", ""}, {"https://a b/", ""}, {"https:///a", ""}, {"https://", ""},
		{"javascript:alert(1)", ""}, {"ftp://laocai.example.vn/", ""}, {"//laocai.example.vn/", ""}, {"/tin/1", ""}, {"", ""},
	}
	for _, tt := range tests {
		if got := webLink(tt.raw); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.raw, got, tt.want)
		}
	}
}
