package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
)

var discoverVerb = verb{name: "discover", args: "URL", short: "Find the feeds and sitemaps of a site, and print them for feeds.yaml.",
	example: "diemtin discover https://nhandan.vn/",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		private := fs.Bool("allow-private", false, "admit loopback and private addresses")
		asJSON := fs.Bool("json", false, "print one JSON object")
		return func(ctx context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("discover: want one address of a site")}
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			cfg.aggregate.Limits.AllowPrivate = cfg.aggregate.Limits.AllowPrivate || *private
			d, err := aggregator.Discover(ctx, cfg.aggregate, args[0], time.Now())
			if err != nil {
				return fmt.Errorf("discover %s: %w", args[0], err)
			}
			if *asJSON {
				return writeJSON(std.out, newDiscovered(d))
			}
			writeDiscovery(std.out, d)
			return nil
		}
	}}

// discovered is the shape of discover --json; its keys stay.
type discovered struct {
	URL    string           `json:"url"`
	Outlet discoveredOutlet `json:"outlet"`
	Found  []discoveredFind `json:"found"`
	Page   *discoveredFind  `json:"page"` // a guess, if nothing else was found
	// Stopped says why the search ended early, empty if it did not.
	Stopped string `json:"stopped,omitempty"`
}

type discoveredOutlet struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Domains  []string    `json:"domains"`
	Scope    store.Scope `json:"scope"`
	Province string      `json:"province,omitempty"`
}

type discoveredFind struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"`
	URL       string            `json:"url"`
	Topic     store.Topic       `json:"topic,omitempty"`
	How       string            `json:"how"`
	Items     int               `json:"items"`
	Newest    *string           `json:"newest"`
	Use       bool              `json:"use"`
	Note      string            `json:"note,omitempty"`
	Selectors map[string]string `json:"selectors,omitempty"`
	Samples   []string          `json:"samples"`
}

func newDiscovered(d aggregator.Discovery) discovered {
	out := discovered{URL: d.URL, Found: []discoveredFind{}, Stopped: d.Stopped,
		Outlet: discoveredOutlet{d.Outlet.ID, d.Outlet.Name, d.Outlet.Domains, d.Outlet.Scope, d.Outlet.Province}}
	for _, f := range d.Finds {
		out.Found = append(out.Found, newFind(f))
	}
	if d.Page != nil {
		f := newFind(*d.Page)
		out.Page = &f
	}
	return out
}

func newFind(f aggregator.Find) discoveredFind {
	out := discoveredFind{ID: f.Source.ID, Kind: f.Source.Kind, URL: f.Source.URL, Topic: f.Source.Topic, How: f.How, Items: f.Items,
		Newest: stamp(f.Newest), Use: f.Use, Note: f.Note, Samples: orEmpty(f.Samples)}
	if p := f.Source.Page; p != nil {
		out.Selectors = map[string]string{}
		for key, value := range map[string]string{"item": p.Item, "date": p.Date, "summary": p.Summary, "image": p.Image, "next": p.Next} {
			if value != "" {
				out.Selectors[key] = value
			}
		}
	}
	return out
}

// writeDiscovery prints YAML to paste, with what a person must know as
// comments.
func writeDiscovery(w io.Writer, d aggregator.Discovery) {
	feeds, sitemaps := 0, 0
	for _, f := range d.Finds {
		if f.Source.Kind == "feed" {
			feeds++
		} else {
			sitemaps++
		}
	}
	switch {
	case len(d.Finds) > 0:
		fmt.Fprintf(w, "# %s: found and read, feeds: %d, sitemaps: %d.\n", d.URL, feeds, sitemaps)
	case d.Page != nil:
		fmt.Fprintf(w, "# %s: there is neither a feed nor a sitemap. The page itself repeats what may be a list of articles;\n"+
			"# compare the headlines below with the page, and mend the selectors if they are not the news.\n", d.URL)
	default:
		fmt.Fprintf(w, "# %s: there is neither a feed nor a sitemap, and nothing on the page repeats as a list of articles does.\n"+
			"# Try the address of a section, or fill in the selectors below from the page's HTML.\n", d.URL)
	}
	if d.Stopped != "" {
		fmt.Fprintf(w, "# The search stopped early, so there may be more: %s.\n", strings.Join(strings.Fields(d.Stopped), " "))
	}
	fmt.Fprint(w, "# Name, scope, province and rank are guessed: check them. Paste all but the next line below \"outlets:\".\noutlets:\n")
	o := d.Outlet
	o.Sources = nil
	writeOutlet(w, o)
	fmt.Fprint(w, "    sources:\n")
	for _, f := range d.Finds {
		writeFind(w, f)
	}
	switch {
	case d.Page != nil:
		writeFind(w, *d.Page)
	case len(d.Finds) == 0:
		src := aggregator.SourceConfig{ID: o.ID + "-home", Kind: "page", URL: d.URL,
			Page: &aggregator.PageConfig{Item: "ul.CLASS > li", Link: "a", Date: ".DATE", Next: "a.NEXT"}}
		fmt.Fprint(w, commented(sourceYAML(src)))
	}
}

func writeFind(w io.Writer, f aggregator.Find) {
	newest := ""
	if s := stamp(f.Newest); s != nil {
		newest = ", the newest of " + *s
	}
	fmt.Fprintf(w, "      # %s: %d entries%s\n", f.How, f.Items, newest)
	if f.Note != "" {
		fmt.Fprintf(w, "      # %s\n", f.Note)
	}
	for _, s := range f.Samples {
		fmt.Fprintf(w, "      #   “%s”\n", s)
	}
	text := sourceYAML(f.Source)
	if !f.Use {
		text = commented(text)
	}
	fmt.Fprint(w, text)
}

// commented turns YAML into comments, at the same depth.
func commented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		trimmed := strings.TrimLeft(line, " ")
		indent := min(len(line)-len(trimmed), 6)
		b.WriteString(line[:indent] + "# " + line[indent:])
	}
	return b.String()
}
