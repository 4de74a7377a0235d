package aggregator

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"diemtin/store"
)

func TestOriginal(t *testing.T) {
	t.Parallel()
	at := func(clock string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", "2024-11-05 "+clock, store.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	outlets := map[string]store.Outlet{
		"nhandan":   {ID: "nhandan", Name: "Báo Nhân Dân", Rank: 1},
		"vnexpress": {ID: "vnexpress", Name: "VnExpress", Rank: 3},
		"baolaocai": {ID: "baolaocai", Name: "Báo Lào Cai", Rank: 5},
		"sai":       {ID: "sai", Name: "Báo Sai Giờ", Rank: 9, Clock: store.ClockAhead},
		"ngay":      {ID: "ngay", Name: "Báo Ghi Ngày", Rank: 8, Clock: store.ClockDays},
	}
	says := func(text, outlet string) store.Attribution { return store.Attribution{Text: text, Outlet: outlet} }
	for _, tc := range []struct {
		name  string
		items []store.Item
		want  int
		why   string
	}{
		{"no items", nil, -1, "no items"},
		{"one item", []store.Item{{ID: 7}}, 0, "the only copy"},
		{"named by the others, though published later", []store.Item{
			{ID: 1, Outlet: "vnexpress", Published: at("07:00"), Attribution: says("Báo Nhân Dân", "nhandan")},
			{ID: 2, Outlet: "baolaocai", Published: at("08:00"), Attribution: says("nhandan.vn", "nhandan")},
			{ID: 3, Outlet: "nhandan", Published: at("09:00")},
		}, 2, "2 of the other 2 name Báo Nhân Dân as their source"},
		{"named by link", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00"), Attribution: store.Attribution{Text: "báo bạn", Link: "https://www.vnexpress.net/mot-bai-bao-1234567.html?utm_source=x"}},
			{ID: 2, Outlet: "vnexpress", Published: at("09:00"), Link: "https://vnexpress.net/mot-bai-bao-1234567.html"},
		}, 1, "1 of the other 1 name VnExpress as their source"},
		{"a chain ends at its first link", []store.Item{
			{ID: 1, Outlet: "baolaocai", Attribution: says("VnExpress", "vnexpress")},
			{ID: 2, Outlet: "vnexpress", Attribution: says("Nhân Dân", "nhandan")},
			{ID: 3, Outlet: "nhandan"},
		}, 2, "1 of the other 2 name Báo Nhân Dân as their source"},
		{"two that name each other settle nothing", []store.Item{
			{ID: 1, Outlet: "vnexpress", Published: at("08:00"), Attribution: says("Nhân Dân", "nhandan")},
			{ID: 2, Outlet: "nhandan", Published: at("07:00"), Attribution: says("VnExpress", "vnexpress")},
		}, 1, "published first: 07:00 05/11/2024, 1h0m0s before the next"},
		{"naming an outside source loses", []store.Item{
			{ID: 1, Outlet: "nhandan", Published: at("09:00"), Attribution: says("TTXVN", "")},
			{ID: 2, Outlet: "baolaocai", Published: at("07:00")},
		}, 1, "the only one that names no source"},
		{"but not to a later copy that hides where it comes from", []store.Item{
			{ID: 1, Outlet: "nhandan", Published: at("07:00"), Attribution: says("TTXVN", "")},
			{ID: 2, Outlet: "baolaocai", Published: at("09:00")},
		}, 0, "the source named is TTXVN, and those that name none were published later"},
		{"put together is naming none", []store.Item{
			{ID: 1, Outlet: "nhandan", Published: at("08:00"), Attribution: says("tổng hợp", "")},
			{ID: 2, Outlet: "baolaocai", Published: at("09:00")},
		}, 0, "published first: 08:00 05/11/2024, 1h0m0s before the next"},
		{"all name the outside: the first known copy stands in", []store.Item{
			{ID: 1, Outlet: "nhandan", Published: at("08:00"), Attribution: says("TTXVN", "")},
			{ID: 2, Outlet: "baolaocai", Published: at("07:30"), Attribution: says("TTXVN", "")},
		}, 1, "published first: 07:30 05/11/2024, 30m0s before the next"},
		{"a chain that begins outside", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00"), Attribution: says("VnExpress", "vnexpress")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00"), Attribution: says("Reuters", "")},
		}, 1, "1 of the other 1 name VnExpress as their source"},
		{"a clock known to be ahead is no evidence", []store.Item{
			{ID: 1, Outlet: "sai", Published: at("07:00"), Seen: at("09:00")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00"), Seen: at("08:05")},
		}, 1, "VnExpress ranks first (3)"},
		{"but seeing it is", []store.Item{
			{ID: 1, Outlet: "sai", Published: at("07:00"), Seen: at("07:30")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00"), Seen: at("08:05")},
		}, 0, "read here at 07:30 05/11/2024, before the others were published"},
		{"dated after it was seen: no evidence", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("09:30"), Seen: at("09:00")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00"), Seen: at("08:05")},
		}, 1, "VnExpress ranks first (3)"},
		{"the day alone tells two days apart", []store.Item{
			{ID: 1, Outlet: "ngay", Published: at("06:30"), Seen: at("19:00")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00").AddDate(0, 0, 1)},
		}, 0, "read here at 19:00 05/11/2024, before the others were published"},
		{"the day alone tells nothing within it", []store.Item{
			{ID: 1, Outlet: "ngay", Published: at("06:30"), Seen: at("19:00")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00"), Seen: at("08:05")},
		}, 1, "VnExpress ranks first (3)"},
		{"one that cannot be placed does not hide the order of the others", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00"), Seen: at("07:10")},
			{ID: 2, Outlet: "vnexpress", Published: at("08:00"), Seen: at("08:05")},
			{ID: 3, Outlet: "sai", Seen: at("09:00")},
		}, 0, "published first: 07:00 05/11/2024, 1h0m0s before the next; Báo Lào Cai ranks first (5)"},
		{"naming itself is naming none", []store.Item{
			{ID: 1, Outlet: "vnexpress", Published: at("07:00"), Attribution: says("VnExpress", "vnexpress")},
			{ID: 2, Outlet: "nhandan", Published: at("09:00")},
		}, 0, "published first: 07:00 05/11/2024, 2h0m0s before the next"},
		{"equal times: rank", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00")},
			{ID: 2, Outlet: "nhandan", Published: at("07:00")},
		}, 1, "Báo Nhân Dân ranks first (1)"},
		{"within one minute, told to the minute: rank", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00")},
			{ID: 2, Outlet: "nhandan", Published: at("07:00").Add(40 * time.Second)},
		}, 1, "Báo Nhân Dân ranks first (1)"},
		{"within one minute, told to the second", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00").Add(10 * time.Second)},
			{ID: 2, Outlet: "nhandan", Published: at("07:00").Add(40 * time.Second)},
		}, 0, "published first: 07:00 05/11/2024, 30s before the next"},
		{"one time unknown: rank", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00")},
			{ID: 2, Outlet: "vnexpress"},
		}, 1, "VnExpress ranks first (3)"},
		{"a date alone is no order", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("00:00")},
			{ID: 2, Outlet: "vnexpress", Published: at("06:00")},
		}, 1, "VnExpress ranks first (3)"},
		{"nothing known: seen first", []store.Item{
			{ID: 1, Outlet: "a", Seen: at("07:05")},
			{ID: 2, Outlet: "b", Seen: at("07:02")},
		}, 1, "seen first, 07:02 05/11/2024"},
		{"nothing at all: stored first", []store.Item{{ID: 9, Outlet: "a"}, {ID: 2, Outlet: "b"}}, 1, "stored first"},
		{"several steps are all told", []store.Item{
			{ID: 1, Outlet: "a", Published: at("08:30"), Attribution: says("TTXVN", "")},
			{ID: 2, Outlet: "b", Published: at("08:00")},
			{ID: 3, Outlet: "c", Published: at("07:30")},
		}, 2, "one of 2 that name no source; published first: 07:30 05/11/2024, 30m0s before the next"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, why := Original(tc.items, outlets)
			if got != tc.want || why != tc.why {
				t.Errorf("got %d, %q; want %d, %q", got, why, tc.want, tc.why)
			}
			if strings.Contains(why, "\n") {
				t.Errorf("why has several lines: %q", why)
			}
			// The order of the items does not matter.
			turned := slices.Clone(tc.items)
			slices.Reverse(turned)
			if got, _ := Original(turned, outlets); len(turned) > 0 && turned[got].ID != tc.items[tc.want].ID {
				t.Errorf("reversed: got item %d, want %d", turned[got].ID, tc.items[tc.want].ID)
			}
		})
	}
}

