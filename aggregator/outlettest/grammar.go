package outlettest

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// The words of the simulated news, one file a topic. A file is read line by
// line; a line that starts with # is a comment.
//
//	common = local           which sentences of _common.txt fit: local or any
//	pool NAME = a | b | c    what {NAME} may become; may refer to other pools
//	event NAME               what follows belongs to one kind of event
//	event *                  what follows fits every event of the topic
//	group NAME               (_common.txt only) local, any or follow
//	tag|title|lead|body = …  a frame of the event or group
//
// In a frame and in a pool's entries
//
//	[a|b|c]     is one of a, b, c (they may hold references);
//	{NAME}      is a fresh draw from a pool;
//	{NAME1}     is a draw kept for the whole story: the same wherever it stands;
//	{3-40}      is a number, with dots between thousands;
//	{so1:3-40}  is a number kept for the whole story, elsewhere {so1};
//	{P} {PP}    are the place ("Hưng Yên", "tỉnh Hưng Yên"), {H} {W} {D} the
//	            part of the day, weekday and date ("5/11") of the event, {Y} the year;
//	{tag}       (group follow) is the noun phrase of the story followed.
//
//go:embed words/*.txt
var wordFiles embed.FS

// phrase is a parsed frame.
type phrase []part

// part is literal text, a reference, a number or a choice.
type part struct {
	text   string   // literal, if nothing else is set
	ref    string   // pool, kept number or built-in name
	lo, hi int      // bounds of a number; hi > 0 marks it
	alts   []phrase // choice
}

// span is the range that a kept number is drawn from.
type span struct{ lo, hi int }

// event is one kind of thing that can happen, with the frames to tell it.
type event struct {
	name   string
	topic  string // of a serial text; else its file's
	tag    phrase
	titles []phrase
	leads  []phrase
	bodies []phrase
	kept   map[string]span // numbers kept for the whole story
}

// wordList is one file.
type wordList struct {
	topic  string
	common string // group of _common.txt: "local" or "any"
	pools  map[string][]phrase
	events []*event
	wide   []phrase // bodies that fit every event
}

// lexicon is all words; it is read-only once loaded.
type lexicon struct {
	common *wordList // its events are the groups
	serial *wordList
	topics []*wordList // by topic id
}

var (
	builtins  = map[string]bool{"P": true, "PP": true, "D": true, "W": true, "H": true, "Y": true, "tag": true}
	reNumber  = regexp.MustCompile(`^(\d+)-(\d+)$`)
	reKeptNum = regexp.MustCompile(`^([a-z]+\d):(\d+)-(\d+)$`)
	reRef     = regexp.MustCompile(`^[A-Za-z]+\d?$`)
)

func loadLexicon() (*lexicon, error) {
	names, err := fs.Glob(wordFiles, "words/*.txt")
	if err != nil {
		return nil, fmt.Errorf("list words: %w", err)
	}
	sort.Strings(names)
	lex := &lexicon{}
	for _, name := range names {
		raw, err := wordFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		wl, err := parseWords(strings.TrimSuffix(path.Base(name), ".txt"), string(raw))
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		switch wl.topic {
		case "_common":
			lex.common = wl
		case "_serial":
			lex.serial = wl
		default:
			lex.topics = append(lex.topics, wl)
		}
	}
	return lex, lex.check()
}

func parseWords(topic, text string) (*wordList, error) {
	wl := &wordList{topic: topic, pools: map[string][]phrase{}}
	var cur *event // nil: the frames fit every event
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if kind, name, ok := strings.Cut(line, " "); ok && !strings.Contains(line, "=") &&
			(kind == "event" || kind == "group") {
			cur = nil
			if name != "*" {
				cur = &event{name: name, topic: topic, kept: map[string]span{}}
				wl.events = append(wl.events, cur)
			}
			continue
		}
		key, value, ok := strings.Cut(line, " = ")
		if !ok {
			return nil, fmt.Errorf("line %d: want KEY = VALUE", n+1)
		}
		if err := wl.add(cur, key, value); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return wl, nil
}

