package aggregator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"go.yaml.in/yaml/v3"

	"diemtin/store"
)

// shippedTopics reads the topics of the shipped feeds.yaml.
func shippedTopics(t testing.TB) []TopicConfig {
	t.Helper()
	raw, err := os.ReadFile("../feeds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Topics []TopicConfig        `yaml:"topics"`
		Rest   map[string]yaml.Node `yaml:",inline"`
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file.Topics
}

// labelled is a headline with lead and the topics a reader gave it.
type labelled struct {
	ID, Title, Summary string
	Primary            store.Topic
	Also               []store.Topic
}

func (l labelled) text() Text { return Text{Title: l.Title, Summary: l.Summary} }

// readLabelled reads one JSON object a line.
func readLabelled(t testing.TB, path string) ([]labelled, error) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var items []labelled
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		var it labelled
		if err := json.Unmarshal(lines.Bytes(), &it); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		items = append(items, it)
	}
	return items, lines.Err()
}

// heldOut is the set of made-up headlines labelled before the rules were
// written.
func heldOut(t testing.TB) []labelled {
	t.Helper()
	items, err := readLabelled(t, "testdata/classify/held-out.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// accuracy is how well the rules do on a labelled set.
type accuracy struct {
	primary           float64 // share of items whose primary topic is right
	precision, recall float64 // of all topics together
}

// measure classifies all items and logs those whose primary topic is wrong.
func measure(t *testing.T, c *Classifier, items []labelled) accuracy {
	t.Helper()
	right, good, given, wanted := 0, 0, 0, 0
	for _, it := range items {
		want := map[store.Topic]bool{it.Primary: true}
		for _, also := range it.Also {
			want[also] = true
		}
		got := c.Classify(it.text())
		if len(got) > 0 && got[0].Topic == it.Primary {
			right++
		} else {
			t.Logf("%s %q: want %s, got %s", it.ID, it.Title, it.Primary, brief(got))
		}
		for _, topic := range got {
			if want[topic.Topic] {
				good++
			}
		}
		given += len(got)
		wanted += len(want)
	}
	a := accuracy{
		primary:   float64(right) / float64(len(items)),
		precision: float64(good) / float64(given),
		recall:    float64(good) / float64(wanted),
	}
	t.Logf("%d items: primary %.3f, precision %.3f, recall %.3f, F1 %.3f", len(items), a.primary,
		a.precision, a.recall, 2*a.precision*a.recall/(a.precision+a.recall))
	return a
}

func TestShippedTopics(t *testing.T) {
	t.Parallel()
	topics := shippedTopics(t)
	Topics(topics).Check(func(path, problem string) { t.Errorf("topics%s: %s", path, problem) })
	ids := []store.Topic{"xay-dung-dang", "to-chuc-can-bo", "kiem-tra-thanh-tra", "chong-tham-nhung", "chong-lang-phi",
		"tuyen-giao", "quoc-hoi-hdnd", "chinh-phu", "mat-tran-doan-the", "doi-ngoai", "quoc-phong-an-ninh", "kinh-te",
		"nong-nghiep", "moi-truong", "giao-duc", "y-te", "van-hoa", "xa-hoi", "phap-luat", "khoa-hoc-cong-nghe",
		"the-thao", "the-gioi", "do-thi-giao-thong"}
	if len(topics) != len(ids) {
		t.Fatalf("%d topics, want %d", len(topics), len(ids))
	}
	for i, topic := range topics {
		if topic.ID != ids[i] {
			t.Errorf("topic %d is %q, want %q", i, topic.ID, ids[i])
		}
		if len(topic.Examples.Yes) < 4 || len(topic.Examples.No) < 4 {
			t.Errorf("topic %q has %d and %d examples, want 4 of each", topic.ID, len(topic.Examples.Yes), len(topic.Examples.No))
		}
	}
	faults, err := RunExamples(topics)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Errorf("topics%s: %s", fault.Path, fault)
	}
}

// The traps of the field: what must never get the topic, and what must be
// primary instead, if that is certain.
func TestShippedTraps(t *testing.T) {
	t.Parallel()
	c := classifier(t, shippedTopics(t)...)
	tests := []struct {
		title   string
		not     store.Topic
		primary store.Topic // empty: any other
	}{
		{"Đảng Dân chủ thắng lớn ở bang Virginia", "xay-dung-dang", "the-gioi"},
		{"Đảng Bảo thủ chọn lãnh đạo mới thay bà Liz Truss", "xay-dung-dang", "the-gioi"},
		{"Thủ tướng Canada tuyên bố từ chức", "chinh-phu", "the-gioi"},
		{"Quốc hội Pháp bỏ phiếu bất tín nhiệm chính phủ", "quoc-hoi-hdnd", "the-gioi"},
		{"Bộ trưởng Quốc phòng Nga thị sát tiền tuyến", "quoc-phong-an-ninh", "the-gioi"},
		{"Hai mẹ con tiết kiệm từng đồng để mua căn nhà nhỏ", "chong-lang-phi", ""},
		{"Nhà toán học thừa nhận đã lãng phí cơ hội đoạt giải", "chong-lang-phi", ""},
		{"Chánh thanh tra huyện tử vong sau cú ngã xe", "kiem-tra-thanh-tra", ""},
		{"Kẹt xe kéo dài trên đường Thanh Niên", "mat-tran-doan-the", "do-thi-giao-thong"},
		{"CLB Công an TP.HCM hòa trận mở màn V-League", "phap-luat", "the-thao"},
		{"Bệnh viện Công an tỉnh khám bệnh miễn phí", "phap-luat", "y-te"},
		{"Trung vệ bị kỷ luật nội bộ, vắng mặt trận bán kết", "kiem-tra-thanh-tra", "the-thao"},
		{"Ban Chỉ đạo Trung ương về phòng, chống tham nhũng, lãng phí, tiêu cực họp", "chong-lang-phi", "chong-tham-nhung"},
		{"BAN CHỈ ĐẠO TRUNG ƯƠNG VỀ PHÒNG, CHỐNG THAM NHŨNG, LÃNG PHÍ, TIÊU CỰC HỌP", "chong-lang-phi", "chong-tham-nhung"},
		{"Cử tri Mỹ xếp hàng bỏ phiếu sớm", "quoc-hoi-hdnd", "the-gioi"},
		{"Chủ tịch Đảng Cộng sản Nhật Bản kêu gọi bãi bỏ căn cứ Mỹ", "xay-dung-dang", "the-gioi"},
		{"Thủ tướng Thái Lan bị tòa đình chỉ chức vụ", "kiem-tra-thanh-tra", "the-gioi"},
		{"Người đàn ông treo cổ ở trụ sở công an xã", "chong-lang-phi", ""},
		{"Xe công nông lật, tài xế tử vong", "chong-lang-phi", "do-thi-giao-thong"},
		{"Bất động sản đóng cửa phiên trong sắc đỏ, dự án nghìn tỷ chờ vốn", "chong-lang-phi", ""},
		{"Di dời 250 cây xanh để thi công cầu Thủ Thiêm 2", "the-thao", "do-thi-giao-thong"},
		{"Ông Lê Văn Hậu giữ chức Giám đốc Sở Tài chính", "the-thao", "to-chuc-can-bo"},
		{"Áp thấp nhiệt đới mạnh lên trên Biển Đông", "doi-ngoai", "moi-truong"},
		{"Vòi nước vỡ, phố cổ mất nước", "chong-tham-nhung", ""},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			t.Parallel()
			got := c.Classify(Text{Title: tt.title})
			for _, topic := range got {
				if topic.Topic == tt.not {
					t.Errorf("got %s: %v", tt.not, c.Judge(Text{Title: tt.title}))
				}
			}
			if tt.primary != "" && (len(got) == 0 || got[0].Topic != tt.primary) {
				t.Errorf("primary of %q, want %s: %v", brief(got), tt.primary, c.Judge(Text{Title: tt.title}))
			}
		})
	}
}

