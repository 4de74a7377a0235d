package aggregator

import (
	"strings"
	"testing"
)

func TestOutline(t *testing.T) {
	t.Parallel()
	const head, end = "<rss><channel><title>T</title>", "</channel></rss>"
	for _, tt := range []struct {
		name, body string
		items      int // -1: not to be read by parts
	}{
		{"RSS", head + "<item><a b='>'/></item> <item></item>" + end, 2},
		{"Atom", "\ufeff<?xml version='1.0'?>\n<feed><id>1</id><entry><content><div><p/></div></content></entry></feed>\n", 1},
		{"RDF", "<rdf:RDF><channel></channel><item></item></rdf:RDF>", 1},
		{"no items", head + end, 0},
		{"tags in CDATA", head + "<item><![CDATA[</item><item>]]></item>" + end, 1},
		{"tags in a comment", head + "<item><!-- </item><item> --></item>" + end, 1},
		{"empty item", head + "<item/>" + end, -1},
		{"item of another name space", head + "<item><x:item></x:item></item>" + end, -1},
		{"item within another element", head + "<group><item></item></group>" + end, -1},
		{"item outside the channel", "<rss><item></item><channel></channel></rss>", -1},
		{"second channel", head + "</channel><channel><item></item>" + end, -1},
		{"other end tag", head + "<item><a></b></item>" + end, -1},
		{"element never closed", head + "<item><br></item>" + end, -1},
		{"unquoted attribute", head + "<item><a b=c/></item>" + end, -1},
		{"tag in an attribute", head + "<item><a b='</item>'/></item>" + end, -1},
		{"quote never closed", head + "<item><a b='x></a></item>" + end, -1},
		{"blank before a quote", head + "<item><a b= 'x>'/></item>" + end, -1},
		{"hyphens in a comment", head + "<!-- -- --><item></item>" + end, -1},
		{"instruction", head + "<?php echo ?><item></item>" + end, -1},
		{"bare <", head + "<item>1 < 2</item>" + end, -1},
		{"tag before the root", "<br/>" + head + "<item></item>" + end, -1},
		{"tag after the root", head + "<item></item>" + end + "<p>", -1},
		{"cut off", head + "<item></item><item>", -1},
		{"nested too deep", head + "<item>" + strings.Repeat("<a>", maxNesting) + strings.Repeat("</a>", maxNesting) + "</item>" + end, -1},
		{"page", "<html><body></body></html>", -1},
		{"nothing", "", -1},
	} {
		o, ok := outlineXML([]byte(tt.body))
		if got := len(o.items); ok != (tt.items >= 0) || ok && got != tt.items {
			t.Errorf("%s: %d items, %v, want %d", tt.name, got, ok, tt.items)
		}
	}
}

// The head is what decides how items are read, not when it was written.
func TestOutlineHead(t *testing.T) {
	t.Parallel()
	head := func(body string) uint64 {
		t.Helper()
		o, ok := outlineXML([]byte(body))
		if !ok {
			t.Fatalf("no outline of %s", body)
		}
		return o.head
	}
	want := head("<rss><channel><link>a</link><pubDate>1</pubDate> <item></item><ttl>5</ttl></channel></rss>")
	for _, tt := range []struct {
		name, body string
		same       bool
	}{
		{"another time", "<rss><channel><link>a</link><pubDate>2</pubDate> <item></item><ttl>5</ttl></channel></rss>", true},
		{"another number of items", "<rss><channel><link>a</link><pubDate>2</pubDate> <item></item> <item></item> <ttl>5</ttl></channel></rss>", true},
		{"a comment", "<rss><channel><link>a</link><!-- 0.3 s --><item></item><ttl>5</ttl></channel></rss><!-- 1 -->", true},
		{"another link", "<rss><channel><link>b</link><pubDate>1</pubDate> <item></item><ttl>5</ttl></channel></rss>", false},
		{"another end", "<rss><channel><link>a</link><pubDate>1</pubDate> <item></item><ttl>6</ttl></channel></rss>", false},
		{"an attribute of the root", "<rss xml:base='b'><channel><link>a</link><item></item><ttl>5</ttl></channel></rss>", false},
		{"a date that could break the feed", "<rss><channel><link>a</link><pubDate>]]></pubDate><item></item><ttl>5</ttl></channel></rss>", false},
	} {
		if same := head(tt.body) == want; same != tt.same {
			t.Errorf("%s: the same head: %v, want %v", tt.name, same, tt.same)
		}
	}
}
