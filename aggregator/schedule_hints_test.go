package aggregator

import (
	"net/http"
	"testing"
	"time"
)

func TestFeedHints(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name, text string
		want       Hints
	}{
		{"none", `<rss><channel><title>T</title><item><ttl>60</ttl></item></channel></rss>`, Hints{}},
		{"ttl", `<rss><channel><ttl> 60 </ttl><item/>`, Hints{TTL: time.Hour}},
		{"ttl in cdata", `<rss><channel><ttl><![CDATA[30]]></ttl>`, Hints{TTL: 30 * time.Minute}},
		{"ttl that is none", `<rss><channel><ttl>soon</ttl><ttl>-5</ttl>`, Hints{}},
		{"endless ttl", `<rss><channel><ttl>999999999999999</ttl>`, Hints{TTL: 60 * maxHint / 60}},
		{"every two hours", `<channel><sy:updatePeriod>daily</sy:updatePeriod> <sy:updateFrequency>12</sy:updateFrequency>`, Hints{Period: 2 * time.Hour}},
		{"hourly, as WordPress writes it", "<channel><sy:updatePeriod>\n\thourly\t</sy:updatePeriod><sy:updateFrequency>\n1 </sy:updateFrequency>", Hints{Period: time.Hour}},
		{"Kon Tum", `<channel><sy:updatePeriod>always</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>`, Hints{}},
		{"frequency of nothing", `<channel><sy:updatePeriod>weekly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>`, Hints{Period: 7 * day}},
		{"skip", `<channel><skipHours><hour>0</hour><hour>23</hour><hour>77</hour></skipHours><skipDays><day>Sunday</day><day>saturday</day><day>Chủ nhật</day></skipDays>`,
			Hints{Hours: 1 | 1<<23, Days: 1 | 1<<6}},
		{"atom", `<feed><title>T</title><entry><ttl>5</ttl></entry></feed>`, Hints{}},
	} {
		got := feedHints(tt.text)
		if tt.name == "endless ttl" {
			if got.TTL < maxHint/2 {
				t.Errorf("%s: %v", tt.name, got.TTL)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func FuzzFeedHints(f *testing.F) {
	f.Add(`<rss><channel><ttl>60</ttl><skipHours><hour>3</hour></skipHours><sy:updatePeriod>daily</sy:updatePeriod><item>`)
	f.Fuzz(func(t *testing.T, text string) {
		h := feedHints(text)
		if h.TTL < 0 || h.TTL > maxHint || h.Period < 0 || h.Period > maxHint || h.Hours >= 1<<24 || h.Days >= 1<<7 {
			t.Errorf("out of bounds: %+v", h)
		}
	})
}

func TestFreshFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		header map[string]string
		want   time.Duration
	}{
		{"nothing", nil, 0},
		{"max-age", map[string]string{"Cache-Control": "public, Max-Age=300"}, 5 * time.Minute},
		{"part of it has passed", map[string]string{"Cache-Control": "max-age=300", "Age": "100"}, 200 * time.Second},
		{"older than its age", map[string]string{"Cache-Control": "max-age=300", "Age": "400"}, 0},
		{"no-cache wins", map[string]string{"Cache-Control": "max-age=300, no-cache"}, 0},
		{"max-age before Expires", map[string]string{"Cache-Control": "max-age=60", "Expires": "Tue, 05 Nov 2024 08:15:00 GMT"}, time.Minute},
		{"Expires", map[string]string{"Expires": "Tue, 05 Nov 2024 08:15:00 GMT"}, time.Hour},
		{"Expires by the outlet's clock", map[string]string{"Expires": "Tue, 05 Nov 2024 08:15:00 GMT", "Date": "Tue, 05 Nov 2024 08:05:00 GMT"}, 10 * time.Minute},
		{"Expires: 0", map[string]string{"Expires": "0"}, 0},
		{"Expires in the past", map[string]string{"Expires": "Thu, 19 Nov 1981 08:52:00 GMT"}, 0},
		{"a number too long", map[string]string{"Cache-Control": "max-age=99999999999999999"}, maxHint},
		{"s-maxage is not for us", map[string]string{"Cache-Control": "s-maxage=900"}, 0},
	} {
		h := http.Header{}
		for k, v := range tt.header {
			h.Set(k, v)
		}
		if got := freshFor(h, testNow); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Hints lengthen an interval within every.max and never starve a source.
func TestHintsBound(t *testing.T) {
	t.Parallel()
	every := testEvery()
	for _, tt := range []struct {
		name      string
		h         Hints
		losing    bool
		low, high time.Duration
	}{
		{"none", Hints{}, false, 5 * time.Minute, 2 * time.Hour},
		{"shorter than every.min", Hints{TTL: time.Minute}, false, 5 * time.Minute, 2 * time.Hour},
		{"the longest counts", Hints{TTL: 10 * time.Minute, Fresh: time.Hour}, false, time.Hour, 2 * time.Hour},
		{"longer than every.max", Hints{Period: 24 * time.Hour}, false, 2 * time.Hour, 2 * time.Hour},
		{"while items get lost only the cache counts", Hints{Period: 24 * time.Hour, Fresh: 10 * time.Minute}, true, 10 * time.Minute, 2 * time.Hour},
	} {
		if low, high := tt.h.bounds(every, tt.losing); low != tt.low || high != tt.high {
			t.Errorf("%s: %v to %v, want %v to %v", tt.name, low, high, tt.low, tt.high)
		}
	}
	gmtDay := Hints{Hours: 0xff, Days: 1 << time.Wednesday} // 0 to 8 o'clock GMT
	for at, want := range map[string]bool{"2024-11-05T06:59:00+07:00": false, "2024-11-05T07:00:00+07:00": true, "2024-11-05T14:59:00+07:00": true,
		"2024-11-05T15:00:00+07:00": false, "2024-11-06T20:00:00+07:00": true, "2024-11-07T06:00:00+07:00": true} {
		when, _ := time.Parse(time.RFC3339, at)
		if got := gmtDay.skips(binOf(when.UnixMilli())); got != want {
			t.Errorf("%s left out: %v, want %v", at, got, want)
		}
	}
	p := testPlan(10, 40)
	l := steadyFor(3, 21)
	pc := pace{low: 5 * time.Minute, high: 24 * time.Hour, skip: gmtDay}
	if next := p.next(&l, pc, testNow, 1).at; next.In(store7).Hour() < 15 {
		t.Errorf("next at %s, want after the hours left out", next)
	}
	pc.skip, pc.high = Hints{Hours: 1<<24 - 1, Days: 1<<7 - 1}, 2*time.Hour
	if wait := p.next(&l, pc, testNow, 1).at.Sub(testNow); wait >= time.Hour {
		t.Errorf("a feed that excludes every hour is visited after %v", wait)
	}
}

var store7 = time.FixedZone("+07", 7*3600)
