package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
)

var probeVerb = verb{name: "probe", args: "URL|SOURCE", short: "Read one source through every stage and show what came; nothing is stored.",
	example: "diemtin probe --json https://nhandan.vn/rss/home.rss",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		asJSON := fs.Bool("json", false, "print one JSON object")
		private := fs.Bool("allow-private", false, "admit loopback and private addresses")
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("probe: want one URL or the id of a source")}
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			a, err := aggregator.New(cfg.aggregate, nil, newLogger(stdio{io.Discard, io.Discard}, false), prometheus.NewRegistry())
			if err != nil {
				return err
			}
			r, err := a.Probe(ctx, args[0], *private)
			if err != nil {
				return err
			}
			p := newProbed(r)
			if *asJSON {
				err = writeJSON(std.out, p)
			} else {
				p.write(std.out)
			}
			if err == nil && !r.Outcome.OK() {
				err = fmt.Errorf("%s: %s", r.Outcome, r.Detail)
			}
			return err
		}
	}}

// probed is the shape of probe --json; its keys stay.
type probed struct {
	Outcome  store.Outcome       `json:"outcome"`
	Detail   string              `json:"detail,omitempty"`
	Advice   string              `json:"advice,omitempty"`
	Status   int                 `json:"status"`
	URL      string              `json:"url"`
	FinalURL string              `json:"final_url"`
	Source   string              `json:"source"`
	Kind     string              `json:"kind"`
	Bytes    int                 `json:"bytes"`
	TookMS   int64               `json:"took_ms"`
	Repairs  []aggregator.Repair `json:"repairs"`
	Items    []probedItem        `json:"items"`
}

type probedItem struct {
	Key          string            `json:"key"`
	Title        string            `json:"title"`
	Link         string            `json:"link"`
	Published    *string           `json:"published"`
	Updated      *string           `json:"updated"`
	PublishedRaw string            `json:"published_raw"`
	Summary      string            `json:"summary"`
	Content      string            `json:"content"`
	Image        string            `json:"image"`
	Authors      []string          `json:"authors"`
	Categories   []string          `json:"categories"`
	Enclosures   []store.Enclosure `json:"enclosures"`
	Attribution  string            `json:"attribution"`
	AttributedTo string            `json:"attributed_to,omitempty"` // the outlet's id, if it is known
	Topics       []store.Topic     `json:"topics"`                  // the primary one first
	Reasons      []store.ItemTopic `json:"reasons"`
	Province     string            `json:"province"`
	Lang         string            `json:"lang,omitempty"`
}

func newProbed(r aggregator.Report) probed {
	p := probed{Outcome: r.Outcome, Detail: r.Detail, Advice: aggregator.Advice(r.Outcome), Status: r.Status, URL: r.Source.URL,
		FinalURL: r.FinalURL, Source: r.Source.ID, Kind: r.Source.Kind, Bytes: r.Bytes, TookMS: r.Took.Milliseconds(),
		Repairs: orEmpty(r.Repairs), Items: make([]probedItem, len(r.Items))}
	for i, it := range r.Items {
		p.Items[i] = probedItem{Key: strings.TrimPrefix(it.Aliases[0], "guid:"+r.Source.ID+":"), Title: it.Title, Link: it.Link,
			Published: stamp(it.Published), Updated: stamp(it.Updated), PublishedRaw: it.PublishedRaw, Summary: it.Summary,
			Content: it.Content, Image: it.Image, Authors: orEmpty(it.Authors), Categories: orEmpty(it.Categories),
			Enclosures: orEmpty(it.Enclosures), Attribution: it.Attribution.Text, AttributedTo: it.Attribution.Outlet,
			Topics: primaryFirst(it.Topics), Reasons: orEmpty(it.Topics), Province: it.Province, Lang: it.Lang}
	}
	return p
}

// primaryFirst are the ids of an item's topics.
func primaryFirst(topics []store.ItemTopic) []store.Topic {
	ids := []store.Topic{}
	for _, t := range topics {
		if t.Primary {
			ids = slices.Insert(ids, 0, t.Topic)
		} else {
			ids = append(ids, t.Topic)
		}
	}
	return ids
}

// orEmpty keeps null out of JSON lists.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// stamp is a time as JSON has it: RFC 3339 in Việt Nam's zone, or null.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.In(store.Zone).Format(time.RFC3339)
	return &s
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// write is the probe for a person.
func (p probed) write(w io.Writer) {
	fmt.Fprintf(w, "%s\n  outcome   %s", p.URL, p.Outcome)
	if p.Status != 0 {
		fmt.Fprintf(w, " (HTTP %d, %d bytes, %d ms)", p.Status, p.Bytes, p.TookMS)
	}
	fmt.Fprintln(w)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %-9s %s\n", name, value)
		}
	}
	if p.FinalURL != p.URL {
		line("final", p.FinalURL)
	}
	line("cause", p.Detail)
	line("advice", p.Advice)
	for _, r := range p.Repairs {
		line("repair", strings.TrimSpace(fmt.Sprintf("%s ×%d %s", r.Kind, r.Count, r.Detail)))
	}
	for i, it := range p.Items {
		fmt.Fprintf(w, "\n%d. %s\n", i+1, it.Title)
		it.write(line)
	}
	fmt.Fprintf(w, "\n%d items\n", len(p.Items))
}

func (it probedItem) write(line func(name, value string)) {
	line("link", it.Link)
	line("key", it.Key)
	if it.Published != nil {
		line("published", *it.Published+"  (written "+it.PublishedRaw+")")
	} else {
		line("published", "unknown"+parenthesised(" (written ", it.PublishedRaw))
	}
	line("by", strings.Join(it.Authors, ", "))
	line("theo", it.Attribution+parenthesised(" = outlet ", it.AttributedTo))
	line("province", it.Province)
	line("summary", strings.ReplaceAll(it.Summary, "\n", " "))
	for _, t := range it.Reasons {
		line("topic", topicLine(t))
	}
}

func parenthesised(lead, s string) string {
	if s == "" {
		return ""
	}
	if strings.Contains(lead, "(") {
		s += ")"
	}
	return lead + s
}

// topicLine is one topic with the words that speak for it.
func topicLine(t store.ItemTopic) string {
	var why []string
	for _, p := range t.Reasons {
		why = append(why, fmt.Sprintf("“%s” in %s %+.3g", p.Text, p.Place, p.Weight))
	}
	mark := ""
	if t.Primary {
		mark = " (primary)"
	}
	return fmt.Sprintf("%s%s %.3g: %s", t.Topic, mark, t.Score, strings.Join(why, ", "))
}
