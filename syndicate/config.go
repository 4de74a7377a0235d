package syndicate

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"diemtin/store"
)

var (
	idForm       = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// Check reports every fault of the sections site and channels; a path names
// the place as the file nests it, a problem says what is allowed.
func (c *Config) Check(report func(path, problem string)) {
	c.Site.check(func(path, problem string) { report("site."+path, problem) })
	if b := c.Delivery.CacheBytes; b != 0 && (b < minCacheBytes || b > maxCacheBytes) {
		report("delivery.cache_bytes", fmt.Sprintf("cache_bytes %d: want %d to %d", b, minCacheBytes, maxCacheBytes))
	}
	c.Visitors.check(func(path, problem string) { report("visitors."+path, problem) })
	c.Editors.check(func(path, problem string) { report("editors."+path, problem) })
	c.checkPartners(report)
	c.checkRenamed(report)
	seen := map[string]int{}
	for i, ch := range c.Channels {
		at := fmt.Sprintf("channels[%d]", i)
		if first, dup := seen[ch.ID]; dup {
			report(at+".id", fmt.Sprintf("channel id %q stands twice; the first is channels[%d]", ch.ID, first))
		}
		seen[ch.ID] = i
		c.checkChannel(ch, func(path, problem string) { report(at+"."+path, problem) })
	}
}

func (s Site) check(report func(path, problem string)) {
	if strings.TrimSpace(s.Title) == "" {
		report("title", "the site has no title")
	}
	u, err := url.Parse(s.BaseURL)
	switch {
	case s.BaseURL == "":
		report("base_url", "the site has no base_url; give the address readers use, such as https://tin.example.vn")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		report("base_url", fmt.Sprintf("base_url %q: want an address such as https://tin.example.vn", s.BaseURL))
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		report("base_url", fmt.Sprintf("base_url %q: want no user, query or fragment", s.BaseURL))
	}
	if s.Templates != "" {
		if _, _, _, err := openViews(s.Templates); err != nil {
			report("templates", err.Error())
		}
	}
	if s.Language != "" && !languageForm.MatchString(s.Language) {
		report("language", fmt.Sprintf("language %q: want a language tag such as vi", s.Language))
	}
	if s.Agreements != "" && s.Agreements != "required" {
		report("agreements", fmt.Sprintf("agreements %q: want required, or leave it out", s.Agreements))
	}
}

func (c *Config) checkChannel(ch ChannelConfig, report func(path, problem string)) {
	if !idForm.MatchString(ch.ID) {
		report("id", fmt.Sprintf("channel id %q: want lower-case letters and digits with single hyphens", ch.ID))
	}
	if strings.TrimSpace(ch.Title.VI) == "" {
		report("title", "the channel has no title; give title: {vi: …, en: …}")
	}
	if ch.unbounded() {
		report("topics", "the channel selects nothing; give topics, provinces, outlets, scopes, words, languages or exclude")
	}
	c.checkTopics(ch.Topics, "topics", report)
	for i, p := range ch.Provinces {
		if !slices.ContainsFunc(c.Places, func(x Place) bool { return x.ID == p }) {
			report(fmt.Sprintf("provinces[%d]", i), fmt.Sprintf("province %q is not known; want an id such as hung-yen%s", p, c.meant("provinces", p)))
		}
	}
	c.checkOutlets(ch.Outlets, "outlets", report)
	for i, s := range ch.Scopes {
		if !slices.Contains(store.Scopes, s) {
			report(fmt.Sprintf("scopes[%d]", i), fmt.Sprintf("scope %q: want national, ministry or provincial", s))
		}
	}
	c.checkWords(ch, report)
}

func (c *Config) checkTopics(ids []store.Topic, at string, report func(path, problem string)) {
	for i, t := range ids {
		if !slices.ContainsFunc(c.Topics, func(x store.TopicInfo) bool { return x.ID == t }) {
			report(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("topic %q is not among the topics of this file%s", t, c.meant("topics", string(t))))
		}
	}
}

func (c *Config) checkOutlets(ids []string, at string, report func(path, problem string)) {
	for i, o := range ids {
		if !slices.ContainsFunc(c.Outlets, func(x store.Outlet) bool { return x.ID == o }) {
			report(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("outlet %q is not among the outlets of this file%s", o, c.meant("outlets", o)))
		}
	}
}

// meant offers the id that is most like one that does not exist.
func (c *Config) meant(kind, id string) string {
	for _, ch := range c.nearest(id, 1, kind) {
		return fmt.Sprintf("; did you mean %s?", ch.ID)
	}
	return ""
}

// checkRenamed looks at the ids that topics, outlets and channels had before:
// each must lead to one place.
func (c *Config) checkRenamed(report func(path, problem string)) {
	for i, r := range c.Renamed {
		switch {
		case !idForm.MatchString(r.From):
			report(r.At, fmt.Sprintf("former id %q: want lower-case letters and digits with single hyphens", r.From))
		case c.has(r.Kind, r.From):
			report(r.At, fmt.Sprintf("former id %q is in use: %s has an entry of that id", r.From, r.Kind))
		case slices.ContainsFunc(c.Renamed[:i], func(x Renamed) bool { return x.Kind == r.Kind && x.From == r.From }):
			report(r.At, fmt.Sprintf("former id %q stands twice", r.From))
		}
	}
}

func (c *Config) has(kind, id string) bool {
	_, ok := c.channel(kind, id)
	return ok
}

// UnmarshalText reads a name written once for both languages.
func (n *Names) UnmarshalText(text []byte) error {
	n.VI, n.EN = string(text), string(text)
	return nil
}

// Effective fills in what was left out of the sections site, delivery and
// visitors.
func (c Config) Effective() Config {
	c.Site.Language = c.language()
	c.Delivery.CacheBytes = cmp.Or(c.Delivery.CacheBytes, DefaultCacheBytes)
	c.Visitors.PerMinute = cmp.Or(c.Visitors.PerMinute, defaultPerMinute)
	return c
}
