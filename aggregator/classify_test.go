package aggregator

import (
	"math/rand"
	"reflect"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"

	"diemtin/store"
)

// topic is a valid topic with the phrases given in plain form.
func topic(id string, phrases ...string) TopicConfig {
	t := TopicConfig{ID: store.Topic(id), Name: TopicName{VI: id, EN: id}}
	for _, p := range phrases {
		t.Phrases = append(t.Phrases, PhraseConfig{Phrase: p})
	}
	return t
}

// with adds entries to a topic.
func (t TopicConfig) with(entries ...PhraseConfig) TopicConfig {
	t.Phrases = append(t.Phrases, entries...)
	return t
}

// excluding adds exclusions to a topic.
func (t TopicConfig) excluding(entries ...ExcludeConfig) TopicConfig {
	t.Exclude = append(t.Exclude, entries...)
	return t
}

// classifier compiles topics that must be valid.
func classifier(t *testing.T, topics ...TopicConfig) *Classifier {
	t.Helper()
	c, err := NewClassifier(topics)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// brief writes the topics of an item as "a b", primary first.
func brief(topics []store.ItemTopic) string {
	var ids []string
	for i, it := range topics {
		if it.Primary != (i == 0) {
			return "primary not first and alone"
		}
		ids = append(ids, string(it.Topic))
	}
	return strings.Join(ids, " ")
}

func TestMatching(t *testing.T) {
	t.Parallel()
	foreign := topic("the-gioi", "Thủ tướng Anh", "đảng Cộng hòa")
	named := topic("phap-luat", "công an")
	named.Names = []string{"(báo|CLB) <Tên>"}
	tests := []struct {
		name   string
		topics []TopicConfig
		title  string
		want   string
	}{
		{"a phrase on syllable boundaries", []TopicConfig{topic("a", "dự án")}, "Nhiều dự án mới", "a"},
		{"not a part of a syllable", []TopicConfig{topic("a", "án")}, "Dáng hình", ""},
		{"other tones are other words", []TopicConfig{topic("a", "đảng")}, "Đang có nhiều dạng đáng chú ý", ""},
		{"tone placement does not matter", []TopicConfig{topic("a", "hòa bình", "thủy sản")}, "Hoà bình cho thuỷ sản", "a"},
		{"decomposed text", []TopicConfig{topic("a", "chống lãng phí")}, norm.NFD.String("Chống lãng phí"), "a"},
		{"punctuation between syllables", []TopicConfig{topic("a", "phòng chống tham nhũng")}, "Phòng, chống tham nhũng", "a"},
		{"slashes and hyphens", []TopicConfig{topic("a", "144-QĐ/TW")}, "Quy định 144-QĐ/TW mới", "a"},
		{"not across sentences", []TopicConfig{topic("a", "bộ trưởng Anh")}, "Gặp bộ trưởng. Anh kể lại", ""},
		{"an abbreviation's point is no sentence", []TopicConfig{topic("a", "TP.HCM")}, "Mưa lớn ở TP.HCM", "a"},
		{"small letters match capitals", []TopicConfig{topic("a", "tỉnh ủy")}, "Tỉnh ủy họp", "a"},
		{"a capital asks for one", []TopicConfig{topic("a", "Ban Tổ chức")}, "Lỗi của ban tổ chức lễ hội", ""},
		{"a capital that is there", []TopicConfig{topic("a", "Ban Tổ chức")}, "Việc của Ban Tổ chức", "a"},
		{"a headline in capitals", []TopicConfig{topic("a", "Ban Tổ chức")}, "BAN TỔ CHỨC TỈNH ỦY HỌP", "a"},
		{"an acronym asks for capitals throughout", []TopicConfig{topic("a", "AI")}, "Ai sẽ đi", ""},
		{"an acronym", []TopicConfig{topic("a", "AI")}, "Học máy và AI", "a"},
		{"exact case", []TopicConfig{topic("a").with(PhraseConfig{Phrase: "đảng", Case: true})}, "Vì Đảng", ""},
		{"a capitalised word alone", []TopicConfig{topic("a", "Đảng")}, "Lời thề trước Đảng", "a"},
		{"not as part of a longer name", []TopicConfig{topic("a", "Mỹ")}, "Đường về Mỹ Tho", ""},
		{"nor at the end of a phrase", []TopicConfig{topic("a", "thăm Lào")}, "Chủ tịch nước thăm Lào Cai", ""},
		{"but before a verb", []TopicConfig{topic("a", "thăm Lào")}, "Chủ tịch nước thăm Lào sáng nay", "a"},
		{"a name of two words goes on", []TopicConfig{topic("a", "thăm Nhật Bản")}, "Chủ tịch nước thăm Nhật Bản Tết này", "a"},
		{"y for i", []TopicConfig{topic("a", "liệt sĩ", "kỷ luật")}, "Hài cốt liệt sỹ", "a"},
		{"i for y", []TopicConfig{topic("a", "liệt sĩ", "kỷ luật")}, "Kĩ luật và kỉ luật", "a"},
		{"but not in another sound", []TopicConfig{topic("a", "quý")}, "Qui mô", ""},
		{"but before a foreign name", []TopicConfig{topic("a", "Mỹ")}, "Người Mỹ Donald Duck", "a"},
		{"longest hides shorter", []TopicConfig{topic("chinh-phu", "Thủ tướng"), foreign}, "Thủ tướng Anh phát biểu", "the-gioi"},
		{"only inside it", []TopicConfig{topic("chinh-phu", "Thủ tướng"), foreign}, "Thủ tướng gặp Thủ tướng Anh", "chinh-phu the-gioi"},
		{"a name hides and counts for nothing", []TopicConfig{named}, "Đọc báo Công an nhân dân", ""},
		{"outside the name", []TopicConfig{named}, "Công an mời báo Thanh Niên", "phap-luat"},
		{"a name needs a capital", []TopicConfig{named}, "Người dân báo công an", "phap-luat"},
		{"foreign names", []TopicConfig{topic("a", "thủ tướng <Tên ngoại>")}, "Thủ tướng Rutte từ chức", "a"},
		{"Vietnamese names are none", []TopicConfig{topic("a", "thủ tướng <Tên ngoại>")}, "Thủ tướng Nguyễn Xuân Phúc", ""},
		{"alternatives", []TopicConfig{topic("a", "giá (vàng|xăng)")}, "Giá xăng giảm", "a"},
		{"an empty alternative", []TopicConfig{topic("a", "giá (|xăng) dầu")}, "Giá dầu giảm", "a"},
		{"a mask", []TopicConfig{topic("a", "lãng phí").excluding(ExcludeConfig{Phrase: "lãng phí cơ hội"})}, "Lãng phí cơ hội", ""},
		{"outside the mask", []TopicConfig{topic("a", "lãng phí").excluding(ExcludeConfig{Phrase: "lãng phí cơ hội"})}, "Lãng phí cơ hội là lãng phí lớn", "a"},
		{"silence", []TopicConfig{topic("a", "kỷ luật").excluding(ExcludeConfig{Phrase: "cầu thủ", Silence: true})}, "Kỷ luật hai cầu thủ", ""},
		{"negative weight", []TopicConfig{topic("a", "kỷ luật").with(PhraseConfig{Phrase: "học sinh", Weight: -1})}, "Kỷ luật học sinh", ""},
		{"the whole group", []TopicConfig{topic("a").with(PhraseConfig{All: []string{"kỷ luật", "đảng viên"}})}, "Đảng viên bị kỷ luật", "a"},
		{"half a group", []TopicConfig{topic("a").with(PhraseConfig{All: []string{"kỷ luật", "đảng viên"}})}, "Học sinh bị kỷ luật", ""},
		{"near", []TopicConfig{topic("a").with(PhraseConfig{All: []string{"mua", "nhà"}, Within: 3})}, "Mua nhà", "a"},
		{"too far", []TopicConfig{topic("a").with(PhraseConfig{All: []string{"mua", "nhà"}, Within: 3})}, "Mua xe rồi bán nhà", ""},
		{"first", []TopicConfig{topic("a").with(PhraseConfig{Phrase: "Nhật Bản", First: true})}, "Nhật Bản: núi lửa phun", "a"},
		{"not first", []TopicConfig{topic("a").with(PhraseConfig{Phrase: "Nhật Bản", First: true})}, "Mừng Nhật Bản", ""},
		{"any", []TopicConfig{topic("a").with(PhraseConfig{Any: []string{"lúa", "ngô"}})}, "Giá ngô", "a"},
		{"nothing", []TopicConfig{topic("a", "lúa")}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := classifier(t, tt.topics...)
			if got := brief(c.Classify(Text{Title: tt.title})); got != tt.want {
				t.Errorf("Classify(%q) = %q, want %q\n%v", tt.title, got, tt.want, c.Judge(Text{Title: tt.title}))
			}
		})
	}
}

