package aggregator

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestAdvertised(t *testing.T) {
	t.Parallel()
	rss := func(links string) string {
		return `<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title><link>https://bao.vn/</link>` + links +
			`<item><title>x</title><atom:link rel="hub" href="https://item.example/"/></item></channel></rss>`
	}
	const both = `<atom:link rel="hub" href="https://hub.example/a"/><atom:link rel="self" href="https://bao.vn/canonical"/>`
	for _, tt := range []struct {
		name   string
		header []string
		body   string
		hubs   []string
		topic  string
	}{
		{"nothing", nil, rss(""), nil, ""},
		{"self alone", nil, rss(`<atom:link rel="self" href="https://bao.vn/canonical"/>`), nil, ""},
		{"headers", []string{`<https://hub.example/>; rel="hub", </canonical>; rel=self`}, rss(""), []string{"https://hub.example/"}, "https://bao.vn/canonical"},
		{"two header lines", []string{`<https://hub.example/>;rel=hub`, `<https://bao.vn/c,d>; title="a, \"b\"; rel=hub"; rel="self"`}, rss(""), []string{"https://hub.example/"}, "https://bao.vn/c,d"},
		{"several rels, in capitals", []string{`<https://hub.example/>; REL="preload HUB"`}, "", []string{"https://hub.example/"}, "https://bao.vn/rss"},
		{"the first rel counts", []string{`<https://hub.example/>; rel=next; rel=hub`}, "", nil, ""},
		{"an anchor elsewhere", []string{`<https://hub.example/>; anchor="https://x.example/"; rel=hub`}, "", nil, ""},
		{"broken header", []string{`<https://hub.example/; rel=hub`, `x, <https://hub2.example/> junk; rel=hub`}, "", []string{"https://hub2.example/"}, "https://bao.vn/rss"},
		{"header before body", []string{`<https://first.example/>; rel=hub, <https://bao.vn/first>; rel=self`}, rss(both), []string{"https://first.example/"}, "https://bao.vn/first"},
		{"hub in the header, self in the body", []string{`<https://first.example/>; rel=hub`}, rss(both), []string{"https://first.example/"}, "https://bao.vn/canonical"},
		{"self in the header, both in the body", []string{`<https://bao.vn/first>; rel=self`}, rss(both), []string{"https://hub.example/a"}, "https://bao.vn/canonical"},
		{"RSS", nil, rss(both), []string{"https://hub.example/a"}, "https://bao.vn/canonical"},
		{"RSS without self", nil, rss(`<atom:link rel='hub' href='https://hub.example/?a=1&amp;b=2'></atom:link>`), []string{"https://hub.example/?a=1&b=2"}, "https://bao.vn/rss"},
		{"RSS, links at the end", nil, strings.Replace(rss(""), "</channel>", both+"</channel>", 1), []string{"https://hub.example/a"}, "https://bao.vn/canonical"},
		{"RSS, hub in a comment", nil, rss("<!-- " + both + " -->"), nil, ""},
		{"Atom", nil, `<feed xmlns="http://www.w3.org/2005/Atom"><link href="/hub" rel="hub"/><link rel="self" href="atom.xml"/><entry><link rel="self" href="/e"/></entry></feed>`,
			[]string{"https://bao.vn/hub"}, "https://bao.vn/atom.xml"},
		{"two hubs, one twice", nil, rss(`<atom:link rel="hub" href="https://a.example/"/><atom:link rel="hub" href="https://b.example/"/><atom:link rel="hub" href="https://a.example/"/>`),
			[]string{"https://a.example/", "https://b.example/"}, "https://bao.vn/rss"},
		{"no address of the web", nil, rss(`<atom:link rel="hub" href="javascript:alert(1)"/><atom:link rel="hub" href="ftp://hub.example/"/><atom:link rel="hub" href="https://a:b@hub.example/"/>`), nil, ""},
		{"page", nil, `<!DOCTYPE html><html><head><LINK REL=hub HREF=https://hub.example/><link rel="self" href="/tin"></head><body><link rel="hub" href="https://body.example/"></body></html>`,
			[]string{"https://hub.example/"}, "https://bao.vn/tin"},
		{"page, hub in the body only", nil, `<html><head><title>x</title></head><body><link rel="hub" href="https://body.example/"></body></html>`, nil, ""},
		{"JSON Feed", nil, `{"version":"https://jsonfeed.org/version/1.1","feed_url":"https://bao.vn/f.json","items":[],"hubs":[{"type":"rssCloud","url":"https://no.example/"},{"type":"WebSub","url":"https://hub.example/"}]}`,
			[]string{"https://hub.example/"}, "https://bao.vn/f.json"},
		{"UTF-16", nil, "\xff\xfe" + utf16le(rss(both)), []string{"https://hub.example/a"}, "https://bao.vn/canonical"},
		{"empty", nil, "", nil, ""},
	} {
		doc := &Document{FinalURL: "https://bao.vn/rss", Header: http.Header{"Link": tt.header}, Body: []byte(tt.body)}
		if got := advertised(doc); !slices.Equal(got.hubs, tt.hubs) || got.topic != tt.topic {
			t.Errorf("%s: hubs %q, topic %q; want %q, %q", tt.name, got.hubs, got.topic, tt.hubs, tt.topic)
		}
	}
}

func FuzzAdvertised(f *testing.F) {
	f.Add(`<https://h.example/>; rel="hub self"; x="\"", <`, `<rss><channel><link rel=hub href='//h/'/><item/></item>`)
	f.Add(`,;<>;rel=hub`, `{"hubs":[{"type":"websub"}]}`)
	f.Add(`<>`, "\xff\xfe<\x00l\x00i\x00n\x00k\x00")
	f.Fuzz(func(t *testing.T, header, body string) {
		ad := advertised(&Document{FinalURL: "https://bao.vn/rss", Header: http.Header{"Link": {header}}, Body: []byte(body)})
		if len(ad.hubs) > maxHubs || (ad.topic == "") != (len(ad.hubs) == 0) {
			t.Errorf("hubs %q, topic %q", ad.hubs, ad.topic)
		}
		for _, a := range append(ad.hubs, ad.topic) {
			if a != "" && !strings.HasPrefix(a, "http://") && !strings.HasPrefix(a, "https://") {
				t.Errorf("%q is no address of the web", a)
			}
		}
	})
}
