package aggregator

import "fmt"

// ArticleConfig says whether an article's own page is read, and where on it
// things stand. In feeds.yaml it is one word ("article: never") or a mapping of
// CSS selectors; what is left out is found from the page's metadata.
type ArticleConfig struct {
	Read  ArticleRead `yaml:"read"` // "" = when-needed
	Title string      `yaml:"title"`
	Date  string      `yaml:"date"`
	Lead  string      `yaml:"lead"`
	Image string      `yaml:"image"`
	Body  string      `yaml:"body"`
}

// ArticleRead says when an article's page is read.
type ArticleRead string

// The ways of ArticleRead.
const (
	ReadWhenNeeded ArticleRead = "when-needed" // where a listing or sitemap tells no headline or date
	ReadNever      ArticleRead = "never"
)

// UnmarshalText reads the short form, "never" or "when-needed".
func (c *ArticleConfig) UnmarshalText(text []byte) error {
	c.Read = ArticleRead(text)
	return nil // Check says what is wrong with it
}

func (c ArticleConfig) check(report func(path, problem string)) {
	switch c.Read {
	case "", ReadWhenNeeded, ReadNever:
	default:
		report("", fmt.Sprintf("%q: want %s or %s, or selectors such as {title: h1, date: .date, body: .content}", c.Read, ReadWhenNeeded, ReadNever))
	}
	checkSelectors(map[string]string{"title": c.Title, "date": c.Date, "lead": c.Lead, "image": c.Image, "body": c.Body},
		func(path, problem string) { report("."+path, problem) })
}
