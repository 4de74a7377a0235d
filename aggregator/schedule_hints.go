package aggregator

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Hints are an outlet's own words about how often to come. They can lengthen
// an interval up to the source's every.max, and never shorten it.
type Hints struct {
	Fresh  time.Duration `json:"fresh,omitempty"`  // Cache-Control max-age or Expires, of the last answer
	TTL    time.Duration `json:"ttl,omitempty"`    // RSS <ttl>
	Period time.Duration `json:"period,omitempty"` // sy:updatePeriod ÷ sy:updateFrequency
	Hours  uint32        `json:"hours,omitempty"`  // RSS <skipHours>: bit h = not from h to h+1 o'clock GMT
	Days   uint8         `json:"days,omitempty"`   // RSS <skipDays>: bit d = not on that time.Weekday, GMT
}

// maxHint bounds what is kept of a hint; every.max bounds what it can do.
const maxHint = 366 * 24 * time.Hour

// skips says whether the outlet asked not to come in an hour of our week. A
// feed that excludes all hours or days means something else.
func (h Hints) skips(bin int) bool {
	const allHours, allDays = 1<<24 - 1, 1<<7 - 1
	if h.Hours == 0 && h.Days == 0 {
		return false
	}
	gmt := (bin - int(zoneOffset/hourMS) + weekBins) % weekBins
	return h.Hours&allHours != allHours && h.Hours>>(gmt%24)&1 == 1 || h.Days&allDays != allDays && h.Days>>(gmt/24)&1 == 1
}

// bounds are a source's shortest and longest interval after its hints. While
// items get lost only the cache's word counts: sooner than it expires there
// is nothing new to be had.
func (h Hints) bounds(every Every, losing bool) (low, high time.Duration) {
	low, high = time.Duration(every.Min), time.Duration(every.Max)
	want := h.Fresh
	if !losing {
		want = max(want, h.TTL, h.Period)
	}
	return min(max(low, want), high), high
}

// longest names the hint that asks for the longest wait.
func (h Hints) longest() (name string, wait time.Duration) {
	name, wait = "cache lifetime", h.Fresh
	if h.TTL > wait {
		name, wait = "ttl", h.TTL
	}
	if h.Period > wait {
		name, wait = "update period", h.Period
	}
	return name, wait
}

// freshFor is how long a cache may keep an answer (RFC 9111, section 4.2): 0
// if it must ask each time or the answer does not say.
func freshFor(h http.Header, now time.Time) time.Duration {
	maxAge := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch strings.TrimSpace(name) {
		case "no-cache", "no-store":
			return 0
		case "max-age":
			if n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 63); err == nil {
				maxAge = seconds(n)
			}
		}
	}
	if maxAge >= 0 {
		age, _ := strconv.ParseUint(strings.TrimSpace(h.Get("Age")), 10, 63)
		return max(maxAge-seconds(age), 0)
	}
	expires, err := http.ParseTime(h.Get("Expires"))
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // by the outlet's clock
	}
	return min(max(expires.Sub(now), 0), maxHint)
}

func seconds(n uint64) time.Duration {
	return time.Duration(min(n, uint64(maxHint/time.Second))) * time.Second
}

// headBytes is how much of a feed is read for hints: what stands before its
// first item.
const headBytes = 16 << 10

var (
	itemStart  = regexp.MustCompile(`<(?:[A-Za-z]+:)?(?:item|entry)[\s>]`)
	ttlElement = regexp.MustCompile(`<ttl>([^<]*)</ttl>`)
	period     = regexp.MustCompile(`<[A-Za-z]+:updatePeriod(?:\s[^>]*)?>([^<]*)<`)
	frequency  = regexp.MustCompile(`<[A-Za-z]+:updateFrequency(?:\s[^>]*)?>([^<]*)<`)
	skipHours  = regexp.MustCompile(`(?s)<skipHours>(.*?)</skipHours>`)
	skipDays   = regexp.MustCompile(`(?s)<skipDays>(.*?)</skipDays>`)
	skipHour   = regexp.MustCompile(`<hour>\s*([0-9]{1,2})\s*</hour>`)
	skipDay    = regexp.MustCompile(`<day>\s*([A-Za-z]+)\s*</day>`)
)

// feedHints reads a feed's own hints from what stands before its first item.
// The library drops them. Words outside the standards, such as the "always" of
// Kon Tum's portal, say nothing.
func feedHints(text string) (h Hints) {
	head := text[:min(len(text), headBytes)]
	if at := itemStart.FindStringIndex(head); at != nil {
		head = head[:at[0]]
	}
	head = strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(head)
	if n, err := strconv.ParseUint(submatch(ttlElement, head), 10, 63); err == nil {
		h.TTL = seconds(min(n, uint64(maxHint/time.Second)) * 60)
	}
	h.Period = updatePeriod(submatch(period, head), submatch(frequency, head))
	for _, m := range skipHour.FindAllStringSubmatch(submatch(skipHours, head), -1) {
		if n, err := strconv.Atoi(m[1]); err == nil && n <= 24 { // 24 is an old way to say 0
			h.Hours |= 1 << (n % 24)
		}
	}
	for _, m := range skipDay.FindAllStringSubmatch(submatch(skipDays, head), -1) {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(m[1], d.String()) {
				h.Days |= 1 << d
			}
		}
	}
	return h
}

func submatch(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}

// updatePeriod is what the RSS syndication module says, 0 if it says nothing
// sensible.
func updatePeriod(word, times string) time.Duration {
	const day = 24 * time.Hour
	base := map[string]time.Duration{"hourly": time.Hour, "daily": day, "weekly": 7 * day, "monthly": 30 * day, "yearly": 365 * day}[strings.ToLower(word)]
	n, err := strconv.Atoi(times)
	if err != nil || n < 1 {
		n = 1
	}
	return base / time.Duration(n)
}
