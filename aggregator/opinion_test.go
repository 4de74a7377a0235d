package aggregator

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"diemtin/store"
)

// taught is an opinion on rice and maize, learned from made-up sections.
func taught(t *testing.T) *Opinion {
	t.Helper()
	o := lessons(false).Learn(func() bool { return true })
	if o == nil || o.Heard() != 2 {
		t.Fatalf("nothing learned: %+v", o)
	}
	return o
}

// lessons are a section on rice and one on maize, which share most words.
func lessons(backwards bool) *Learner {
	all := lessonTexts()
	if backwards {
		slices.Reverse(all)
	}
	l := NewLearner()
	for _, text := range all {
		l.Add(text)
	}
	return l
}

func lessonTexts() []Text {
	words := map[store.Topic][]string{
		"lua": {"gieo mạ sớm", "cấy trên ruộng nước", "máy gặt đập liên hợp", "hạt gạo trắng", "đồng bằng ngập lũ"},
		"ngo": {"bắp nếp tím", "bẹ chín khô", "nương rẫy cao", "thức ăn chăn nuôi", "hạt vàng óng"},
	}
	var all []Text
	for i := range 1200 {
		topic := []store.Topic{"lua", "ngo"}[i%2]
		all = append(all, Text{Title: fmt.Sprintf("Bà con thôn %s mùa thứ n%d: %s", []string{"Đông", "Đoài", "Thượng"}[i%3], i, words[topic][i/2%5]),
			Summary: "Vụ này " + words[topic][(i/2+1)%5] + ".", Section: topic})
	}
	return all
}

var opinionTopics = []TopicConfig{
	{ID: "lua", Name: TopicName{VI: "Lúa", EN: "Rice"}, Phrases: []PhraseConfig{{Phrase: "lúa"}},
		Exclude: []ExcludeConfig{{Phrase: "hạt gạo trắng ngần"}, {Phrase: "bánh gạo", Silence: true}}},
	{ID: "ngo", Name: TopicName{VI: "Ngô", EN: "Maize"}, Phrases: []PhraseConfig{{Phrase: "ngô"}, {Phrase: "chợ", Weight: -1}}},
}

func TestOpinionAdds(t *testing.T) {
	t.Parallel()
	rules, err := NewClassifier(opinionTopics)
	if err != nil {
		t.Fatal(err)
	}
	c := rules.With(taught(t))
	for _, tt := range []struct {
		name, title string
		want        []store.Topic
		second      bool
	}{
		{"the rules are silent", "Cấy trên ruộng nước, máy gặt đập liên hợp", []store.Topic{"lua"}, true},
		{"and on the other", "Nương rẫy cao, bắp nếp tím, bẹ chín khô", []store.Topic{"ngo"}, true},
		{"the rules have a topic", "Ngô: cấy trên ruộng nước, máy gặt đập liên hợp", []store.Topic{"ngo"}, false},
		{"nothing known", "Đội tuyển thắng đậm", nil, false},
		{"an exclusion is there", "Cấy trên ruộng nước, máy gặt đập liên hợp, hạt gạo trắng ngần", nil, false},
		{"a silence is there", "Cấy trên ruộng nước, máy gặt đập liên hợp, bánh gạo", nil, false},
		{"the rules speak against it", "Nương rẫy cao, bắp nếp tím, bẹ chín khô ở chợ", nil, false},
		{"a tie is broken", "Lúa và ngô: nương rẫy cao, bắp nếp tím", []store.Topic{"ngo", "lua"}, false},
		{"the other way too", "Lúa và ngô: cấy trên ruộng nước, gieo mạ sớm", []store.Topic{"lua", "ngo"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := c.Classify(Text{Title: tt.title})
			var ids []store.Topic
			for _, tp := range got {
				ids = append(ids, tp.Topic)
			}
			if !slices.Equal(ids, tt.want) {
				t.Fatalf("got %+v, want %v", got, tt.want)
			}
			if len(got) > 0 && (!got[0].Primary || BySecond(got[0]) != tt.second) {
				t.Errorf("got %+v, by the second opinion: want %v", got[0], tt.second)
			}
			if tt.second && (got[0].Score > 1 || got[0].Reasons[0].Weight <= 0) {
				t.Errorf("probability and words: %+v", got[0])
			}
			for _, v := range c.Judge(Text{Title: tt.title}) {
				if len(v.Paths) != len(v.Reasons) {
					t.Errorf("%s has %d paths for %d reasons", v.Topic, len(v.Paths), len(v.Reasons))
				}
			}
		})
	}
	if got := rules.Classify(Text{Title: "Cấy trên ruộng nước, máy gặt đập liên hợp"}); len(got) > 0 {
		t.Errorf("without the opinion the rules are not silent: %+v", got)
	}
}

// The same items give the same model in whatever order they come, and it is
// the same after it was stored.
func TestOpinionSame(t *testing.T) {
	t.Parallel()
	one, err := taught(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	other, err := lessons(true).Learn(func() bool { return true }).Encode()
	if err != nil || !bytes.Equal(one, other) {
		t.Fatalf("another order gives another model: %d and %d bytes, %v", len(one), len(other), err)
	}
	o, err := DecodeOpinion(one)
	if err != nil {
		t.Fatal(err)
	}
	text := Text{Title: "Cấy trên ruộng nước"}
	if a, b := taught(t).Of(text), o.Of(text); a[0].Probability != b[0].Probability || a[0].Topic != b[0].Topic {
		t.Errorf("before %+v, after storing %+v", a[0], b[0])
	}
	for name, b := range map[string][]byte{"empty": nil, "no model": []byte("x"), "cut off": one[:len(one)/2]} {
		if _, err := DecodeOpinion(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o.model.Form++
	if b, err := o.Encode(); err == nil {
		if _, err = DecodeOpinion(b); err == nil || !strings.Contains(err.Error(), "form 2") {
			t.Errorf("another form: %v", err)
		}
	}
}

// Too few items, copies of one headline, and sections that say nothing about
// their items teach nothing; a stop is obeyed.
func TestOpinionRefuses(t *testing.T) {
	t.Parallel()
	few, copies, noise := NewLearner(), NewLearner(), NewLearner()
	for i := range 3000 {
		text := Text{Title: fmt.Sprintf("Bà con thôn Đông gieo mạ n%d", i), Section: []store.Topic{"lua", "ngo"}[(i*7919)%13%2]}
		noise.Add(text)
		if i < leastOpinionItems-1 {
			few.Add(text)
		}
		text.Title = "Bà con gieo mạ"
		copies.Add(text)
	}
	for name, l := range map[string]*Learner{"few": few, "copies": copies, "noise": noise} {
		if o := l.Learn(func() bool { return true }); o != nil {
			t.Errorf("%s: learned %d topics of %d items", name, o.Heard(), o.Items())
		}
	}
	if o := lessons(false).Learn(func() bool { return false }); o != nil {
		t.Error("learned although told to stop")
	}
}
