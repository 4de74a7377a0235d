package syndicate

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"diemtin/store"
)

const (
	// maxSitemapURLs is what one file may hold (sitemaps.org).
	maxSitemapURLs = 50_000
	// maxNewsURLs and newsAge are what a news sitemap may hold (Google News).
	maxNewsURLs = 1_000
	newsAge     = 48 * time.Hour

	sitemapNS = "http://www.sitemaps.org/schemas/sitemap/0.9"
	newsNS    = "http://www.google.com/schemas/sitemap-news/0.9"
)

type sitemapIndex struct {
	XMLName xml.Name       `xml:"sitemapindex"`
	NS      string         `xml:"xmlns,attr"`
	Files   []sitemapPlace `xml:"sitemap"`
}

type sitemapFile struct {
	XMLName xml.Name       `xml:"urlset"`
	NS      string         `xml:"xmlns,attr"`
	News    string         `xml:"xmlns:news,attr,omitempty"`
	URLs    []sitemapPlace `xml:"url"`
}

type sitemapPlace struct {
	Loc     string       `xml:"loc"`
	LastMod string       `xml:"lastmod,omitempty"`
	News    *sitemapNews `xml:"news:news"`
}

type sitemapNews struct {
	Name     string `xml:"news:publication>news:name"`
	Language string `xml:"news:publication>news:language"`
	Date     string `xml:"news:publication_date"`
	Title    string `xml:"news:title"`
}

// sitemapRoutes registers the sitemap, its files and the news sitemap. All of
// them are made when asked for, and kept like feeds.
func (s *Server) sitemapRoutes() {
	s.feedRoute("/sitemap.xml", "sitemap", s.sitemap("/sitemap.xml", func(ctx context.Context) (any, error) { return s.sitemapFiles(ctx) }))
	s.feedRoute("/sitemap/pages.xml", "sitemap", s.sitemap("/sitemap/pages.xml", func(context.Context) (any, error) { return s.sitemapPages(), nil }))
	s.feedRoute("/sitemap/days.xml", "sitemap", s.sitemap("/sitemap/days.xml", func(ctx context.Context) (any, error) { return s.sitemapDays(ctx) }))
	s.feedRoute("/sitemap/days/{day}", "sitemap", s.serveDaySitemap)
	news := s.sitemap("/news-sitemap.xml", func(ctx context.Context) (any, error) { return s.newsSitemap(ctx) })
	s.feedRoute("/news-sitemap.xml", "sitemap", func(w http.ResponseWriter, r *http.Request) int {
		if !s.cfg.Site.NewsSitemap {
			return refuse(w, http.StatusNotFound, "Trang này không có sơ đồ tin tức.")
		}
		return news(w, r)
	})
}

// sitemap serves a document at its path.
func (s *Server) sitemap(path string, build func(context.Context) (any, error)) func(http.ResponseWriter, *http.Request) int {
	maker := docMaker{format: "sitemap", contentType: "application/xml; charset=utf-8",
		revision: func(ctx context.Context) (store.Revision, error) { return s.store.Revision(ctx, store.Selection{}) },
		render: func(ctx context.Context, _ store.Revision) ([]byte, error) {
			doc, err := build(ctx)
			if err != nil {
				return nil, err
			}
			b := bytes.NewBufferString(xml.Header)
			if err := xml.NewEncoder(b).Encode(doc); err != nil {
				return nil, fmt.Errorf("write %s: %w", path, err)
			}
			return b.Bytes(), nil
		}}
	return func(w http.ResponseWriter, r *http.Request) int {
		if r.URL.Path != path {
			return redirect(w, r, path)
		}
		doc, err := s.feeds.refresh(r.Context(), docKey{path, 0}, maker, takesLater(r))
		if err != nil {
			s.log.ErrorContext(r.Context(), "sitemap not given out", "path", path, "error", err)
			w.Header().Set("Retry-After", retryAfter)
			return refuse(w, http.StatusServiceUnavailable, "Máy chủ tạm thời chưa đọc được tin. Xin thử lại sau nửa phút.")
		}
		return doc.serve(w, r)
	}
}

// sitemapFiles is the index: pages, days, and, if stories are to be found by
// search engines, those of each day.
func (s *Server) sitemapFiles(ctx context.Context) (sitemapIndex, error) {
	idx := sitemapIndex{NS: sitemapNS, Files: []sitemapPlace{{Loc: s.cfg.address("/sitemap/pages.xml")}}}
	days, err := s.daysWithNews(ctx)
	if err != nil {
		return idx, err
	}
	if len(days) > 0 { // a file without addresses is none
		idx.Files = append(idx.Files, sitemapPlace{Loc: s.cfg.address("/sitemap/days.xml")})
	}
	if s.cfg.Site.IndexStories {
		for _, d := range days[:min(len(days), maxSitemapURLs-len(idx.Files))] {
			idx.Files = append(idx.Files, sitemapPlace{Loc: s.cfg.address(daySitemap(d))})
		}
	}
	return idx, nil
}

func daySitemap(d store.Day) string { return "/sitemap/days/" + string(d) + ".xml" }

