package syndicate

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

// Every page stands under one address in each language: Vietnamese under the
// plain one, English under the same with lang=en. No header chooses between
// them: what an address gives out is the same for everybody, so that any cache
// may keep it, and the link to the other language is there to be seen.

// language is one of those that pages are written in.
type language struct {
	tag       string // BCP 47
	name      string // in itself, for the link to it
	words     words
	minute    string // layout of a moment
	day       string // layout of a day
	month     string // layout of a month
	short     string // layout of a day without its year
	comma     string // of decimals
	thousands string // between them
}

// languages are those of the pages, the plain addresses' first.
var languages = []*language{
	{tag: "vi", name: "Tiếng Việt", words: vietnamese, minute: minuteLayout, day: dayLayout, month: "Tháng 01/2006", short: "02/01", comma: ",", thousands: "."},
	{tag: "en", name: "English", words: english, minute: "15:04, 2 Jan 2006", day: "2 Jan 2006", month: "January 2006", short: "2 Jan", comma: ".", thousands: ","},
}

// newsLanguage is that of headlines, summaries and names unless they say
// otherwise.
const newsLanguage = "vi"

// languageOf is the language that an address asks for.
func languageOf(u *url.URL) *language {
	if strings.Contains(u.RawQuery, "lang=") { // most addresses have no query
		return languageTagged(u.Query().Get("lang"))
	}
	return languages[0]
}

// languageTagged is the language of a tag, the first if there is none.
func languageTagged(tag string) *language {
	for _, l := range languages {
		if l.tag == tag {
			return l
		}
	}
	return languages[0]
}

// plain says whether the language needs no mark in addresses.
func (l *language) plain() bool { return l.tag == languages[0].tag }

// to is the address of a page in this language, given the plain one. What leads
// elsewhere stays as it is.
func (l *language) to(address string) string {
	if l.plain() || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return address
	}
	rest, fragment, named := strings.Cut(address, "#")
	mark := "?"
	if strings.Contains(rest, "?") {
		mark = "&"
	}
	rest += mark + "lang=" + l.tag
	if named {
		rest += "#" + fragment
	}
	return rest
}

// foreign is the tag that a text of some language needs within a page of this
// one; empty if it needs none.
func (l *language) foreign(tag string) string {
	tag = cmp.Or(tag, newsLanguage)
	if base, _, _ := strings.Cut(strings.ToLower(tag), "-"); base == l.tag {
		return ""
	}
	return tag
}

// called is what a thing is called in this language, and the tag that the name
// needs: without an English one, or where that is the Vietnamese, it is
// Vietnamese.
func (l *language) called(n Names) (name, tag string) {
	if l.tag == "en" && n.EN != "" && n.EN != n.VI {
		return n.EN, ""
	}
	return n.VI, l.foreign(newsLanguage)
}

// clock writes a moment as readers see it, in Việt Nam.
func (l *language) clock(t time.Time) string { return t.In(store.Zone).Format(l.minute) }

// date writes a day as readers see it.
func (l *language) date(d store.Day) string { return d.Start().Format(l.day) }

// weekday names the day of the week of d.
func (l *language) weekday(d store.Day) string { return l.words[weekdays[d.Start().Weekday()]] }

// functions are those of the templates that depend on the language.
func (l *language) functions() template.FuncMap {
	return template.FuncMap{
		"t":     l.words.say,
		"lang":  func() string { return l.tag },
		"to":    l.to,
		"clock": l.clock,
		"hour":  func(t time.Time) string { return t.In(store.Zone).Format(hourLayout) },
		"day":   func(t time.Time) string { return l.date(store.DayOf(t)) },
		"short": func(d store.Day) string { return d.Start().Format(l.short) },
		"dots":  dots,
		"iso":   func(t time.Time) string { return t.In(store.Zone).Format(time.RFC3339) },
		// quoted marks what stands in the language of the news: an outlet's
		// name, a province. It is an attribute, or nothing.
		"quoted": func() template.HTMLAttr {
			if tag := l.foreign(newsLanguage); tag != "" {
				return template.HTMLAttr(` lang="` + tag + `"`)
			}
			return ""
		},
		// keep goes into every form: what it leads to is in the same language.
		"keep": func() template.HTML {
			if l.plain() {
				return ""
			}
			return template.HTML(`<input type="hidden" name="lang" value="` + l.tag + `">`)
		},
	}
}

// hourLayout is how a moment's hour is written where its day stands apart.
const hourLayout = "15:04"

// maxDots bounds the dots that show how many outlets carry a story: more than
// an eye counts.
const maxDots = 24

// dots marks a story with a dot for each outlet that carries it, as readers of
// old marked a good line with vermilion.
func dots(n int) string {
	if n > maxDots {
		return strings.Repeat("•", maxDots) + "…"
	}
	return strings.Repeat("•", n)
}

// speaking is the server with its pages in one language. It shares all else.
func (s *Server) speaking(l *language) *Server {
	if i := slices.IndexFunc(s.languages, func(own *language) bool { return own.tag == l.tag }); i >= 0 {
		l = s.languages[i] // with the operator's texts
	}
	if s.lang == l {
		return s
	}
	x := *s
	x.lang, x.words = l, l.words
	return &x
}

// linkTo leads to a channel.
func (s *Server) linkTo(ch *Channel) link {
	name, tag := s.lang.called(ch.Title)
	return link{Text: name, Lang: tag, Href: ch.Path}
}

// alternate is a page in one of the languages.
type alternate struct {
	Lang string
	Name string // of the language, in itself
	Href string // from the root
	URL  string // absolute
	Here bool   // it is this page
}

// alternates lists a page in all languages, given its plain address.
func (s *Server) alternates(address string) []alternate {
	all := make([]alternate, len(languages))
	for i, l := range languages {
		all[i] = alternate{l.tag, l.name, l.to(address), s.cfg.Site.BaseURL + l.to(address), l.tag == s.lang.tag}
	}
	return all
}

// plainAddress is the address of a request without its language and, where the
// page does not depend on them, without its other parameters.
func plainAddress(r *http.Request) string {
	u := url.URL{Path: r.URL.Path}
	if asksForOther(r.URL) {
		q := r.URL.Query()
		q.Del("lang")
		u.RawQuery = q.Encode()
	}
	return u.String()
}
