package store_test

import (
	"testing"
	"time"

	"diemtin/store"
)

// about is a page that tells a topic and a province.
func about(text string, topic store.Topic, province string) *store.Article {
	a := textPage(text)
	a.Province = province
	if topic != "" {
		a.Topics = []store.ItemTopic{{Topic: topic, Primary: true, Reasons: []store.Phrase{{Text: "x", Place: "body", Weight: 1}}}}
	}
	return a
}

// inScopes counts what the listings of a province and a topic hold.
func inScopes(t *testing.T, db *store.DB, province string, topic store.Topic) (inProvince, inTopic int) {
	t.Helper()
	p, err := db.Stories(t.Context(), store.Query{Selection: store.Selection{Provinces: []string{province}}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	tp, err := db.Stories(t.Context(), store.Query{Selection: store.Selection{Topics: []store.Topic{topic}}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return len(p), len(tp)
}

// A page says where an item happens and what it is about. Before its story is
// listed that is taken over; afterwards only what the story lacks.
func TestPageTellsProvinceAndTopic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		had    string // the item's province before its page is read
		topics []store.ItemTopic
		listed bool // before its page is read
		want   string
		topic  store.Topic
	}{
		{"a waiting story takes the province of its page", "ha-noi", nil, false, "hung-yen", "y-te"},
		{"a waiting story had none", "", nil, false, "hung-yen", "y-te"},
		{"a listed story gains what it lacks", "", nil, true, "hung-yen", "y-te"},
		{"a listed story keeps what it has", "ha-noi", []store.ItemTopic{{Topic: "kinh-te", Primary: true}}, true, "ha-noi", "kinh-te"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			engines(t, func(t *testing.T, open func() *store.DB) {
				db := open()
				sync1(t, db, 1)
				it := article("o0", "Cầu mới khánh thành", now)
				it.Province, it.Topics = tt.had, tt.topics
				mustRecord(t, db, readable(t, db, "o0-home", now, it))
				at := now.Add(time.Second)
				var before []store.Story
				if tt.listed {
					if _, err := db.List(t.Context(), now.Add(hold+time.Second), 10, sameText{}); err != nil {
						t.Fatal(err)
					}
					before, at = listed(t, db), now.Add(time.Hour)
				}
				due := claim(t, db, at)
				if len(due) != 1 {
					t.Fatalf("%d pages are due, want 1", len(due))
				}
				a := about("Một văn bản", "y-te", "hung-yen")
				if len(tt.topics) > 0 {
					a.Topics = nil // it is not asked for
				}
				readIt(t, db, due[0], at, a)
				all := listed(t, db)
				if len(all) != 1 || all[0].Province != tt.want || all[0].Quoted.Province != tt.want || len(all[0].Topics) != 1 || all[0].Topics[0] != tt.topic {
					t.Fatalf("got %+v, want province %q and topic %q", all, tt.want, tt.topic)
				}
				if p, tp := inScopes(t, db, tt.want, tt.topic); p != 1 || tp != 1 {
					t.Errorf("%d in the province's listing and %d in the topic's, want it in both", p, tp)
				}
				if tt.listed && (!all[0].Updated.Equal(before[0].Updated) || !all[0].Listed.Equal(before[0].Listed)) {
					t.Errorf("dated anew: %s, was %s", all[0].Updated, before[0].Updated)
				}
				// A later visit reads another headline and knows neither.
				it.Title, it.Province, it.Topics, it.Fingerprint = "Cầu mới đã khánh thành", "", nil, it.Fingerprint+1
				mustRecord(t, db, readable(t, db, "o0-home", at.Add(time.Hour), it))
				if all = listed(t, db); all[0].Province != tt.want || len(all[0].Topics) != 1 || len(all[0].Quoted.Topics) != 1 {
					t.Errorf("after a later visit: province %q, topics %v of %v", all[0].Province, all[0].Topics, all[0].Quoted.Topics)
				}
			})
		})
	}
}