func TestScores(t *testing.T) {
	t.Parallel()
	body := topic("a").with(PhraseConfig{Any: []string{"một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám"}})
	tests := []struct {
		name  string
		topic TopicConfig
		text  Text
		want  float64
	}{
		{"title", topic("a", "lúa"), Text{Title: "lúa"}, 2},
		{"summary", topic("a", "lúa"), Text{Summary: "lúa"}, 1},
		{"title and summary", topic("a", "lúa"), Text{Title: "lúa", Summary: "lúa"}, 3},
		{"repeated in a place", topic("a", "lúa"), Text{Title: "lúa là lúa"}, 2},
		{"weight", topic("a").with(PhraseConfig{Phrase: "lúa", Weight: 2.5}), Text{Title: "lúa"}, 5},
		{"two in one place", topic("a", "lúa", "ngô"), Text{Title: "lúa, ngô"}, 4},
		{"one topic's phrase inside another of its own", topic("a", "lúa", "lúa mùa"), Text{Title: "lúa mùa"}, 2},
		{"heavier of two on the same syllables", topic("a", "lúa").with(PhraseConfig{Phrase: "Lúa", Weight: 2}), Text{Title: "Lúa"}, 4},
		{"only in the places named", topic("a").with(PhraseConfig{Phrase: "lúa", In: []string{"summary"}}), Text{Title: "lúa", Summary: "lúa"}, 1},
		{"bodies are capped", body, Text{Title: "một", Body: "một hai ba bốn năm sáu bảy tám"}, 2 + bodyCap},
		{"a group counts where its last part stands", topic("a").with(PhraseConfig{All: []string{"lúa", "ngô"}}), Text{Title: "lúa", Summary: "ngô"}, 1},
		{"a group in the title", topic("a").with(PhraseConfig{All: []string{"lúa", "ngô"}}), Text{Title: "lúa ngô", Summary: "ngô"}, 2},
		{"scope that fits", topic("a").with(PhraseConfig{Phrase: "lúa", Scope: []store.Scope{store.Provincial}}), Text{Title: "lúa", Scope: store.Provincial}, 2},
		{"scope that does not", topic("a", "ngô").with(PhraseConfig{Phrase: "lúa", Scope: []store.Scope{store.Provincial}}), Text{Title: "lúa ngô", Scope: store.National}, 2},
		{"section", topic("a", "lúa"), Text{Title: "lúa", Section: "a"}, 2 + sectionPrior},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := classifier(t, tt.topic).Classify(tt.text)
			if len(got) != 1 || got[0].Score != tt.want {
				t.Errorf("Classify = %+v, want one topic with %v", got, tt.want)
			}
		})
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	a, b := topic("a").with(PhraseConfig{Phrase: "lúa", Weight: 2}), topic("b", "ngô")
	yielding := a
	yielding.Yields = []store.Topic{"b"}
	ring := topic("b").with(PhraseConfig{Phrase: "ngô", Weight: 2})
	ring.Yields = []store.Topic{"a"}
	tests := []struct {
		name   string
		topics []TopicConfig
		text   Text
		want   string
	}{
		{"more points first", []TopicConfig{b, a}, Text{Title: "ngô lúa", Summary: "ngô"}, "a b"},
		{"half of the points are enough for a second", []TopicConfig{a, b.with(PhraseConfig{Phrase: "sắn", Weight: 1.25})}, Text{Title: "lúa sắn"}, "a b"},
		{"less is not", []TopicConfig{a, b}, Text{Title: "ngô lúa"}, "a"},
		{"a tie is", []TopicConfig{topic("a", "lúa"), b}, Text{Title: "ngô lúa"}, "a b"},
		{"a lone word beside what everything speaks for is not", []TopicConfig{a.with(PhraseConfig{Phrase: "khoai", Weight: 5}, PhraseConfig{Phrase: "vườn", Weight: 5}), b.with(PhraseConfig{Phrase: "sắn", Weight: 3})},
			Text{Title: "lúa khoai vườn", Summary: "sắn"}, "a"},
		{"same points in the order of the file", []TopicConfig{topic("b", "ngô"), topic("a", "lúa")}, Text{Title: "lúa ngô"}, "b a"},
		{"too weak for a second", []TopicConfig{a, b}, Text{Title: "lúa", Summary: "ngô"}, "a"},
		{"sure enough for a second", []TopicConfig{a.with(PhraseConfig{Phrase: "khoai", Weight: 5}), b.with(PhraseConfig{Phrase: "sắn", Weight: 3})},
			Text{Title: "lúa khoai", Summary: "sắn"}, "a b"},
		{"not sure enough", []TopicConfig{a.with(PhraseConfig{Phrase: "khoai", Weight: 5}), b.with(PhraseConfig{Phrase: "sắn", Weight: 2.5})},
			Text{Title: "lúa khoai", Summary: "sắn"}, "a"},
		{"weak alone", []TopicConfig{a, b}, Text{Summary: "ngô"}, "b"},
		{"too weak alone", []TopicConfig{topic("a").with(PhraseConfig{Phrase: "lúa", Weight: 0.5})}, Text{Summary: "lúa"}, ""},
		{"yields", []TopicConfig{yielding, b}, Text{Title: "lúa ngô", Summary: "ngô"}, "b a"},
		{"does not yield to a mention", []TopicConfig{yielding, b}, Text{Title: "lúa", Summary: "ngô"}, "a"},
		{"yielding in a ring ends", []TopicConfig{yielding, ring}, Text{Title: "lúa ngô"}, "a b"},
		{"section alone", []TopicConfig{a, b}, Text{Title: "khoai", Section: "b"}, "b"},
		{"section is no verdict", []TopicConfig{a, b}, Text{Title: "lúa", Section: "b"}, "a"},
		{"section with a hint", []TopicConfig{a, b}, Text{Title: "lúa ngô", Section: "b"}, "a b"},
		{"section of a silenced topic", []TopicConfig{a, b.excluding(ExcludeConfig{Phrase: "khoai", Silence: true})}, Text{Title: "khoai", Section: "b"}, ""},
		{"section that is no topic", []TopicConfig{a, b}, Text{Title: "khoai", Section: "c"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := classifier(t, tt.topics...)
			if got := brief(c.Classify(tt.text)); got != tt.want {
				t.Errorf("Classify(%+v) = %q, want %q\n%v", tt.text, got, tt.want, c.Judge(tt.text))
			}
		})
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	c := classifier(t, topic("a", "giá (lúa|ngô)").with(PhraseConfig{All: []string{"mùa", "vụ"}, Weight: 0.5}))
	got := c.Classify(Text{Title: "Giá lúa", Summary: "mùa này vụ này", Section: "a"})
	want := []store.ItemTopic{{Topic: "a", Score: 4.5, Primary: true, Reasons: []store.Phrase{
		{Text: "giá lúa", Place: "title", Weight: 2},
		{Text: "mùa + vụ", Place: "summary", Weight: 0.5},
		{Text: "a", Place: "section", Weight: 2},
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Classify = %+v, want %+v", got, want)
	}
}

// A group's reason is the words that were found, not all that could have been.
func TestGroupReasons(t *testing.T) {
	t.Parallel()
	all := []string{"(trụ sở|công sở|chợ)", "(bỏ hoang|bỏ không)"}
	for _, tt := range []struct {
		name   string
		within int
		text   Text
		want   string
	}{
		{"in one place", 0, Text{Title: "Chợ xã bỏ hoang"}, "chợ + bỏ hoang @title"},
		{"over two", 0, Text{Title: "Công sở ba tỷ", Summary: "Trụ sở bỏ không"}, "công sở + bỏ không @summary"},
		{"near", 5, Text{Title: "Công sở mới xây giữa cánh đồng, trụ sở cũ bỏ không"}, "trụ sở + bỏ không @title"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := classifier(t, topic("a").with(PhraseConfig{All: all, Within: tt.within})).Classify(tt.text)
			if len(got) != 1 || len(got[0].Reasons) != 1 || got[0].Reasons[0].Text+" @"+got[0].Reasons[0].Place != tt.want {
				t.Errorf("got %+v, want %q", got, tt.want)
			}
		})
	}
}

func TestJudgeTellsWhatWasNotChosen(t *testing.T) {
	t.Parallel()
	c := classifier(t, topic("a", "lúa"), topic("b").with(PhraseConfig{Phrase: "ngô", Weight: 0.25}),
		topic("c", "khoai").excluding(ExcludeConfig{Phrase: "lúa", Silence: true}))
	got := c.Judge(Text{Title: "lúa ngô khoai"})
	want := []Verdict{
		{ItemTopic: store.ItemTopic{Topic: "a", Score: 2, Primary: true, Reasons: []store.Phrase{{Text: "lúa", Place: "title", Weight: 2}}}, Chosen: true, Needed: primaryNeeds, Paths: []string{"[0].phrases[0]"}},
		{ItemTopic: store.ItemTopic{Topic: "b", Score: 0.5, Reasons: []store.Phrase{{Text: "ngô", Place: "title", Weight: 0.5}}}, Needed: furtherTie, Paths: []string{"[1].phrases[0]"}},
		{ItemTopic: store.ItemTopic{Topic: "c", Score: 2, Reasons: []store.Phrase{{Text: "khoai", Place: "title", Weight: 2}}}, Needed: furtherTie, Silenced: "lúa",
			Paths: []string{"[2].phrases[0]"}, Silencer: "[2].exclude[0]"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Judge = %+v, want %+v", got, want)
	}
}

func TestClassifyConcurrentlyTheSame(t *testing.T) {
	t.Parallel()
	c := classifier(t, shippedTopics(t)...)
	items := heldOut(t)
	want := make([][]store.ItemTopic, len(items))
	for i, it := range items {
		want[i] = c.Classify(it.text())
	}
	var wg sync.WaitGroup
	for seed := range int64(4) {
		wg.Go(func() {
			for _, i := range rand.New(rand.NewSource(seed)).Perm(len(items)) {
				if got := c.Classify(items[i].text()); !reflect.DeepEqual(got, want[i]) {
					t.Errorf("Classify(%q) = %v, before %v", items[i].Title, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func FuzzClassify(f *testing.F) {
	c, err := NewClassifier([]TopicConfig{
		topic("a", "giá (lúa|ngô)", "Mỹ", "báo <Tên>", "ông <Tên ngoại>").with(PhraseConfig{All: []string{"mua", "nhà"}, Within: 5}),
		topic("b", "lúa").excluding(ExcludeConfig{Phrase: "giá lúa"}),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Giá lúa ở Mỹ Tho", "ông Trump mua. Nhà báo Thanh Niên", "\xff\xfe lúa\u0300")
	f.Fuzz(func(t *testing.T, title, summary, body string) {
		primaries := 0
		got := c.Classify(Text{Title: title, Summary: summary, Body: body})
		for _, it := range got {
			if it.Primary {
				primaries++
			}
			if len(it.Reasons) == 0 || it.Score < primaryNeeds {
				t.Errorf("topic without evidence: %+v", it)
			}
		}
		if len(got) > 0 && (primaries != 1 || !got[0].Primary) {
			t.Errorf("primary not first and alone: %+v", got)
		}
	})
}
