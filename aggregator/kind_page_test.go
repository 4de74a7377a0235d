package aggregator

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"diemtin/store"
)

func TestReadPage(t *testing.T) {
	t.Parallel()
	const body = `<ul class=news>
<li><a href="/1"><img src=1.jpg alt="ảnh 1"></a><h3><a href="/1">Một &lt; hai</a></h3></li>
<li><a href="/2" title="Nhan đề đầy đủ &amp; dài">Nhan đề đầy đủ...</a></li>
<li><a href="/3" title="Bấm để xem">Ba chấm...</a></li>
<li><a href="/4"><img src=4.jpg alt="Chỉ có ảnh"></a></li>
<li><a href="#">Lên đầu trang</a></li>
<li><a href="">Rỗng</a></li>
<li>Không liên kết</li>
</ul>`
	doc := &Document{URL: "https://x.vn/tin", FinalURL: "https://x.vn/tin", Status: 200, Header: http.Header{}, Body: []byte(body)}
	rd, err := readPage(doc, SourceConfig{Page: &PageConfig{Item: "ul.news > li"}}, Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range rd.entries {
		got = append(got, e.Link+" "+lineOf(e.Title))
	}
	want := []string{"/1 Một < hai", "/2 Nhan đề đầy đủ & dài", "/3 Ba chấm...", "/4 Chỉ có ảnh"}
	if !slices.Equal(got, want) || len(rd.repairs) != 1 || rd.repairs[0].Count != 3 {
		t.Errorf("got %q, repairs %v, want %q and three without a link", got, rd.repairs, want)
	}
}

func TestReadPageRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       store.Outcome
	}{
		{"nothing matches", "<p>Xin chào</p>", store.NotAFeed},
		{"no element has a link", "<ul><li>Một<li><a href=/2></a></ul>", store.NotAFeed},
		{"a crowd of elements", strings.Repeat("<li><b><i><u>", 100_000), store.TooLarge},
	} {
		doc := &Document{URL: "https://x.vn/", FinalURL: "https://x.vn/", Status: 200, Header: http.Header{}, Body: []byte(tt.body)}
		_, err := readPage(doc, SourceConfig{Page: &PageConfig{Item: "li"}}, Limits{}.withDefaults())
		if got := outcomeOf(err); err == nil || got != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
