package aggregator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"diemtin/store"
)

func TestReadLabelledNamesLineAndField(t *testing.T) {
	t.Parallel()
	file := strings.Join([]string{
		`{"id": 7, "title": "Lúa chín", "primary": "lua", "also": ["ngo"], "more": true}`,
		``,
		`{"title": "Lúa", "primary": "sắn"}`,
		`{"title": 3, "primary": "lua"}`,
		`{"title": "Lúa"}`,
		`["Lúa"]`,
		`{"title": "Lúa", "primary": "lua"`,
		`{"title": "…", "primary": "lua"}`,
		`{"title": "Lúa", "primary": "lua", "also": ["ngo", "x"]}`,
		`{"title": "Lúa", "primary": "", "also": ["ngo"]}`,
		`{"title": "Lúa", "primary": "", "also": []}`,
	}, "\r\n")
	items, err := ReadLabelled(strings.NewReader("\ufeff"+file), "f.jsonl", []TopicConfig{topic("lua", "lúa"), topic("ngo", "ngô")})
	want := []string{
		`f.jsonl:3: primary: topic "sắn" is not in the configuration`,
		`f.jsonl:4: title: number: want text`,
		`f.jsonl:5: primary: missing`,
		`f.jsonl:6: want a JSON object`,
		`f.jsonl:7: this is not JSON: unexpected end`,
		`f.jsonl:8: title: want a headline`,
		`f.jsonl:9: also[1]: topic "x"`,
		`f.jsonl:10: primary: empty although`,
	}
	got := strings.Split(fmt.Sprint(err), "\n")
	if len(got) != len(want) {
		t.Fatalf("faults %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("fault %q, want %q", got[i], want[i])
		}
	}
	if len(items) != 2 || string(items[0].ID) != "7" || *items[1].Primary != "" {
		t.Errorf("good lines %+v", items)
	}
}

