package outlettest

import (
	"fmt"
	"strings"
	"time"
)

// Config is what [World.ConfigYAML] fills in besides the outlets.
type Config struct {
	BaseURL string // of the site that reads the outlets
	Title   string // empty: "Điểm tin (trình diễn)"
	// Min and Max bound the intervals at which sources are polled; zero: no
	// every key.
	Min, Max time.Duration
}

// ConfigYAML returns the text of a feeds.yaml that reads this world: the
// outlets and their sources, neither topics nor channels, so that the shipped
// ones apply.
func (w *World) ConfigYAML(c Config) string {
	if c.Title == "" {
		c.Title = "Điểm tin (trình diễn)"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Simulated outlets on this machine: nothing in their news is true.\n")
	fmt.Fprintf(&b, "site: {title: %q, base_url: %q, language: vi, operator: %q, contact: %q}\n",
		c.Title, c.BaseURL, "Bản trình diễn", "demo@example.invalid")
	b.WriteString("limits: {allow_private: true, host_pause: 0s, polls_per_hour: 20000}\noutlets:\n")
	for _, o := range w.outlets {
		o.yaml(&b, c)
	}
	return b.String()
}

func (o *Outlet) yaml(b *strings.Builder, c Config) {
	aliases := append([]string{o.Domain}, o.Aliases...)
	fmt.Fprintf(b, "  - id: %s\n    name: %q\n    aliases: [%s]\n    domains: [%q]\n    scope: %s\n",
		o.ID, o.Name, quoted(aliases), strings.TrimPrefix(o.URL, "http://"), o.Scope)
	if o.Province != "" {
		fmt.Fprintf(b, "    province: %s\n", o.Province)
	}
	fmt.Fprintf(b, "    rank: %d\n    show: summary\n    images: %t\n    sources:\n", o.Rank, o.profile.images)
	for _, f := range o.Feeds {
		fmt.Fprintf(b, "      - id: %s\n        kind: %s\n        url: %q\n", f.ID, f.Kind, f.URL)
		if f.Topic != "" {
			fmt.Fprintf(b, "        topic: %s\n", f.Topic)
		}
		if c.Max > 0 {
			fmt.Fprintf(b, "        every: {min: %s, max: %s}\n", c.Min, c.Max)
		}
		if f.Kind == "page" { // what the pages of portal.go look like
			b.WriteString("        page: {item: \"ul.news > li\", title: a, link: a, date: .date, next: \"a.next\"}\n")
		}
	}
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%q", s))
	}
	return strings.Join(out, ", ")
}
