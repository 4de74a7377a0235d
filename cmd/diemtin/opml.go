package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"diemtin/aggregator"
)

// maxOPML bounds the bytes of an OPML file; ten thousand feeds take 3 MB.
const maxOPML = 32 << 20

var importVerb = verb{name: "import", args: "FILE.opml", short: "Print the feeds of an OPML file as outlets for feeds.yaml; \"-\" reads the standard input.",
	example: "diemtin import subscriptions.opml > outlets.yaml",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		return func(_ context.Context, std stdio, args []string) error {
			if len(args) != 1 {
				return errUsage{errors.New("import: want one OPML file")}
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			body, err := readAtMost(args[0], maxOPML)
			if err != nil {
				return err
			}
			subs, err := aggregator.ReadOPML(body, "")
			if err != nil {
				return fmt.Errorf("read %s: %w", args[0], err)
			}
			outlets := aggregator.OutletsOf(subs, cfg.aggregate.Topics)
			n := 0
			for _, o := range outlets {
				n += len(o.Sources)
			}
			fmt.Fprintf(std.out, "# %d sources of %d outlets. Name, scope, province and rank are guessed: check them.\noutlets:\n", n, len(outlets))
			for _, o := range outlets {
				writeOutlet(std.out, o)
			}
			return nil
		}
	}}

// readAtMost reads a file, "-" being the standard input.
func readAtMost(name string, limit int64) ([]byte, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read OPML: %w", err)
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read OPML: %w", err)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("read %s: it is larger than %d bytes", name, limit)
	}
	return body, nil
}

// writeOutlet writes an outlet as feeds.yaml has it.
func writeOutlet(w io.Writer, o aggregator.OutletConfig) {
	fmt.Fprintf(w, "  - id: %s\n    name: %s\n    domains: [%s]\n    scope: %s\n", o.ID, quoted(o.Name), quoted(o.Domains...), o.Scope)
	if o.Province != "" {
		fmt.Fprintf(w, "    province: %s\n", o.Province)
	}
	if o.Rank != 0 {
		fmt.Fprintf(w, "    rank: %d\n", o.Rank)
	}
	fmt.Fprint(w, "    show: summary\n")
	if len(o.Sources) > 0 {
		fmt.Fprint(w, "    sources:\n")
	}
	for _, s := range o.Sources {
		fmt.Fprint(w, sourceYAML(s))
	}
}

// sourceYAML is a source as feeds.yaml has it, in lines of its own.
func sourceYAML(s aggregator.SourceConfig) string {
	var b strings.Builder
	fmt.Fprintf(&b, "      - id: %s\n", s.ID)
	if s.Kind != "" && s.Kind != "feed" {
		fmt.Fprintf(&b, "        kind: %s\n", s.Kind)
	}
	fmt.Fprintf(&b, "        url: %s\n", quoted(s.URL))
	if s.Topic != "" {
		fmt.Fprintf(&b, "        topic: %s\n", s.Topic)
	}
	if s.AllowPrivate {
		fmt.Fprint(&b, "        allow_private: true\n")
	}
	if p := s.Page; p != nil {
		fmt.Fprintf(&b, "        page:\n          item: %s\n", quoted(p.Item))
		for _, part := range []struct{ key, value string }{{"title", p.Title}, {"link", p.Link}, {"date", p.Date}, {"summary", p.Summary}, {"image", p.Image}, {"next", p.Next}} {
			if part.value != "" {
				fmt.Fprintf(&b, "          %s: %s\n", part.key, quoted(part.value))
			}
		}
		if p.Pages > 0 {
			fmt.Fprintf(&b, "          pages: %d\n", p.Pages)
		}
	}
	return b.String()
}

// quoted are texts as YAML and JSON both quote them.
func quoted(all ...string) string {
	var out []string
	for _, s := range all {
		text, _ := json.Marshal(s) // of a string, cannot fail
		out = append(out, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text)))
	}
	return strings.Join(out, ", ")
}

var exportVerb = verb{name: "export", short: "Print the sources of a feeds.yaml as OPML 2.0, for other feed readers and for diemtin import.",
	example: "diemtin export --config feeds.yaml > sources.opml",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		name := configFlag(fs)
		return func(_ context.Context, std stdio, args []string) error {
			if err := noArguments(args); err != nil {
				return err
			}
			cfg, err := loadConfig(*name)
			if err != nil {
				return err
			}
			return writeOPML(std.out, cfg)
		}
	}}

// opml is a document of subscriptions (opml.org/spec2). The attributes named
// dt: are ours: with them an import gives the same sources back.
type opml struct {
	XMLName  xml.Name  `xml:"opml"`
	Version  string    `xml:"version,attr"`
	NS       string    `xml:"xmlns:dt,attr"`
	Title    string    `xml:"head>title"`
	Outlines []outline `xml:"body>outline"`
}

type outline struct {
	Text     string    `xml:"text,attr"`
	Title    string    `xml:"title,attr,omitempty"`
	Type     string    `xml:"type,attr,omitempty"`
	XMLURL   string    `xml:"xmlUrl,attr,omitempty"`
	URL      string    `xml:"url,attr,omitempty"`
	HTMLURL  string    `xml:"htmlUrl,attr,omitempty"`
	Category string    `xml:"category,attr,omitempty"`
	Outlet   string    `xml:"dt:outlet,attr,omitempty"`
	Scope    string    `xml:"dt:scope,attr,omitempty"`
	Province string    `xml:"dt:province,attr,omitempty"`
	Rank     string    `xml:"dt:rank,attr,omitempty"`
	ID       string    `xml:"dt:id,attr,omitempty"`
	Kind     string    `xml:"dt:kind,attr,omitempty"`
	Topic    string    `xml:"dt:topic,attr,omitempty"`
	Source   string    `xml:"dt:url,attr,omitempty"`  // of what is no feed: other readers must not fetch it as one
	Page     string    `xml:"dt:page,attr,omitempty"` // JSON
	Outlines []outline `xml:"outline"`
}

func writeOPML(w io.Writer, cfg *config) error {
	doc := opml{Version: "2.0", NS: "urn:diemtin:opml", Title: cfg.syndicate.Site.Title}
	for _, o := range cfg.aggregate.Outlets {
		out := outline{Text: o.Name, Outlet: o.ID, Scope: string(o.Scope), Province: o.Province}
		if o.Rank != 0 {
			out.Rank = strconv.Itoa(o.Rank)
		}
		if len(o.Domains) > 0 {
			out.HTMLURL = "https://" + o.Domains[0] + "/"
		}
		for _, s := range o.Sources {
			src, err := outlineOf(o, s)
			if err != nil {
				return err
			}
			out.Outlines = append(out.Outlines, src)
		}
		doc.Outlines = append(doc.Outlines, out)
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write OPML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func outlineOf(o aggregator.OutletConfig, s aggregator.SourceConfig) (outline, error) {
	out := outline{Text: o.Name, ID: s.ID, Topic: string(s.Topic)}
	if s.Topic != "" {
		out.Text, out.Category = o.Name+" – "+string(s.Topic), "/"+string(s.Topic)
	}
	if s.Kind == "" || s.Kind == "feed" {
		out.Type, out.XMLURL, out.Title = "rss", s.URL, out.Text
		return out, nil
	}
	out.Type, out.URL, out.Source, out.Kind = "link", s.URL, s.URL, s.Kind
	if s.Page != nil {
		page, err := json.Marshal(s.Page)
		if err != nil {
			return out, fmt.Errorf("write selectors of %s: %w", s.ID, err)
		}
		out.Page = string(page)
	}
	return out, nil
}
