package main

import (
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

const (
	outlets = 30
	days    = 14
	// inFeed is how many of its newest articles an outlet's feed lists.
	inFeed = 3
)

// press is the simulated outlets, which publish the articles in turn.
type press struct {
	pages   bool // serve the articles' pages, and the bodies on them
	begin   time.Time
	all     []article
	servers []*httptest.Server // one an outlet

	mu        sync.Mutex
	published int // so many of all
}

func newPress(all []article, pages bool, begin time.Time) *press {
	p := &press{pages: pages, begin: begin, all: all}
	for i := range outlets {
		p.servers = append(p.servers, httptest.NewServer(p.outlet(i)))
	}
	return p
}

func (p *press) close() {
	for _, s := range p.servers {
		s.Close()
	}
}

// publish lets each outlet publish its next article, and says whether there
// was one.
func (p *press) publish() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.published = min(p.published+outlets, len(p.all))
	return p.published < len(p.all)
}

// link is the address of the n-th article.
func (p *press) link(n int) string {
	return fmt.Sprintf("%s/bai-%s.html", p.servers[n%outlets].URL, p.all[n].ID)
}

// at is when the n-th article was published.
func (p *press) at(n int) time.Time {
	return p.begin.Add(time.Duration(n) * (days * 24 * time.Hour / time.Duration(len(p.all))))
}

// outlet answers for one outlet: its feed, and its articles' pages.
func (p *press) outlet(i int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /feed.rss", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
		w.Write([]byte(p.feed(i)))
	})
	byPath := map[string]int{}
	for n := i; n < len(p.all); n += outlets {
		byPath["bai-"+p.all[n].ID+".html"] = n
	}
	mux.HandleFunc("GET /{page}", func(w http.ResponseWriter, r *http.Request) {
		n, ok := byPath[r.PathValue("page")]
		if !ok || !p.pages {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(p.page(n)))
	})
	return mux
}

// feed is an outlet's feed: headline, lead and date, as most outlets have it.
func (p *press) feed(i int) string {
	p.mu.Lock()
	published := p.published
	p.mu.Unlock()
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Báo ` +
		fmt.Sprint(i+1) + `</title><link>` + p.servers[i].URL + `/</link>`)
	last := (published-1-i)/outlets*outlets + i
	for n := last; published > i && n >= 0 && n > last-inFeed*outlets; n -= outlets {
		b.WriteString("<item><title>")
		xml.EscapeText(&b, []byte(p.all[n].Title))
		b.WriteString("</title><link>" + p.link(n) + "</link><pubDate>" + p.at(n).Format(time.RFC1123Z) + "</pubDate><description>")
		xml.EscapeText(&b, []byte(p.all[n].Summary))
		b.WriteString("</description>")
		b.WriteString("</item>")
	}
	b.WriteString("</channel></rss>")
	return b.String()
}

// page is an article's own page.
func (p *press) page(n int) string {
	a := p.all[n]
	return `<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>` + html.EscapeString(a.Title) + `</title>
<meta property="og:type" content="article"><meta property="article:published_time" content="` + p.at(n).Format(time.RFC3339) + `">
</head><body><nav><a href="/">Trang chủ</a></nav><article><h1>` + html.EscapeString(a.Title) + `</h1>
<p class="sapo">` + html.EscapeString(a.Summary) + `</p><div class="content"><p>` + html.EscapeString(a.Body) + `</p></div></article></body></html>`
}