func TestEachLineTooLong(t *testing.T) {
	t.Parallel()
	in := `{"title": "` + strings.Repeat("a", maxLine) + "\"}\n" + `{"title": "b"}`
	var said []string
	err := EachLine(strings.NewReader(in), "f", func(n int, it *LooseItem) error {
		said = append(said, fmt.Sprint(n, it.Title))
		return nil
	}, func(f *LineFault) error { said = append(said, f.Error()); return nil })
	if err != nil || len(said) != 2 || !strings.HasPrefix(said[0], "f:1: the line is longer") || said[1] != "2b" {
		t.Errorf("%q, %v", said, err)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	c := classifier(t, topic("lua", "lúa"), topic("ngo", "ngô"), topic("san", "sắn"))
	line := func(title string, primary store.Topic, also ...store.Topic) Labelled {
		return Labelled{ID: json.RawMessage(`"` + title + `"`), Title: title, Primary: &primary, Also: also}
	}
	got := c.Measure([]Labelled{
		line("Lúa chín", "lua"),          // right
		line("Lúa và ngô", "lua"),        // ngo is one too many
		line("Khoai chín", "san"),        // missing
		line("Ngô", "lua", "ngo"),        // the primary one is wrong
		line("Mưa", ""),                  // none wanted, none given
		line("Lúa và sắn", "lua", "san"), // both right
	})
	want := Scores{N: 6, Primary: 0.6667, Micro: Rates{0.8333, 0.7143, 0.7692}, Topics: map[store.Topic]TopicRates{
		"lua": {Rates{1, 0.75, 0.8571}, 3, 3, 4},
		"ngo": {Rates{0.5, 1, 0.6667}, 1, 2, 1},
		"san": {Rates{1, 0.5, 0.6667}, 1, 1, 2},
	}, Wrong: []WrongLine{
		{json.RawMessage(`"Lúa và ngô"`), "Lúa và ngô", []store.Topic{"lua", "ngo"}, []store.Topic{"lua"}},
		{json.RawMessage(`"Khoai chín"`), "Khoai chín", []store.Topic{}, []store.Topic{"san"}},
		{json.RawMessage(`"Ngô"`), "Ngô", []store.Topic{"ngo"}, []store.Topic{"lua", "ngo"}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	text, err := json.Marshal(got)
	if err != nil || !bytes.HasPrefix(text, []byte(`{"n":6,"primary":0.6667,"micro":{"precision":0.8333,"recall":0.7143,"f1":0.7692},"topics":{"lua":{"precision":1,`)) {
		t.Errorf("JSON %s, %v", text, err)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	topics := []TopicConfig{topic("lua", "lúa"), topic("ngo", "ngô")}
	labels := `{"title": "Lúa", "primary": "lua"}` + "\n" + `{"title": "Khoai", "primary": "ngo"}`
	for _, tt := range []struct {
		gate GateConfig
		want string
	}{
		{GateConfig{File: "f", F1: 0.66}, ""},
		{GateConfig{File: "f", F1: 0.67}, "the rules do not pass: 2 items, F1 0.667 (precision 1.000, recall 0.500), primary right 0.500; the gate asks for F1 0.670 and primary 0.000; weakest: ngo 0 wrong, 1 missing, lua 0 wrong, 0 missing"},
		{GateConfig{File: "f", Primary: 0.6}, "the rules do not pass"},
	} {
		_, refused, err := tt.gate.Try(strings.NewReader(labels), topics)
		if err != nil || (tt.want == "") != (refused == "") || !strings.HasPrefix(refused, tt.want) {
			t.Errorf("gate %+v: %q, %v; want %q", tt.gate, refused, err, tt.want)
		}
	}
	var faults []string
	for _, g := range []GateConfig{{}, {F1: 2}, {File: "f"}, {File: "f", Primary: -1}} {
		g.Check(func(path, problem string) { faults = append(faults, path) })
	}
	if want := []string{"gate.file", "gate.f1", "gate", "gate.primary"}; !reflect.DeepEqual(faults, want) {
		t.Errorf("faults at %q, want %q", faults, want)
	}
}

// An example that lacks its topic names the phrase that hid its own, and both
// places.
func TestExampleNamesTheHidingPhrase(t *testing.T) {
	t.Parallel()
	waste := topic("lang-phi", "lãng phí").excluding(ExcludeConfig{Phrase: "không lãng phí"})
	waste.Examples = TopicExamples{Yes: []string{"Chống tham nhũng lãng phí", "Chống lãng phí", "Sống không lãng phí", "Đừng nói"}}
	waste.Names = []string{"báo Lãng Phí"}
	faults, err := RunExamples([]TopicConfig{waste, topic("tham-nhung", "tham nhũng lãng phí")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Describe(func(path string) string { return "<" + path + ">" }))
	}
	want := []string{
		`topic "lang-phi": example "Chống tham nhũng lãng phí" must get it and did not: nothing speaks for it; tham-nhung 2 of 1, primary: tham nhũng lãng phí (title 2 at <[1].phrases[0]>); "lãng phí" at <[0].phrases[0]> does not count inside "tham nhũng lãng phí" at <[1].phrases[0]>`,
		`topic "lang-phi": example "Sống không lãng phí" must get it and did not: nothing speaks for it; "lãng phí" at <[0].phrases[0]> does not count inside "không lãng phí" at <[0].exclude[0]>`,
		`topic "lang-phi": example "Đừng nói" must get it and did not: nothing speaks for it`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDiffer(t *testing.T) {
	t.Parallel()
	old := classifier(t, topic("lua", "lúa", "gạo"), topic("ngo", "ngô"))
	c := classifier(t, topic("lua", "lúa", "cấy"), topic("ngo", "ngô"), topic("banh", "bánh gạo", "bánh lúa"))
	d := NewDiffer(c, NewItemReader(Config{}, nil), 1)
	for i, title := range []string{"Lúa chín", "Gạo ngon", "Đi cấy", "Đi cấy sớm", "Bánh lúa", "Ngô"} {
		it := &store.Item{ID: int64(i), Title: title, Topics: old.Classify(Text{Title: title})}
		d.Add(it)
	}
	if d.Diff.Items != 6 || d.Diff.Changed != 4 || d.Diff.Primary != 4 || d.Diff.WithNone != [2]int{2, 1} {
		t.Errorf("sums %+v", d.Diff)
	}
	lua := d.Diff.Topics["lua"]
	want := &TopicDiff{Before: 3, After: 3, Gained: 2, Lost: 2,
		GainedSample: []DiffItem{{Item: 2, Title: "Đi cấy", Phrase: "cấy", Place: "title", Weight: 2, Path: "[0].phrases[1]", Score: 2, Needed: 1}},
		LostSample:   []DiffItem{{Item: 1, Title: "Gạo ngon", Phrase: "gạo", Place: "title", Weight: 2, Needed: 1, Why: "no longer a phrase of the topic"}}}
	if !reflect.DeepEqual(lua, want) {
		t.Errorf("got  %+v\nwant %+v", lua, want)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	s := NewSuggester("lua", []TopicConfig{topic("lua", "lúa", "trúng mùa"), topic("ngo", "ngô")})
	for i := range 8 {
		s.Inside(&store.Item{Title: fmt.Sprintf("Bà con gặt hái vụ %d", i), Summary: "Trúng mùa lớn. Hôm nay trời đẹp."})
		s.Inside(&store.Item{Title: "Gặt hái một lần"}) // the same headline counts once
	}
	for i := range 40 {
		s.Outside(&store.Item{Title: fmt.Sprintf("Bà con vui số %d", i), Summary: "Hôm nay trời đẹp."})
	}
	got := s.Suggest(10)
	if len(got) == 0 || got[0].Phrase != "gặt hái" || got[0].Inside != 9 || got[0].Outside != 0 || len(got[0].Samples) != 3 {
		t.Errorf("suggestions %+v", got)
	}
	for _, x := range got {
		for _, no := range []string{"trúng mùa", "mùa lớn", "trời đẹp", "hôm nay"} { // a rule, beside a rule, everywhere
			if strings.Contains(x.Phrase, no) {
				t.Errorf("suggests %q", x.Phrase)
			}
		}
	}
}

func FuzzEachLine(f *testing.F) {
	for _, seed := range []string{"{\"title\":\"a\"}\n", "\ufeff{}\r\n[]", "{\"id\":{}}", "\n\n", "{\"title\":1}", "{\"section\":\"a\",\"content\":\"<p>x\"}"} {
		f.Add([]byte(seed))
	}
	c, err := NewClassifier([]TopicConfig{topic("lua", "lúa")})
	if err != nil {
		f.Fatal(err)
	}
	reader := NewItemReader(Config{}, nil)
	f.Fuzz(func(t *testing.T, in []byte) {
		lines := bytes.Count(in, []byte("\n")) + 1
		last := 0
		err := EachLine(bytes.NewReader(in), "f", func(n int, it *LooseItem) error {
			if n <= last || n > lines {
				t.Errorf("line %d after %d of %d", n, last, lines)
			}
			last = n
			text, _ := reader.Loose(it)
			c.Classify(text)
			return nil
		}, func(fault *LineFault) error {
			if fault.Problem == "" || fault.Line <= last {
				t.Errorf("fault %v after %d", fault, last)
			}
			last = fault.Line
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
