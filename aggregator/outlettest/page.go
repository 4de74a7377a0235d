package outlettest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"time"
)

// demoNote stands below every page, outside the article.
const demoNote = "Trang mô phỏng: mọi tin ở đây do máy đặt ra, không có thật."

var pages = template.Must(template.New("").Funcs(template.FuncMap{"note": func() string { return demoNote }}).Parse(`
{{define "head"}}<!DOCTYPE html>
<html lang="vi"><head><meta charset="{{.Charset}}"><meta name="viewport" content="width=device-width">
<style>body{font:17px/1.55 system-ui,sans-serif;max-width:44em;margin:0 auto;padding:1em;color:#222}a{color:#7a1f1f}h1{line-height:1.25}.date,.nhan,footer{color:#666;font-size:.85em}.sapo{font-weight:600}.source,.author{text-align:right;font-style:italic}li{margin:.35em 0}footer{margin-top:3em;border-top:1px solid #ddd}</style>
{{end}}
{{define "foot"}}<footer>{{.Outlet.Name}} · {{note}}</footer></body></html>
{{end}}

{{define "home"}}{{template "head" .}}<title>{{.Outlet.Name}}</title>
{{range .Outlet.Feeds}}{{if eq .Kind "feed"}}<link rel="alternate" type="{{$.FeedType}}" href="{{.URL}}">
{{end}}{{end}}</head><body><h1>{{.Outlet.Name}}</h1>
<ul>{{range .More}}<li><a href="{{.Link}}">{{.Title}}</a> <span class="date">{{.Date}}</span></li>
{{end}}</ul>{{template "foot" .}}{{end}}

{{define "gone"}}{{template "head" .}}<title>Không tìm thấy</title></head><body><h1>Không tìm thấy trang</h1>
<p><a href="{{.Outlet.URL}}/">Về trang chủ</a></p>{{template "foot" .}}{{end}}

{{define "article"}}{{template "head" .}}<title>{{.Article.Title}} - {{.Outlet.Name}}</title>
<link rel="canonical" href="{{.Canonical}}">
<meta property="og:title" content="{{.Article.Title}}">
<meta property="og:type" content="article">
<meta property="article:published_time" content="{{.ISO}}">
<meta name="description" content="{{.Article.Lead}}">
<script type="application/ld+json">{{.LD}}</script>
</head><body><nav><a href="{{.Outlet.URL}}/">{{.Outlet.Name}}</a></nav>
<article><h1>{{.Article.Title}}</h1>
<p class="date"><time datetime="{{.ISO}}">{{.Date}}</time></p>
<div class="content"><p class="sapo">{{.Article.Lead}}</p>
{{range .Article.Body}}<p>{{.}}</p>
{{end}}{{with .Article.Author}}<p class="author">{{.}}</p>
{{end}}{{with .Article.Credit}}<p class="source">{{.}}</p>
{{end}}</div></article>
<aside class="related"><h3>Tin liên quan</h3><ul>{{range .More}}<li><a href="{{.Link}}">{{.Title}}</a></li>
{{end}}</ul></aside>{{template "foot" .}}{{end}}

{{define "portal-article"}}{{template "head" .}}<title>{{.Article.Title}} - {{.Outlet.Name}}</title>
<link rel="canonical" href="{{.Canonical}}">
</head><body><nav><a href="{{.Outlet.URL}}/">{{.Outlet.Name}}</a></nav>
<div id="chi-tiet"><h1>{{.Article.Title}}</h1>
<p>{{.Article.Lead}}</p>
{{range .Article.Body}}<p>{{.}}</p>
{{end}}{{with .Article.Author}}<p><b>{{.}}</b></p>
{{end}}{{with .Article.Credit}}<p>{{.}}</p>
{{end}}</div>
<div class="cung-chuyen-muc"><h3>Tin cùng chuyên mục</h3><ul>{{range .More}}<li><a href="{{.Link}}">{{.Title}}</a> <span class="date">{{.Date}}</span></li>
{{end}}</ul></div>
<div class="theo-ngay"><h3>Xem tin theo ngày</h3><ul>{{range .Day}}<li><a href="{{.Link}}">{{.Title}}</a></li>
{{end}}</ul></div>{{template "foot" .}}{{end}}

{{define "listing"}}{{template "head" .}}<title>{{.Section}} - {{.Outlet.Name}}</title></head>
<body><nav><a href="{{.Outlet.URL}}/">{{.Outlet.Name}}</a> &gt; {{.Section}}</nav>
<h2>{{.Section}}</h2>
<ul class="news">{{range .More}}<li><a href="{{.Link}}">{{.Title}}</a> <span class="date">{{.Date}}</span></li>
{{end}}</ul>
<div class="phan-trang">{{with .Prev}}<a class="prev" href="{{.}}">Trang trước</a> {{end}}{{with .Next}}<a class="next" href="{{.}}">Trang sau</a>{{end}}</div>
{{template "foot" .}}{{end}}
`))