// sitemapPages lists what the menu leads to, and every channel.
func (s *Server) sitemapPages() sitemapFile {
	doc := sitemapFile{NS: sitemapNS}
	add := func(path string) { doc.URLs = append(doc.URLs, sitemapPlace{Loc: s.cfg.address(path)}) }
	add("/")
	for _, kind := range kinds {
		add("/" + kind + "/")
		for _, id := range s.cfg.ids(kind) {
			add("/" + kind + "/" + id + "/")
		}
	}
	for _, path := range []string{"/days/", "/nguon-cap-tin/", "/gioi-thieu/", nhungPath} {
		add(path)
	}
	doc.URLs = doc.URLs[:min(len(doc.URLs), maxSitemapURLs)]
	return doc
}

func (s *Server) sitemapDays(ctx context.Context) (sitemapFile, error) {
	doc := sitemapFile{NS: sitemapNS}
	days, err := s.daysWithNews(ctx)
	for _, d := range days {
		doc.URLs = append(doc.URLs, sitemapPlace{Loc: s.cfg.address("/days/" + string(d) + "/")})
	}
	return doc, err
}

// daysWithNews are the days on which something was published, newest first.
func (s *Server) daysWithNews(ctx context.Context) ([]store.Day, error) {
	var days []store.Day
	d := store.DayOf(s.now()).Next()
	for len(days) < maxSitemapURLs {
		prev, _, err := s.store.Neighbours(ctx, store.Selection{}, d)
		if err != nil {
			return nil, err
		}
		if prev == "" || prev < firstDay {
			break
		}
		days, d = append(days, prev), prev
	}
	return days, nil
}

// serveDaySitemap answers with the stories of a day, if search engines may list
// them.
func (s *Server) serveDaySitemap(w http.ResponseWriter, r *http.Request) int {
	raw, _ := strings.CutSuffix(r.PathValue("day"), ".xml")
	d, why := s.lang.readDay(raw, store.DayOf(s.now()))
	switch {
	case !s.cfg.Site.IndexStories:
		return refuse(w, http.StatusNotFound, "Trang này không giới thiệu từng tin với máy tìm kiếm.")
	case why != "":
		return refuse(w, http.StatusNotFound, why)
	}
	return s.sitemap(daySitemap(d), func(ctx context.Context) (any, error) {
		doc := sitemapFile{NS: sitemapNS}
		err := s.eachStory(ctx, store.Query{Selection: store.Selection{Day: d}}, func(st *store.Story) bool {
			doc.URLs = append(doc.URLs, sitemapPlace{Loc: s.cfg.address("/stories/" + st.ID), LastMod: changed(st).In(store.Zone).Format(time.RFC3339)})
			return len(doc.URLs) < maxSitemapURLs
		})
		return doc, err
	})(w, r)
}

// newsSitemap lists the stories listed within two days of the newest one.
func (s *Server) newsSitemap(ctx context.Context) (sitemapFile, error) {
	doc := sitemapFile{NS: sitemapNS, News: newsNS}
	var oldest time.Time
	err := s.eachStory(ctx, store.Query{Order: store.ByListed}, func(st *store.Story) bool {
		if oldest.IsZero() {
			oldest = st.Listed.Add(-newsAge)
		}
		if st.Listed.Before(oldest) {
			return false
		}
		f := Feed{Config: &s.cfg}
		e := f.entry(st)
		lang := e.lang
		if lang == "" {
			lang = s.cfg.language()
		}
		doc.URLs = append(doc.URLs, sitemapPlace{Loc: s.cfg.address("/stories/" + st.ID), News: &sitemapNews{
			Name: plainName(s.cfg.Site.Title), Language: lang, Date: e.created.Format(time.RFC3339), Title: e.title}})
		return len(doc.URLs) < maxNewsURLs
	})
	return doc, err
}

// eachStory calls yield with the stories of a query until that returns false.
func (s *Server) eachStory(ctx context.Context, q store.Query, yield func(*store.Story) bool) error {
	q.Limit = store.MaxStories
	for {
		page, err := s.store.Stories(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if !yield(&page[i]) {
				return nil
			}
		}
		if len(page) == 0 {
			return nil
		}
		last := page[len(page)-1]
		q.Before = store.Cursor{At: last.Shown, ID: last.ID}
		if q.Order == store.ByListed && q.Day == "" {
			q.Before.At = last.Listed
		}
	}
}

// robots is robots.txt: what stands in web/robots.txt, and where the sitemaps are.
func (s *Server) robots() ([]byte, error) {
	rules, err := web.ReadFile("web/robots.txt")
	if err != nil || s.cfg.Site.BaseURL == "" {
		return rules, err
	}
	maps := []string{"/sitemap.xml"}
	if s.cfg.Site.NewsSitemap {
		maps = append(maps, "/news-sitemap.xml")
	}
	rules = slices.Clone(rules)
	rules = append(rules, '\n')
	for _, path := range maps {
		rules = append(rules, "Sitemap: "+s.cfg.address(path)+"\n"...)
	}
	return rules, nil
}
