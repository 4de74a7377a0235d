package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

const (
	outlets   = 40
	perDay    = 10_000 // items, about what 300 Vietnamese outlets publish
	ofOneDoc  = 15
	copyEvery = 5
	copyBack  = 97 // a copy comes so many items after its original
	// exchanged is one of how many syllables is another than the article's.
	exchanged = 3
)

type article struct{ Title, Summary, Body string }

// writer makes the items.
type writer struct {
	articles []article
	words    []string // the vocabulary, words as frequent as in the articles
	n        int      // items made so far
	begin    time.Time
}

func newWriter(dir string) (*writer, error) {
	file, err := os.Open(filepath.Join(dir, "articles.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	w := &writer{begin: time.Date(2024, 11, 5, 0, 0, 0, 0, store.Zone)}
	for dec := json.NewDecoder(zipped); ; {
		var a article
		if err := dec.Decode(&a); err == io.EOF {
			return w, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", file.Name(), err)
		}
		w.articles = append(w.articles, a)
		w.words = append(w.words, strings.Fields(a.Summary)...)
	}
}

func (w *writer) outlets() (all []store.Outlet, sources []store.Source) {
	for i := range outlets {
		id := fmt.Sprintf("bao%02d", i)
		all = append(all, store.Outlet{ID: id, Name: "Báo " + id, Scope: store.National, Show: store.ShowSummary, Rank: i + 1})
		sources = append(sources, store.Source{ID: id, Outlet: id, Kind: "feed", URL: "http://" + id + ".example/rss"})
	}
	return all, sources
}

// visit is the next outlet's document, each item prepared for the judge.
func (w *writer) visit(j *clock) store.Refresh {
	outlet := fmt.Sprintf("bao%02d", w.n/ofOneDoc%outlets)
	r := store.Refresh{Source: store.Source{ID: outlet, Outlet: outlet}}
	r.Source.State.Visited = true
	for range ofOneDoc {
		it := w.item(outlet)
		j.Judge.(*aggregator.Judge).Prepare(&it)
		r.Items = append(r.Items, it)
		w.n++
	}
	r.At = w.at(w.n).Add(time.Minute)
	r.Settle = func(store.Changes) store.SourceState { return store.SourceState{Visited: true} }
	return r
}

func (w *writer) at(n int) time.Time {
	return w.begin.Add(time.Duration(n) * (24 * time.Hour / perDay))
}

func (w *writer) item(outlet string) store.Item {
	text := w.n
	if text%copyEvery == 0 && text > copyBack {
		text -= copyBack
	}
	r := rand.New(rand.NewPCG(uint64(text), 5))
	a := w.articles[r.IntN(len(w.articles))]
	link := fmt.Sprintf("https://%s.example/tin-tuc/bai-viet-%d.html", outlet, w.n)
	it := store.Item{Title: w.changed(r, a.Title), Summary: w.changed(r, a.Summary), Content: "<p>" + w.changed(r, a.Body) + "</p>",
		Link: link, Published: w.at(w.n), Fingerprint: r.Uint64(), Topics: []store.ItemTopic{{Topic: "kinh-te", Primary: true}, {Topic: "xa-hoi"}},
		Aliases: []string{fmt.Sprintf("guid:%s:%d", outlet, w.n), "link:" + aggregator.LinkKey(link)}}
	if text != w.n { // the copy has a lead of its own
		it.Summary = w.changed(r, it.Summary)
	}
	return it
}

// changed is a text with one of every few syllables exchanged.
func (w *writer) changed(r *rand.Rand, text string) string {
	words := strings.Fields(text)
	for i := range words {
		if r.IntN(exchanged) == 0 {
			words[i] = w.words[r.IntN(len(w.words))]
		}
	}
	return strings.Join(words, " ")
}
