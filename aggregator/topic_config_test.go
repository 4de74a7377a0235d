package aggregator

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"diemtin/store"
)

func TestTopicsCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		topics Topics
		want   []string // path: part of the problem
	}{
		{"sound", Topics{topic("kinh-te", "giá vàng"), topic("y-te", "bác sĩ")}, nil},
		{"duplicate id", Topics{topic("a", "x"), topic("a", "y")}, []string{`[1].id: topic "a" stands twice, first at [0]`}},
		{"bad id", Topics{topic("Kinh tế", "x")}, []string{`[0].id: topic id "Kinh tế": want small letters`}},
		{"no id", Topics{{Name: TopicName{VI: "a", EN: "a"}}}, []string{`[0].id: topic id ""`}},
		{"no names", Topics{{ID: "a"}}, []string{`[0].name.vi: topic "a" has no Vietnamese name`, `[0].name.en: topic "a" has no English name`}},
		{"empty phrase", Topics{topic("a", "x", " ")}, []string{`[0].phrases[1].phrase: phrase "" has 0 syllables`}},
		{"no phrase", Topics{topic("a").with(PhraseConfig{Weight: 2})}, []string{`[0].phrases[0]: an entry needs one of phrase, any, all`}},
		{"phrase and group", Topics{topic("a").with(PhraseConfig{Phrase: "x", All: []string{"y", "z"}})}, []string{`[0].phrases[0]: an entry needs one of`}},
		{"group of one", Topics{topic("a").with(PhraseConfig{All: []string{"y"}})}, []string{`[0].phrases[0].all: a group of 1 phrases: want 2 to 8`}},
		{"empty any", Topics{topic("a").with(PhraseConfig{Any: []string{}})}, []string{`[0].phrases[0].any: an empty list`}},
		{"within alone", Topics{topic("a").with(PhraseConfig{Phrase: "x", Within: 5})}, []string{`[0].phrases[0].within: within 5: want 2 to 100 syllables, and an all-group`}},
		{"weight", Topics{topic("a", "x", "y").with(PhraseConfig{Phrase: "z", Weight: 50})}, []string{`[0].phrases[2].weight: weight 50: want -5 to 5`}},
		{"weight that is no number", Topics{topic("a").with(PhraseConfig{Phrase: "z", Weight: math.NaN()})}, []string{`[0].phrases[0].weight: weight NaN`}},
		{"place", Topics{topic("a").with(PhraseConfig{Phrase: "z", In: []string{"title", "head"}})}, []string{`[0].phrases[0].in[1]: place "head": want one of [title summary body]`}},
		{"scope", Topics{topic("a").with(PhraseConfig{Phrase: "z", Scope: []store.Scope{"local"}})}, []string{`[0].phrases[0].scope[0]: scope "local": want one of [national ministry provincial]`}},
		{"exclusion", Topics{topic("a").excluding(ExcludeConfig{Phrase: "(x", In: []string{"foot"}})}, []string{`[0].exclude[0].phrase: phrase "(x": '(' has no ')'`, `[0].exclude[0].in[0]: place "foot"`}},
		{"unknown set", Topics{topic("a", "tại <nước>")}, []string{`[0].phrases[0].phrase: phrase "tại <nước>": no set "nước"; there are <Tên ngoại>, <Tên>`}},
		{"open ending in the middle", Topics{topic("a", "báo <Tên> viết")}, []string{`[0].phrases[0].phrase: phrase "báo <Tên> viết": <Tên> and <Tên ngoại> may stand at the end only`}},
		{"stray bracket", Topics{topic("a", "a | b")}, []string{`'|' stands alone`}},
		{"too long", Topics{topic("a", strings.Repeat("x ", 17))}, []string{`has 17 syllables: want 1 to 16`}},
		{"yields", Topics{{ID: "a", Name: TopicName{VI: "a", EN: "a"}, Yields: []store.Topic{"b"}}}, []string{`[0].yields[0]: topic "b": want another topic`}},
		{"empty example", Topics{{ID: "a", Name: TopicName{VI: "a", EN: "a"}, Examples: TopicExamples{No: []string{"…"}}}}, []string{`[0].examples.no[0]: example "…"`}},
		{"sets", Topics{
			{ID: "a", Name: TopicName{VI: "a", EN: "a"}, Sets: []PhraseSet{{Name: "nước", Words: []string{"Lào", ""}}, {Name: "Tên", Words: []string{"x"}}}},
			{ID: "b", Name: TopicName{VI: "b", EN: "b"}, Sets: []PhraseSet{{Name: "nước", Words: []string{"Mỹ"}}, {Name: "c"}}},
		}, []string{`[0].sets[0].words[1]: word ""`, `[0].sets[1].name: set name "Tên"`, `[1].sets[0].name: set "nước" stands twice`, `[1].sets[1].words: set "c" has no words`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			tt.topics.Check(func(path, problem string) { got = append(got, path+": "+problem) })
			if len(got) != len(tt.want) {
				t.Fatalf("Check found %q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("Check found %q, want %q", got[i], tt.want[i])
				}
			}
			_, err := NewClassifier(tt.topics)
			if (err != nil) != (tt.want != nil) {
				t.Errorf("NewClassifier: %v", err)
			}
		})
	}
}