// The sets of made-up headlines: held-out was labelled before any phrase was
// written, and the rules have been mended with it since; fresh-dev and
// fresh-kept are halves of a second set, fresh-last is a third of another
// manner, traps/1 to traps/9 are nine of the years since 2024, each written and
// counted once before it was looked at (docs/topics.md). traps/8 and traps/9 are
// of a second hand, traps/10 are its hard cases, written between the two.
func TestHeldOut(t *testing.T) {
	t.Parallel()
	c := classifier(t, shippedTopics(t)...)
	for file, floor := range map[string]accuracy{
		"held-out":   {primary: 0.97, precision: 0.91, recall: 0.84},
		"fresh-dev":  {primary: 0.90, precision: 0.87, recall: 0.88},
		"fresh-kept": {primary: 0.87, precision: 0.80, recall: 0.90},
		"fresh-last": {primary: 0.90, precision: 0.78, recall: 0.93},
		"traps/1":    {primary: 0.92, precision: 0.81, recall: 0.91},
		"traps/2":    {primary: 0.94, precision: 0.80, recall: 0.87},
		"traps/3":    {primary: 0.89, precision: 0.74, recall: 0.91},
		"traps/4":    {primary: 0.94, precision: 0.78, recall: 0.91},
		"traps/5":    {primary: 0.87, precision: 0.80, recall: 0.88},
		"traps/6":    {primary: 0.85, precision: 0.69, recall: 0.94},
		"traps/7":    {primary: 0.96, precision: 0.76, recall: 0.90},
		"traps/8":    {primary: 0.92, precision: 0.81, recall: 0.90},
		"traps/9":    {primary: 0.84, precision: 0.80, recall: 0.93},
		"traps/10":   {primary: 0.84, precision: 0.74, recall: 0.89},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			items, err := readLabelled(t, "testdata/classify/"+file+".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			got := measure(t, c, items)
			if got.primary < floor.primary || got.precision < floor.precision || got.recall < floor.recall {
				t.Errorf("accuracy %+v is below the floor %+v", got, floor)
			}
		})
	}
}

func TestLabelled(t *testing.T) {
	t.Parallel()
	items, err := readLabelled(t, "../../shared/data/topics/labelled.jsonl")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no labelled set beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := measure(t, classifier(t, shippedTopics(t)...), items); got.primary < 0.85 {
		t.Errorf("primary right in %.3f, want 0.85", got.primary)
	}
}

func BenchmarkNewClassifier(b *testing.B) {
	topics := shippedTopics(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewClassifier(topics); err != nil {
			b.Fatal(err)
		}
	}
}
