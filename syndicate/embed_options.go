package syndicate

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// embedOptions is how whoever embeds a channel wants it.
type embedOptions struct {
	Count   int    // stories, 1 to maxEmbedStories
	Theme   string // auto, light, dark
	Accent  string // six hexadecimal digits; empty = ours
	Images  bool   // of outlets that allow them
	Dates   bool
	Lang    string // of the words around the stories: vi, en
	Heading int    // level of the fragment's heading, 2 to 6
	Partner *Partner
}

// plainEmbed is what an address without options gives.
var plainEmbed = embedOptions{Count: embedStories, Theme: "auto", Dates: true, Lang: "vi", Heading: 2}

// embedThemes and embedLanguages are what may be asked for.
var (
	embedThemes    = []string{"auto", "light", "dark"}
	embedLanguages = []string{"vi", "en"}
)

// query writes those options that differ from the plain ones, in the order
// given: "count=10&theme=dark".
func (o *embedOptions) query(names []string) string {
	all := map[string]string{}
	if o.Count != plainEmbed.Count {
		all["count"] = strconv.Itoa(o.Count)
	}
	if o.Theme != plainEmbed.Theme {
		all["theme"] = o.Theme
	}
	all["accent"] = o.Accent
	if o.Images {
		all["images"] = "1"
	}
	if !o.Dates {
		all["dates"] = "0"
	}
	if o.Lang != plainEmbed.Lang {
		all["lang"] = o.Lang
	}
	if o.Heading != plainEmbed.Heading {
		all["heading"] = strconv.Itoa(o.Heading)
	}
	if o.Partner != nil {
		all["partner"] = o.Partner.ID
	}
	var parts []string
	for _, name := range names {
		if all[name] != "" {
			parts = append(parts, name+"="+all[name])
		}
	}
	return strings.Join(parts, "&")
}

// readEmbedOptions reads the options of an address; others' parameters do not
// matter. What is wrong with them is a refusal, in the language that s speaks.
func (s *Server) readEmbedOptions(q url.Values) (embedOptions, error) {
	o, r := plainEmbed, optionReader{q: q, words: s.words}
	r.number("count", "embed.count", &o.Count, 1, maxEmbedStories, true)
	r.choice("theme", embedThemes, &o.Theme)
	r.flag("images", &o.Images)
	r.flag("dates", &o.Dates)
	r.choice("lang", embedLanguages, &o.Lang)
	r.number("heading", "embed.heading", &o.Heading, 2, 6, false)
	if raw := q.Get("accent"); raw != "" {
		if o.Accent = readAccent(raw); o.Accent == "" {
			r.refuse("embed.bad.accent", s.embedAccent)
		}
	}
	if raw := q.Get("partner"); raw != "" {
		if o.Partner = s.cfg.partner(raw); o.Partner == nil && r.err == nil {
			r.err = refusal{code: http.StatusNotFound, why: fmt.Sprintf(r.words["embed.nopartner"], plainText(raw, maxPartnerID))}
		}
	}
	return o, r.err
}

// optionReader reads one option after the other, and keeps the first fault.
type optionReader struct {
	q     url.Values
	words words
	err   error
}

// refuse says by the text of that key what is wrong.
func (r *optionReader) refuse(key string, args ...any) {
	if r.err == nil {
		r.err = refusal{code: http.StatusBadRequest, why: fmt.Sprintf(r.words[key], args...)}
	}
}

// number reads a number within bounds, that people call by the text of the key
// called; cut says that more than the most is the most.
func (r *optionReader) number(name, called string, into *int, least, most int, cut bool) {
	raw := r.q.Get(name)
	if raw == "" {
		return
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < least || n > most && !cut {
		r.refuse("embed.bad.number", r.words[called], name, least, most)
		return
	}
	*into = min(n, most)
}

func (r *optionReader) choice(name string, allowed []string, into *string) {
	switch raw := r.q.Get(name); {
	case raw == "":
	case slices.Contains(allowed, raw):
		*into = raw
	default:
		r.refuse("embed.bad.choice", name, strings.Join(allowed, ", "))
	}
}

func (r *optionReader) flag(name string, into *bool) {
	switch r.q.Get(name) {
	case "":
	case "0":
		*into = false
	case "1":
		*into = true
	default:
		r.refuse("embed.bad.flag", name)
	}
}

// readAccent reads a colour, with or without the number sign; empty if it is none.
func readAccent(s string) string {
	s = strings.ToLower(strings.TrimPrefix(s, "#"))
	if len(s) != 6 || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s
}
