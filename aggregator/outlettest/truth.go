package outlettest

import "time"

// Story is what a reader should see as one story: the truth that a test
// compares with.
type Story struct {
	ID      string // of the world, "s00042"
	Kind    Kind
	Series  string // of a serial text
	Follows string // ID of the story that it follows
	Topic   string
	Place   string // province id, or empty
	Title   string // as the original published it first
	Prints  []Print
}

// Print is one outlet's article of a story.
type Print struct {
	Outlet    string // id
	ID        string // of the article in the outlet
	Title     string // as it stands now
	Link      string // canonical address of its page
	Published time.Time
	Original  bool
	Reprint   Reprint // how its lead relates to the original's; empty for the original
}

// Original returns the original's print; ok is false where it is not (any
// more) to be seen.
func (s Story) Original() (p Print, ok bool) {
	if len(s.Prints) == 0 || !s.Prints[0].Original {
		return Print{}, false
	}
	return s.Prints[0], true
}

// story is what can be seen of a told story now.
func (t *told) story() Story {
	s := Story{ID: t.id, Kind: t.text.Kind, Series: t.text.Series, Follows: t.follows,
		Topic: t.text.Topic, Place: t.text.Place, Title: t.text.Title}
	for i, p := range t.prints {
		if a, ok := p.outlet.carries(p.id); ok {
			s.Prints = append(s.Prints, Print{Outlet: p.outlet.ID, ID: p.id, Title: a.Title, Link: a.Link,
				Published: a.Published, Original: i == 0, Reprint: p.how})
		}
	}
	return s
}

// Truth returns every story of which something can be seen now, in the order
// of publication, each with the articles that can be seen, the original first.
// Articles that a script added by hand are not in it.
func (w *World) Truth() []Story {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Story
	for _, t := range w.desk.stories {
		if s := t.story(); len(s.Prints) > 0 {
			out = append(out, s)
		}
	}
	return out
}
