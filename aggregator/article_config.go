package aggregator

import (
	"fmt"

	"diemtin/store"
)

// ArticleConfig says whether an article's own page is read, and where on it
// things stand. In feeds.yaml it is one word ("article: never") or a mapping of
// CSS selectors; what is left out is the outlet's, else it is found from the
// page's metadata.
type ArticleConfig struct {
	Read  store.ReadWhen `yaml:"read"` // "" = always
	Title string         `yaml:"title"`
	Date  string         `yaml:"date"`
	Lead  string         `yaml:"lead"`
	Image string         `yaml:"image"`
	Body  string         `yaml:"body"`
}

// UnmarshalText reads the short form: always, when-near or never.
func (c *ArticleConfig) UnmarshalText(text []byte) error {
	c.Read = store.ReadWhen(text)
	return nil // Check says what is wrong with it
}

// or is c with what it leaves out taken from the outlet's.
func (c ArticleConfig) or(outlet ArticleConfig) ArticleConfig {
	return ArticleConfig{Read: store.ReadWhen(firstNonEmpty(string(c.Read), string(outlet.Read))), Title: firstNonEmpty(c.Title, outlet.Title),
		Date: firstNonEmpty(c.Date, outlet.Date), Lead: firstNonEmpty(c.Lead, outlet.Lead), Image: firstNonEmpty(c.Image, outlet.Image),
		Body: firstNonEmpty(c.Body, outlet.Body)}
}

// when is when the pages of new items are read.
func (c ArticleConfig) when() store.ReadWhen {
	if c.Read == "" {
		return store.ReadAlways
	}
	return c.Read
}

func (c ArticleConfig) check(report func(path, problem string)) {
	switch c.Read {
	case "", store.ReadAlways, store.ReadWhenNear, store.ReadNever:
	default:
		report("", fmt.Sprintf("%q: want %s, %s or %s, or selectors such as {title: h1, date: .date, body: .content}",
			c.Read, store.ReadAlways, store.ReadWhenNear, store.ReadNever))
	}
	checkSelectors(map[string]string{"title": c.Title, "date": c.Date, "lead": c.Lead, "image": c.Image, "body": c.Body},
		func(path, problem string) { report("."+path, problem) })
}
