package syndicate

import (
	"fmt"
	"slices"
	"strings"

	"diemtin/store"
)

// maxChannelWords bounds each list of a channel's words: each is looked up at
// every rendering.
const maxChannelWords = 50

// maxChannelPhrase bounds one of them, in words.
const maxChannelPhrase = 16

// selection is what a configured channel holds; language is the site's, in
// which items are that name none.
func (x *ChannelConfig) selection(language string) store.Selection {
	sel := store.Selection{Topics: x.Topics, Provinces: x.Provinces, Outlets: x.Outlets, Scopes: x.Scopes,
		NotTopics: x.Exclude.Topics, NotOutlets: x.Exclude.Outlets,
		Words: store.Words{All: terms(x.Words.All), Any: terms(x.Words.Any), Not: terms(x.Exclude.Words)}}
	for _, l := range x.Languages {
		base := baseLanguage(l)
		sel.Languages = append(sel.Languages, base)
		if base == baseLanguage(language) {
			sel.Languages = append(sel.Languages, "")
		}
	}
	return sel
}

func baseLanguage(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return base
}

// terms folds words and phrases; those without a letter are left out.
func terms(words []string) []store.Term {
	var all []store.Term
	for _, w := range words {
		if t := store.TermOf(w); len(t) > 0 {
			all = append(all, t)
		}
	}
	return all
}

// unbounded says whether the channel holds everything.
func (x *ChannelConfig) unbounded() bool {
	return len(x.Topics)+len(x.Provinces)+len(x.Outlets)+len(x.Scopes)+len(x.Words.Any)+len(x.Words.All)+len(x.Languages)+
		len(x.Exclude.Topics)+len(x.Exclude.Outlets)+len(x.Exclude.Words) == 0
}

// checkWords looks at a channel's words, languages and exclusions.
func (c *Config) checkWords(ch ChannelConfig, report func(path, problem string)) {
	for _, list := range []struct {
		at    string
		words []string
	}{{"words.any", ch.Words.Any}, {"words.all", ch.Words.All}, {"exclude.words", ch.Exclude.Words}} {
		if len(list.words) > maxChannelWords {
			report(list.at, fmt.Sprintf("%d words; want at most %d", len(list.words), maxChannelWords))
		}
		for i, w := range list.words {
			if n := len(store.TermOf(w)); n == 0 || n > maxChannelPhrase {
				report(fmt.Sprintf("%s[%d]", list.at, i), fmt.Sprintf("%q: want a word or a phrase of at most %d words", w, maxChannelPhrase))
			}
		}
	}
	for i, l := range ch.Languages {
		if !languageForm.MatchString(l) {
			report(fmt.Sprintf("languages[%d]", i), fmt.Sprintf("language %q: want a language tag such as vi", l))
		}
	}
	c.checkTopics(ch.Exclude.Topics, "exclude.topics", report)
	c.checkOutlets(ch.Exclude.Outlets, "exclude.outlets", report)
	for i, t := range ch.Exclude.Topics {
		if slices.Contains(ch.Topics, t) {
			report(fmt.Sprintf("exclude.topics[%d]", i), fmt.Sprintf("topic %q is asked for and left out", t))
		}
	}
	for i, o := range ch.Exclude.Outlets {
		if slices.Contains(ch.Outlets, o) {
			report(fmt.Sprintf("exclude.outlets[%d]", i), fmt.Sprintf("outlet %q is asked for and left out", o))
		}
	}
}