const (
	pageHome          = "home"
	pageGone          = "gone"
	pageArticle       = "article"
	pagePortalArticle = "portal-article"
	pageListing       = "listing"
)

// line is one headline in a list.
type line struct{ Link, Title, Date string }

// pageData is what the templates show.
type pageData struct {
	Outlet    *Outlet
	Charset   string
	FeedType  string
	Section   string
	Article   *Article
	Canonical string
	ISO, Date string
	LD        map[string]any // JSON-LD
	More, Day []line
	Prev      string
	Next      string
}

// html renders a page in the outlet's charset; pages of outlets whose feeds
// are UTF-16 are UTF-8, as no browser likes the other.
func (o *Outlet) html(a *answer, name string, d *pageData) {
	if d == nil {
		d = &pageData{}
	}
	cs := o.profile.charset
	if cs == utf16Text {
		cs = utf8Text
	}
	d.Outlet, d.Charset = o, cs.label()
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, d); err != nil {
		a.status = http.StatusInternalServerError // shows in the package's tests
		fmt.Fprint(&a.body, err)
		return
	}
	a.header.Set("Content-Type", "text/html; charset="+strings.ToLower(cs.label()))
	a.body.Write(cs.encode(b.String()))
}

func (o *Outlet) lines(list []*Article, date dateForm) []line {
	var out []line
	for _, a := range list {
		l := line{Link: a.Link, Title: a.Title}
		if date != nil {
			l.Date = date(a.Published)
		}
		out = append(out, l)
	}
	return out
}

func (o *Outlet) serveHome(a *answer) {
	types := map[format]string{atom: "application/atom+xml", jsonf: "application/feed+json"}
	t := types[o.profile.format]
	if t == "" {
		t = "application/rss+xml"
	}
	o.html(a, pageHome, &pageData{FeedType: t, More: o.lines(o.visible(nil, 30), dateStory)})
}

// others returns the newest n articles of the list without art.
func others(list []*Article, art *Article, n int) []*Article {
	var out []*Article
	for _, x := range list {
		if x != art && len(out) < n {
			out = append(out, x)
		}
	}
	return out
}

func (o *Outlet) serveArticle(a *answer, art *Article) {
	d := &pageData{Article: art, Canonical: art.Canonical, ISO: dateRFC3339(art.Published), Date: dateStory(art.Published)}
	if d.Canonical == "" {
		d.Canonical = art.Link
	}
	same := o.visible([]string{art.Topic}, 11)
	if o.profile.format == portal {
		d.More = o.lines(others(same, art, 10), datePortal)
		d.Day = o.lines(o.ofDay(art), nil)
		o.html(a, pagePortalArticle, d)
		return
	}
	d.More = o.lines(others(same, art, 5), nil)
	d.LD = map[string]any{
		"@context": "https://schema.org", "@type": "NewsArticle", "headline": art.Title, "description": art.Lead,
		"datePublished": d.ISO, "mainEntityOfPage": art.Link, "inLanguage": "vi",
		"publisher": map[string]string{"@type": "Organization", "name": o.Name, "url": o.URL + "/"},
	}
	if !art.Updated.IsZero() {
		d.LD["dateModified"] = dateRFC3339(art.Updated)
	}
	if art.Author != "" {
		d.LD["author"] = map[string]string{"@type": "Person", "name": art.Author}
	}
	o.html(a, pageArticle, d)
}

// ofDay returns the other articles of the day on which art appeared.
func (o *Outlet) ofDay(art *Article) []*Article {
	var out []*Article
	day := func(t time.Time) string { return t.In(vietnam).Format(time.DateOnly) }
	for _, x := range o.visible(nil, len(o.articles)) {
		if x != art && day(x.Published) == day(art.Published) && len(out) < 10 {
			out = append(out, x)
		}
	}
	return out
}

// picture draws an article's picture: two colours of its own.
func picture(id string) []byte {
	h := fnv.New32a()
	h.Write([]byte(id))
	var c [4]byte
	binary.BigEndian.PutUint32(c[:], h.Sum32())
	img := image.NewPaletted(image.Rect(0, 0, 160, 90), color.Palette{
		color.RGBA{c[0], c[1], c[2], 255}, color.RGBA{c[2], c[3], c[0], 255},
	})
	for y := range 90 {
		for x := range 160 {
			if x+int(c[3]%90) > 2*y {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	png.Encode(&b, img) // into memory, of a valid image: cannot fail
	return b.Bytes()
}

func servePicture(a *answer, id string) {
	a.header.Set("Content-Type", "image/png")
	a.body.Write(picture(id))
}