func TestTooManyVariants(t *testing.T) {
	t.Parallel()
	many := topic("a", "<s> <s>")
	many.Sets = []PhraseSet{{Name: "s"}}
	for range 200 {
		many.Sets[0].Words = append(many.Sets[0].Words, "x")
	}
	if _, err := NewClassifier([]TopicConfig{many}); err == nil || !strings.Contains(err.Error(), "stands for more than 16384 phrases") {
		t.Errorf("NewClassifier: %v", err)
	}
}

func TestNoTopics(t *testing.T) {
	t.Parallel()
	if _, err := NewClassifier(nil); err == nil {
		t.Error("no error for an empty list")
	}
}

func TestPlainForms(t *testing.T) {
	t.Parallel()
	const text = `
id: a
name: {vi: A, en: A}
phrases: [giá vàng, {phrase: SJC, weight: 2}]
exclude: [giá vàng mã, {phrase: x, silence: true}]
`
	var got TopicConfig
	if err := yaml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := TopicConfig{ID: "a", Name: TopicName{VI: "A", EN: "A"},
		Phrases: []PhraseConfig{{Phrase: "giá vàng"}, {Phrase: "SJC", Weight: 2}},
		Exclude: []ExcludeConfig{{Phrase: "giá vàng mã"}, {Phrase: "x", Silence: true}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	sets := phraseSets{"nước": {"Mỹ", "Nga"}}
	tests := []struct {
		phrase string
		want   []string
	}{
		{"giá vàng", []string{"giá vàng"}},
		{"(vua|chúa) <nước>", []string{"vua Mỹ", "vua Nga", "chúa Mỹ", "chúa Nga"}},
		{"(<nước>|ASEAN)", []string{"Mỹ", "Nga", "ASEAN"}},
		{"giá (|bán) điện", []string{"giá điện", "giá bán điện"}},
		{"(a|a)", []string{"a"}},
		{"(báo|tờ) <Tên>", []string{"báo <Tên>", "tờ <Tên>"}},
	}
	for _, tt := range tests {
		t.Run(tt.phrase, func(t *testing.T) {
			t.Parallel()
			variants, err := sets.expand(tt.phrase)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range variants {
				got = append(got, v.text)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("expand(%q) = %q, want %q", tt.phrase, got, tt.want)
			}
		})
	}
}

func TestRunExamplesSaysWhy(t *testing.T) {
	t.Parallel()
	rice := topic("lua", "lúa")
	rice.Examples = TopicExamples{Yes: []string{"Lúa chín", "Ngô chín", "Khoai chín"}, No: []string{"Lúa và ngô", "Sắn"}}
	faults, err := RunExamples([]TopicConfig{rice, topic("ngo", "ngô")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Path+" "+f.String())
	}
	want := []string{
		`[0].examples.yes[1] topic "lua": example "Ngô chín" must get it and did not: nothing speaks for it; ngo 2 of 1, primary: ngô (title 2)`,
		`[0].examples.yes[2] topic "lua": example "Khoai chín" must get it and did not: nothing speaks for it`,
		`[0].examples.no[0] topic "lua": example "Lúa và ngô" got it and must not: lua 2 of 1, primary: lúa (title 2); ngo 2 of 2, chosen: ngô (title 2)`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIsForeignName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Trump": true, "Macron": true, "Putin": true, "Modi": true, "Abe": true, "Erdogan": true, "Rutte": true,
		"Kim": false, "Nguyễn": false, "Phúc": false, "Giang": false, "Quyền": false, "Nghiêm": false, "Oanh": false,
		"Khuyến": false, "Yến": false, "Uyên": false, "UBND": false, "G7": false, "trump": false, "Ly": false, "Ý": false,
		"Gì": false, "Thuở": false, "Khuya": false, "Xoong": true,
	} {
		if got := isForeignName(name); got != want {
			t.Errorf("isForeignName(%q) = %v, want %v", name, got, want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	sets := phraseSets{"nước": {"Mỹ", "Nga"}}
	for _, seed := range []string{"giá (vàng|xăng)", "<nước>", "(<nước>|a) <Tên>", "((", "<>", ">|)", "(a|"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, phrase string) {
		variants, err := sets.expand(phrase)
		if err == nil && len(variants) == 0 {
			t.Errorf("expand(%q) gives nothing and no error", phrase)
		}
		for _, v := range variants {
			if len(v.words) == 0 || len(v.words) > maxPhraseSyllables {
				t.Errorf("expand(%q) gives %q", phrase, v.text)
			}
		}
	})
}
