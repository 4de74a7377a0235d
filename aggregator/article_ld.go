package aggregator

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// ldObject is an object of JSON-LD; a nil one has no properties.
type ldObject map[string]any

const (
	// maxLDDepth is how deep an article may lie in JSON-LD: @graph, itemList,
	// item and the like.
	maxLDDepth = 6
	// maxLDObjects bounds the articles taken from one page; a section page
	// lists a hundred.
	maxLDObjects = 200
)

// articleLD is the JSON-LD object of the article that a page is about, or nil:
// of several, the one with the page's own address, else the first that is no
// part of a list.
func articleLD(page *goquery.Document, address string) ldObject {
	var all []ldArticle
	page.Find(`script[type*="ld+json"]`).Each(func(_ int, s *goquery.Selection) {
		for _, v := range parseLD(s.Text()) {
			all = collectLD(v, 0, false, all)
		}
	})
	key := LinkKey(address)
	for _, a := range all {
		if own := LinkKey(a.address("url", "mainEntityOfPage", "@id")); own != "" && own == key {
			return a.ldObject
		}
	}
	for _, a := range all {
		if !a.listed {
			return a.ldObject
		}
	}
	return nil
}

// ldArticle is an article's object; listed if it stands in a list of several.
type ldArticle struct {
	ldObject
	listed bool
}

// collectLD gathers the objects of articles below a value.
func collectLD(v any, depth int, listed bool, into []ldArticle) []ldArticle {
	if depth > maxLDDepth || len(into) >= maxLDObjects {
		return into
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			into = collectLD(x, depth+1, listed, into)
		}
	case map[string]any:
		o := ldObject(v)
		if o.isArticle() {
			return append(into, ldArticle{o, listed})
		}
		for _, name := range []string{"@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "item", "hasPart"} {
			into = collectLD(v[name], depth+1, listed || name == "itemListElement" || name == "hasPart", into)
		}
	}
	return into
}

// isArticle tells whether an object is a schema.org Article of any kind.
func (o ldObject) isArticle() bool {
	is := func(v any) bool {
		s, _ := v.(string)
		s = s[strings.LastIndexAny(s, "/:")+1:]
		return strings.HasSuffix(s, "Article") || s == "BlogPosting" || s == "LiveBlogPosting" || s == "Report"
	}
	if list, ok := o["@type"].([]any); ok {
		for _, v := range list {
			if is(v) {
				return true
			}
		}
		return false
	}
	return is(o["@type"])
}

// text is the first property among names that has a text.
func (o ldObject) text(names ...string) string {
	for _, n := range names {
		if s := ldText(o[n], "@value", "name"); s != "" {
			return s
		}
	}
	return ""
}

// address is the first property among names that has an address.
func (o ldObject) address(names ...string) string {
	for _, n := range names {
		if s := ldText(o[n], "url", "contentUrl", "@id"); s != "" {
			return s
		}
	}
	return ""
}

// names are the names in all of the properties.
func (o ldObject) names(properties ...string) []string {
	var out []string
	for _, p := range properties {
		list, ok := o[p].([]any)
		if !ok {
			list = []any{o[p]}
		}
		for _, v := range list[:min(len(list), maxAuthors)] {
			if s := ldText(v, "name"); s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

// ldText is a value's text: itself, the first of a list, or a property of an
// object.
func ldText(v any, keys ...string) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		if len(v) > 0 {
			if _, nested := v[0].([]any); !nested {
				return ldText(v[0], keys...)
			}
		}
	case map[string]any:
		for _, k := range keys {
			if s, ok := v[k].(string); ok && s != "" {
				return strings.TrimSpace(s)
			}
		}
	}
	return ""
}

// parseLD reads the text of a JSON-LD script, mended where publishing systems
// break it: comments around it, line breaks in strings, commas too many. Of
// what cannot be mended the plain properties are read one by one.
func parseLD(raw string) []any {
	raw = strings.NewReplacer("<!--", "", "-->", "", "//<![CDATA[", "", "//]]>", "", "<![CDATA[", "", "]]>", "").Replace(raw)
	raw = strings.TrimRight(strings.TrimSpace(raw), ";")
	for _, s := range []string{raw, mendJSON(raw)} {
		if all, err := jsonValues(s); err == nil {
			return all
		}
	}
	if o := scrapeLD(raw); o != nil {
		return []any{o}
	}
	return nil
}

// jsonValues reads the values that a text holds one after another.
func jsonValues(s string) (all []any, err error) {
	dec := json.NewDecoder(strings.NewReader(s))
	for dec.More() {
		var v any
		if err := dec.Decode(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// mendJSON puts spaces in the place of line breaks in strings, and takes out
// commas that nothing follows and backslashes that escape nothing.
func mendJSON(s string) string {
	out := make([]byte, 0, len(s))
	in := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case in && c == '\\':
			if i+1 < len(s) && strings.IndexByte(`"\/bfnrtu`, s[i+1]) >= 0 {
				out = append(out, c, s[i+1])
			}
			i++
			continue
		case c == '"':
			in = !in
		case in && c < ' ':
			c = ' '
		case !in && c == ',':
			if rest := strings.TrimLeft(s[i+1:], " \t\r\n"); rest == "" || rest[0] == '}' || rest[0] == ']' || rest[0] == ',' {
				continue
			}
		}
		out = append(out, c)
	}
	return string(out)
}

var ldProperty = regexp.MustCompile(`"(@type|headline|datePublished|dateModified|description|articleSection)"\s*:\s*("(?:[^"\\\n]|\\.)*")`)

// scrapeLD reads the plain properties of broken JSON-LD, if it is an
// article's.
func scrapeLD(raw string) map[string]any {
	o := map[string]any{}
	for _, m := range ldProperty.FindAllStringSubmatch(raw, maxLDObjects) {
		var v string
		if _, twice := o[m[1]]; twice && !(m[1] == "@type" && !ldObject(o).isArticle()) {
			continue
		}
		if json.Unmarshal([]byte(m[2]), &v) == nil {
			o[m[1]] = v
		}
	}
	if !ldObject(o).isArticle() {
		return nil
	}
	return o
}
