package store_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"diemtin/store"
)

// press opens a database with outlets o0 … o(n-1), the last of which lets
// nothing be shown.
func press(t *testing.T, db *store.DB, n int) {
	t.Helper()
	all, sources := outlets(n)
	all[n-1].Show = store.ShowNone
	for i := range all {
		all[i].Province = "lao-cai"
	}
	if err := db.Sync(t.Context(), all, sources); err != nil {
		t.Fatal(err)
	}
}

func TestLeading(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		press(t, db, 5)
		carry := func(title string, published time.Time, outlets ...int) {
			for i, o := range outlets {
				id := fmt.Sprintf("o%d", o)
				record(t, db, id+"-home", now, article(id, title, published.Add(time.Duration(i)*time.Hour)))
			}
		}
		carry("Bốn báo đăng", now.Add(-5*time.Hour), 0, 1, 2, 3)
		carry("Hai báo đăng", now.Add(-2*time.Hour), 1, 2)
		carry("Hai báo đăng mới hơn", now.Add(-90*time.Minute), 3, 0)
		carry("Một báo và một báo giấu", now.Add(-time.Hour), 0, 4)
		carry("Một báo", now.Add(-time.Hour), 0)
		carry("Hôm trước", now.Add(-30*time.Hour), 0, 1, 2, 3)
		leads, err := db.Leading(t.Context(), now.Add(-24*time.Hour), 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []struct {
			title       string
			carriers    int
			first, last time.Time
		}{
			{"Bốn báo đăng", 4, now.Add(-5 * time.Hour), now.Add(-2 * time.Hour)},
			{"Hai báo đăng mới hơn", 2, now.Add(-90 * time.Minute), now.Add(-30 * time.Minute)},
			{"Hai báo đăng", 2, now.Add(-2 * time.Hour), now.Add(-time.Hour)},
		}
		if len(leads) != len(want) {
			t.Fatalf("got %d leading stories, want %d", len(leads), len(want))
		}
		for i, w := range want {
			l := leads[i]
			if l.Quoted.Title != w.title || l.Carriers != w.carriers || !l.First.Equal(w.first) || !l.Last.Equal(w.last) {
				t.Errorf("%d: got %q of %d outlets from %v to %v, want %+v", i, l.Quoted.Title, l.Carriers, l.First, l.Last, w)
			}
		}
		if leads, err = db.Leading(t.Context(), now.Add(-24*time.Hour), 1); err != nil || len(leads) != 1 {
			t.Errorf("with a limit of one: got %d, %v", len(leads), err)
		}
	})
}

func TestDayCounts(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		press(t, db, 3)
		midnight := store.Day("2024-11-05").Start()
		for i, at := range []time.Time{midnight, midnight.Add(-time.Millisecond), midnight.Add(23 * time.Hour), midnight.AddDate(0, 0, -3)} {
			it := article("o0", fmt.Sprintf("Tin %d", i), at)
			it.Province = []string{"lao-cai", "lao-cai", "yen-bai", ""}[i]
			record(t, db, "o0-home", now.AddDate(0, 0, 1), it)
		}
		record(t, db, "o2-home", now.AddDate(0, 0, 1), article("o2", "Tin của báo giấu", midnight))
		tests := []struct {
			name    string
			sel     store.Selection
			want    map[store.Day]int
			counted bool
		}{
			{"everything", store.Selection{}, map[store.Day]int{"2024-11-02": 1, "2024-11-04": 1, "2024-11-05": 2}, true},
			{"a story in two topics once", store.Selection{Topics: []store.Topic{"kinh-te", "xa-hoi"}}, map[store.Day]int{"2024-11-02": 1, "2024-11-04": 1, "2024-11-05": 2}, true},
			{"a province", store.Selection{Provinces: []string{"lao-cai"}}, map[store.Day]int{"2024-11-04": 1, "2024-11-05": 1}, true},
			{"without a topic", store.Selection{NotTopics: []store.Topic{"xa-hoi"}}, map[store.Day]int{}, true},
			{"nothing", store.Selection{Outlets: []string{"o1"}}, map[store.Day]int{}, true},
			{"an intersection", store.Selection{Topics: []store.Topic{"xa-hoi"}, Provinces: []string{"lao-cai"}}, map[store.Day]int{"2024-11-04": 1, "2024-11-05": 1}, true},
			{"words", store.Selection{Words: store.Words{All: []store.Term{{"tin"}}}}, nil, false},
		}
		for _, tt := range tests {
			got, counted, err := db.DayCounts(t.Context(), tt.sel, "2024-11-01", "2024-11-30")
			if err != nil || counted != tt.counted || !maps.Equal(got, tt.want) {
				t.Errorf("%s: got %v %t %v, want %v %t", tt.name, got, counted, err, tt.want, tt.counted)
			}
		}
		revisions, err := db.DayRevisions(t.Context(), "2024-11-01", "2024-11-30")
		if err != nil || len(revisions) != 3 || revisions["2024-11-05"].N == 0 {
			t.Errorf("revisions: got %v, %v; want those of three days", revisions, err)
		}
		if _, _, err := db.DayCounts(t.Context(), store.Selection{}, "2024-01-01", "2024-12-31"); err == nil {
			t.Error("a year was counted, which has no bound")
		}
		counts, err := db.CountsOn(t.Context(), "2024-11-05", []store.Selection{{Provinces: []string{"lao-cai", "yen-bai"}}, {Provinces: []string{"ha-noi"}}, {Topics: []store.Topic{"xa-hoi"}}})
		if err != nil || fmt.Sprint(counts) != "[2 0 2]" {
			t.Errorf("counts on a day: got %v, %v", counts, err)
		}
	})
}

func TestProvenance(t *testing.T) {
	engines(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		press(t, db, 4)
		own := article("o0", "Tin tự viết", now)
		follows := func(title, whom string) store.Item {
			it := article("o0", title, now)
			it.Attribution = store.Attribution{Text: whom}
			return it
		}
		record(t, db, "o1-home", now.Add(-time.Hour), article("o1", "Tin của báo bạn", now.Add(-time.Hour)))
		record(t, db, "o0-home", now, own, follows("Một", "TTXVN"), follows("Hai", "TTXVN"), follows("Ba", store.AttributionCompiled),
			article("o0", "Tin của báo bạn", now)) // a copy that does not say so
		p, err := db.Provenance(t.Context(), "o0")
		if err != nil {
			t.Fatal(err)
		}
		if p.Items != 5 || p.Following != 2 || p.Compiled != 1 || p.Copied != 1 || p.Sources["TTXVN"] != 2 || !p.Since.Equal(now) {
			t.Errorf("got %+v", p)
		}
		if p, err := db.Provenance(t.Context(), "o2"); err != nil || p.Items != 0 || !p.Since.IsZero() {
			t.Errorf("an outlet without items: got %+v, %v", p, err)
		}
	})
}
