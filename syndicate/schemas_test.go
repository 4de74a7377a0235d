package syndicate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// schemasDir names the environment variable with the folder in which make
// readers has installed what judges documents here.
const schemasDir = "DIEMTIN_READERS"

// judge reads every file of a folder: JSON Feed against its schema, also the
// forms of addresses in it, OPML with two parsers, sitemaps with one. It prints what it has
// against one, a line each, and at the end how many it has read.
const judge = `import {readdirSync, readFileSync} from "node:fs";
import {Readable} from "node:stream";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import schema from "jsonfeed-schema";
import {parseOpml} from "feedsmith";
import OpmlParser from "opmlparser";
import {XMLToSitemapIndexStream, XMLToSitemapItemStream} from "sitemap";
const ajv = new Ajv({allErrors: true});
addFormats(ajv);
const valid = ajv.compile(schema);
const dir = process.argv[1], read = {};
const feeds = (all) => all.flatMap((o) => [...(o.xmlUrl ? [o.xmlUrl] : []), ...feeds(o.outlines ?? [])]);
for (const name of readdirSync(dir).sort()) {
  const text = readFileSync(dir + "/" + name, "utf8"), kind = name.split(".").pop();
  read[kind] = (read[kind] ?? 0) + 1;
  if (kind === "json") {
    if (!valid(JSON.parse(text))) for (const e of valid.errors) console.log(name, e.instancePath, e.message);
  } else if (kind === "xml") {
    const parser = new (text.includes("<sitemapindex") ? XMLToSitemapIndexStream : XMLToSitemapItemStream)({level: "throw", logger: false});
    let n = 0;
    try { for await (const one of Readable.from([text]).pipe(parser)) if (one.url) n++; } catch (e) { console.log(name, e.message); }
    if (n !== text.split("<loc>").length - 1) console.log(name, "sitemap reads", n);
  } else {
    const one = feeds(parseOpml(text).body.outlines);
    const other = await new Promise((done, fail) => {
      const all = [];
      Readable.from([text]).pipe(new OpmlParser()).on("error", fail)
        .on("readable", function () { for (let o; (o = this.read()); ) if (o["#type"] === "feed") all.push(o.xmlurl ?? o.xmlUrl); })
        .on("end", () => done(all));
    });
    if (one.length === 0 || one.join() !== other.join()) console.log(name, "feedsmith reads", one.length, "feeds, opmlparser", other.length);
  }
}
console.log("read", Object.entries(read).sort().map(([kind, n]) => n + " " + kind).join(", "));`

// judgeSchema holds sitemaps against their schema; what extends it, news, and
// the index have schemas of their own that nobody hands out.
const judgeSchema = `import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
for file in sys.argv[2:]: schema.assertValid(etree.parse(file))`

// TestSchemas holds every hard case on every kind of channel against the schema
// of JSON Feed, lists of feeds against two parsers of OPML, sitemaps against a
// parser and their schema.
func TestSchemas(t *testing.T) {
	t.Parallel()
	npm := os.Getenv(schemasDir)
	if npm == "" {
		t.Skip("make readers runs it; it needs npm's registry")
	}
	dir := t.TempDir()
	write := func(name string, doc []byte, err error) string {
		t.Helper()
		file := filepath.Join(dir, strings.NewReplacer("/", "_", " ", "_").Replace(name))
		if err == nil {
			err = os.WriteFile(file, doc, 0o600)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return file
	}
	n := 0
	for path, cases := range hardOn() {
		for _, c := range append(cases, hardCase{name: "typical", feed: typicalFeed()}) {
			doc, err := renderJSON(withGone(c.feed))
			write(path+c.name+".json", doc, err)
			n++
		}
	}
	lists := 0
	for _, c := range hardCases() {
		doc, err := renderOPML(c.feed.Config)
		write(c.name+".opml", doc, err)
		lists++
	}
	maps := sitemaps(t)
	xsd := []string{"-c", judgeSchema, filepath.Join(npm, "node_modules", "sitemap", "schema", "sitemap.xsd")}
	for path, doc := range maps {
		if file := write(path, doc, nil); path != "/sitemap.xml" && path != "/news-sitemap.xml" {
			xsd = append(xsd, file)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", xsd...).CombinedOutput(); err != nil {
		t.Errorf("sitemaps: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", judge, dir)
	cmd.Dir = npm
	out, err := cmd.CombinedOutput()
	if want := fmt.Sprintf("read %d json, %d opml, %d xml\n", n, lists, len(maps)); err != nil || !strings.HasSuffix(string(out), want) {
		t.Fatalf("%v; want %s%s", err, want, out)
	}
	if findings := strings.Count(string(out), "\n") - 1; findings > 0 {
		t.Errorf("%d findings:\n%s", findings, out)
	}
	t.Logf("%s", out)
}

// sitemaps are those of a site whose stories search engines may list.
func sitemaps(t *testing.T) map[string][]byte {
	t.Helper()
	s := newFeedSite(t, func(c *Config) { c.Site.IndexStories, c.Site.NewsSitemap = true, true })
	s.clock.forward(-24 * time.Hour)
	s.publish("trunguong", "kinh-te", numbers(0, 10)...)
	s.clock.forward(24 * time.Hour)
	s.publish("laocai", "kinh-te", numbers(10, 30)...)
	docs := map[string][]byte{}
	for _, path := range []string{"/sitemap.xml", "/sitemap/pages.xml", "/sitemap/days.xml", "/sitemap/days/2024-11-05.xml", "/news-sitemap.xml"} {
		docs[path] = s.answer(path)
	}
	return docs
}

// TestOPMLIsValid has the W3C validator read lists of feeds.
func TestOPMLIsValid(t *testing.T) {
	t.Parallel()
	validate := validator(t)
	dir := t.TempDir()
	// To it a name is HTML, in which an ampersand means more; to readers it is text.
	args := []string{"--as", "https://tin.example.vn/opml", "--ignore", "NotHtml"}
	for i, c := range hardCases() {
		doc, err := renderOPML(c.feed.Config)
		file := filepath.Join(dir, fmt.Sprint(i))
		if err == nil {
			err = os.WriteFile(file, doc, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	validate(t, args...)
}
