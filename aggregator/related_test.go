package aggregator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"diemtin/store"
)

// counted is a corpus in which all but the given names are rare.
func counted(common ...string) store.Corpus {
	c := store.Corpus{Items: 1000, Names: map[uint32]int{}}
	for _, name := range common {
		for _, hash := range appendEvents(nil, capitals("ở "+name)) {
			c.Names[hash] = 100
		}
	}
	return c
}

func TestRelated(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	known := counted("Hà Nội", "Lào Cai", "Việt Nam", "Công an")
	flood := article("a", "Lũ quét ở Phong Hải, Lào Cai: 12 hộ phải di dời", floodSummary+" Nặng nhất là thôn Tân Hồ.", "", 0)
	for _, tc := range []struct {
		name  string
		other *store.Item
		c     store.Corpus
		want  bool
	}{
		{"another report of the flood", article("b", "Nước suối Ngòi Bo dâng cao, Phong Hải trắng đêm", "Người dân thôn Tân Hồ, ven Ngòi Bo chạy lũ trong đêm.", "", 5*time.Hour), known, true},
		{"one person in two events", article("b", "Chủ tịch Ngòi Bo Phong thăm bệnh viện", "Sáng nay đoàn cán bộ tới thăm người ốm.", "", 5*time.Hour), known, false},
		{"a week later", article("b", "Nước suối Ngòi Bo dâng cao, Phong Hải trắng đêm", "Người dân thôn Tân Hồ, ven Ngòi Bo chạy lũ trong đêm.", "", 7*day), known, false},
		{"another place of the province", article("b", "Lào Cai khai trương chợ phiên Bắc Hà", "Chợ phiên ở Lào Cai đón nhiều khách từ Hà Nội.", "", time.Hour), known, false},
		{"an archive too young to know what is rare", article("b", "Nước suối Ngòi Bo dâng cao, Phong Hải trắng đêm", "Người dân thôn Tân Hồ, ven Ngòi Bo chạy lũ trong đêm.", "", 5*time.Hour), store.Corpus{Items: minCounted - 1}, false},
		{"another instalment of a series", article("b", "Lũ quét ở Phong Hải, Lào Cai: 14 hộ phải di dời", floodSummary, "", 5*time.Hour), known, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := NewMatcher(nil)
			for _, pair := range [][2]*store.Item{{flood, tc.other}, {tc.other, flood}} {
				got := m.Related(pair[0], []*store.Item{pair[1]}, tc.c)
				if (len(got) == 1) != tc.want {
					t.Fatalf("got %+v, want related: %v", got, tc.want)
				}
				for _, r := range got {
					if r.Score <= 0 || r.Score > 1 || r.Why == "" {
						t.Errorf("got %+v, want a score within 0 … 1 and a reason", r)
					}
				}
			}
		})
	}
}

// A third of the text is the same: the same event, whatever the archive knows.
func TestRelatedByText(t *testing.T) {
	t.Parallel()
	one, two := prose(1, 200)+prose(2, 150), prose(3, 200)+prose(2, 150)
	m := NewMatcher(nil)
	a, b := article("a", "Một tin trong ngày", "", one, 0), article("b", "Tin khác", "", two, time.Hour)
	if got := m.Related(a, []*store.Item{b}, store.Corpus{}); len(got) != 1 || !strings.Contains(got[0].Why, "lời văn") {
		t.Errorf("got %+v, want one relation by text", got)
	}
	for _, tc := range []struct {
		other *store.Item
		want  string
	}{{a, Same}, {b, Related}, {article("c", "Tin thứ ba", "", prose(4, 300), 0), Different}} {
		if got := m.Decide(a, tc.other, store.Corpus{}); got.Kin != tc.want || got.Evidence == "" || got.Score < 0 || got.Score > 1 {
			t.Errorf("%s: got %+v, want %s", tc.other.Title, got, tc.want)
		}
	}
}

// The store finds the two reports by their rare names, and links their stories
// both ways.
func TestRelatedStories(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 10)
	for i := range 8 * minCounted { // the corpus learns names
		d.publish(i%10, fmt.Sprintf("Tin ở Hà Nội và Lào Cai số %d", i), contentText(prose(int64(i), 30), 500), prose(int64(10_000+i), 90), matchDay.Add(time.Duration(i)*time.Second))
	}
	at := matchDay.Add(time.Hour)
	one := d.publish(1, "Suối Ngòi Bo dâng cao, Phong Hải trắng đêm", "Nước từ Ngòi Bo tràn vào nhà dân thôn Tân Hồ ở Lào Cai.", prose(501, 150), at)
	two := d.publish(2, "Người Phong Hải kể lại đêm chạy lũ", "Dọc bờ Ngòi Bo, bà con Tân Hồ ở Lào Cai chưa dám về.", prose(502, 150), at.Add(time.Hour))
	if one == two {
		t.Fatal("two reports were merged")
	}
	for _, pair := range [][2]string{{one, two}, {two, one}} {
		got, err := d.db.Related(t.Context(), pair[0], 5)
		if err != nil || len(got) != 1 || got[0].Story.ID != pair[1] || got[0].Why == "" {
			t.Errorf("related to %s: %+v, %v; want %s", pair[0], got, err, pair[1])
		}
	}
}
