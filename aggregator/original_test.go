package aggregator

import (
	"slices"
	"strings"
	"testing"
	"time"

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
			{ID: 1, Outlet: "nhandan", Published: at("07:00"), Attribution: says("TTXVN", "")},
			{ID: 2, Outlet: "baolaocai", Published: at("09:00")},
		}, 1, "the only one that names no source"},
		{"naming itself is naming none", []store.Item{
			{ID: 1, Outlet: "vnexpress", Published: at("07:00"), Attribution: says("VnExpress", "vnexpress")},
			{ID: 2, Outlet: "nhandan", Published: at("09:00")},
		}, 0, "published first: 07:00 05/11/2024, 2h0m0s before the next"},
		{"equal times: rank", []store.Item{
			{ID: 1, Outlet: "baolaocai", Published: at("07:00")},
			{ID: 2, Outlet: "nhandan", Published: at("07:00")},
		}, 1, "Báo Nhân Dân ranks first (1)"},
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
			{ID: 1, Outlet: "a", Published: at("07:00"), Attribution: says("TTXVN", "")},
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