func TestNamedOutside(t *testing.T) {
	t.Parallel()
	agency := store.Attribution{Text: "TTXVN"}
	for _, tc := range []struct {
		name     string
		items    []store.Item
		original int
		want     store.Attribution
	}{
		{"it names no source", []store.Item{{Outlet: "a"}, {Outlet: "b", Attribution: agency}}, 0, store.Attribution{}},
		{"it names one that is not here", []store.Item{{Outlet: "a", Attribution: agency}, {Outlet: "b"}}, 0, agency},
		{"it names itself", []store.Item{{Outlet: "a", Attribution: store.Attribution{Text: "A", Outlet: "a"}}}, 0, store.Attribution{}},
		{"it is put together", []store.Item{{Outlet: "a", Attribution: store.Attribution{Text: AttributionCompiled}}}, 0, store.Attribution{}},
		{"it names another copy", []store.Item{{Outlet: "a", Attribution: store.Attribution{Text: "B", Outlet: "b"}}, {Outlet: "b"}}, 0, store.Attribution{}},
		{"it names an outlet that has no copy here", []store.Item{{Outlet: "a", Attribution: store.Attribution{Text: "C", Outlet: "c"}}}, 0,
			store.Attribution{Text: "C", Outlet: "c"}},
	} {
		if got := NamedOutside(tc.items, tc.original); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// TestOriginalVietnamese: every kind of step has words for readers, and none is
// left in English.
func TestOriginalVietnamese(t *testing.T) {
	t.Parallel()
	none := OriginalStep{}.Vietnamese()
	for _, by := range []originalBy{byOnly, byNamed, byNamingNone, byHonest, byPublished, bySeenBefore, byRank, bySeen, byID} {
		s := OriginalStep{By: by, N: 2, Of: 3, Outlet: "Báo A", Rank: 1, At: time.Unix(0, 0), Gap: 95 * time.Minute}
		if s.Vietnamese() == none || s.English() == (OriginalStep{}).English() {
			t.Errorf("%s: no words", by)
		}
	}
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{{10 * time.Second, "chưa đầy một phút"}, {5 * time.Minute, "5 phút"}, {95 * time.Minute, "1 giờ 35 phút"}, {3 * time.Hour, "3 giờ"}, {50 * time.Hour, "2 ngày"}} {
		if got := spell(tc.d); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.d, got, tc.want)
		}
	}
}

// What visits name originals by is counted once for each naming, under the
// evidence that left no other.
func TestOriginalsAreCounted(t *testing.T) {
	t.Parallel()
	m := newMetrics(prometheus.NewRegistry())
	c := counting{NewJudge(nil), m.named}
	one := store.Item{ID: 1, Outlet: "a", Title: "Khởi công cầu", Published: testNow.Add(-time.Hour), Seen: testNow}
	later := one
	later.ID, later.Outlet, later.Published = 2, "b", testNow
	c.Original([]store.Item{one}, nil)
	if i, _ := c.Original([]store.Item{later, one}, nil); i != 1 {
		t.Errorf("original %d, want 1, published an hour before", i)
	}
	for by, want := range map[originalBy]float64{byOnly: 1, byPublished: 1, byNamed: 0, bySeen: 0} {
		if got := testutil.ToFloat64(m.named.WithLabelValues(string(by))); got != want {
			t.Errorf("%s: %v, want %v", by, got, want)
		}
	}
}