// add takes one KEY = VALUE line; cur is the event it stands under.
func (wl *wordList) add(cur *event, key, value string) error {
	if key == "common" {
		wl.common = value
		return nil
	}
	if key == "topic" && cur != nil {
		cur.topic = value
		return nil
	}
	kept := map[string]span{}
	if cur != nil {
		kept = cur.kept
	}
	if name, ok := strings.CutPrefix(key, "pool "); ok {
		for _, entry := range splitTop(value) {
			p, err := parsePhrase(strings.TrimSpace(entry), kept)
			if err != nil {
				return err
			}
			wl.pools[name] = append(wl.pools[name], p)
		}
		return nil
	}
	p, err := parsePhrase(value, kept)
	if err != nil {
		return err
	}
	switch {
	case cur == nil && key == "body":
		wl.wide = append(wl.wide, p)
	case cur == nil:
		return fmt.Errorf("%s outside an event", key)
	case key == "tag":
		cur.tag = p
	case key == "title":
		cur.titles = append(cur.titles, p)
	case key == "lead":
		cur.leads = append(cur.leads, p)
	case key == "body":
		cur.bodies = append(cur.bodies, p)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// splitTop splits at the bars that stand outside brackets and braces.
func splitTop(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range s {
		switch r {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	return append(out, s[from:])
}

func parsePhrase(s string, kept map[string]span) (phrase, error) {
	var out phrase
	for s != "" {
		at := strings.IndexAny(s, "[{]}")
		if at < 0 {
			return append(out, part{text: s}), nil
		}
		if at > 0 {
			out = append(out, part{text: s[:at]})
		}
		end := closing(s, at)
		if end < 0 {
			return nil, fmt.Errorf("unbalanced %q", s[at:])
		}
		p, err := parseGroup(s[at], s[at+1:end], kept)
		if err != nil {
			return nil, err
		}
		out, s = append(out, p), s[end+1:]
	}
	return out, nil
}

// closing returns where the bracket or brace that opens at i closes, or -1.
func closing(s string, i int) int {
	depth := 0
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth <= 0 {
				if depth < 0 || (s[i] == '[') != (s[j] == ']') {
					return -1
				}
				return j
			}
		}
	}
	return -1
}

func parseGroup(open byte, inner string, kept map[string]span) (part, error) {
	if open == '[' {
		var alt part
		for _, s := range splitTop(inner) {
			p, err := parsePhrase(s, kept)
			if err != nil {
				return part{}, err
			}
			alt.alts = append(alt.alts, p)
		}
		return alt, nil
	}
	if m := reNumber.FindStringSubmatch(inner); m != nil {
		lo, hi, err := bounds(m[1], m[2])
		return part{lo: lo, hi: hi}, err
	}
	if m := reKeptNum.FindStringSubmatch(inner); m != nil {
		lo, hi, err := bounds(m[2], m[3])
		if old, ok := kept[m[1]]; ok && old != (span{lo, hi}) {
			return part{}, fmt.Errorf("{%s} has two ranges", m[1])
		}
		kept[m[1]] = span{lo, hi}
		return part{ref: m[1]}, err
	}
	if !reRef.MatchString(inner) {
		return part{}, fmt.Errorf("reference {%s} not understood", inner)
	}
	return part{ref: inner}, nil
}

func bounds(a, b string) (lo, hi int, err error) {
	if lo, err = strconv.Atoi(a); err != nil {
		return 0, 0, fmt.Errorf("number %q: %w", a, err)
	}
	if hi, err = strconv.Atoi(b); err != nil {
		return 0, 0, fmt.Errorf("number %q: %w", b, err)
	}
	if lo > hi || hi == 0 {
		return 0, 0, fmt.Errorf("range %d-%d is empty", lo, hi)
	}
	return lo, hi, nil
}

// check finds references that lead nowhere and lists that are too short to
// tell a story with.
func (l *lexicon) check() error {
	if l.common == nil || l.serial == nil {
		return fmt.Errorf("words: _common.txt or _serial.txt is missing")
	}
	for _, wl := range append([]*wordList{l.common, l.serial}, l.topics...) {
		for name, entries := range wl.pools {
			if err := l.resolve(wl, nil, entries); err != nil {
				return fmt.Errorf("words %s: pool %s: %w", wl.topic, name, err)
			}
		}
		if err := l.resolve(wl, nil, wl.wide); err != nil {
			return fmt.Errorf("words %s: %w", wl.topic, err)
		}
		for _, ev := range wl.events {
			for _, list := range [][]phrase{{ev.tag}, ev.titles, ev.leads, ev.bodies} {
				if err := l.resolve(wl, ev, list); err != nil {
					return fmt.Errorf("words %s: event %s: %w", wl.topic, ev.name, err)
				}
			}
		}
	}
	for _, wl := range l.topics {
		if l.group(wl.common) == nil {
			return fmt.Errorf("words %s: no group %q in _common.txt", wl.topic, wl.common)
		}
		for _, ev := range wl.events {
			if len(ev.titles) < 2 || len(ev.leads) < 2 || len(ev.bodies) == 0 || ev.tag == nil {
				return fmt.Errorf("words %s: event %s lacks frames", wl.topic, ev.name)
			}
		}
	}
	return nil
}

func (l *lexicon) resolve(wl *wordList, ev *event, list []phrase) error {
	for _, p := range list {
		for _, pt := range p {
			if err := l.resolve(wl, ev, pt.alts); err != nil {
				return err
			}
			if pt.ref == "" || builtins[pt.ref] || l.pool(wl, pt.ref) != nil {
				continue
			}
			if ev == nil || ev.kept[pt.ref] == (span{}) {
				return fmt.Errorf("{%s} is no pool", pt.ref)
			}
		}
	}
	return nil
}

// pool finds the pool of a reference, a topic's own before the common one.
func (l *lexicon) pool(wl *wordList, ref string) []phrase {
	name := strings.TrimRight(ref, "0123456789")
	if wl != nil && wl.pools[name] != nil {
		return wl.pools[name]
	}
	return l.common.pools[name]
}

// group returns the named group of common sentences, or nil.
func (l *lexicon) group(name string) *event {
	for _, ev := range l.common.events {
		if ev.name == name {
			return ev
		}
	}
	return nil
}

func (l *lexicon) topic(id string) *wordList {
	for _, wl := range l.topics {
		if wl.topic == id {
			return wl
		}
	}
	return nil
}
