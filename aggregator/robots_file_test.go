package aggregator

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What RFC 9309 says of a file, and what files are really like.
func TestRobotsFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file    string
		named         bool
		open, closed_ string // paths
	}{
		{"empty", "", false, "/ /a", ""},
		{"other robots only", "User-agent: other\nDisallow: /", false, "/", ""},
		{"everybody", "User-agent: *\nDisallow: /a", false, "/ /b", "/a /a/b /ab /a?x=1"},
		{"our group alone counts", "User-agent: *\nDisallow: /\n\nUser-agent: diemtin\nDisallow: /a", true, "/b", "/a"},
		{"the name in any case and with a version", "User-agent: DiemTin/2.0\nDisallow: /a", true, "/b", "/a"},
		{"a name that only begins like ours", "User-agent: die\nDisallow: /\n\nUser-agent: diemtinbot\nDisallow: /", false, "/a", ""},
		{"groups of one name are one", "User-agent: diemtin\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: diemtin\nDisallow: /b", true, "/c", "/a /b"},
		{"several names of one group", "User-agent: x\nUser-agent: diemtin\nDisallow: /a", true, "/b", "/a"},
		{"other lines do not end a group", "User-agent: x\nSitemap: https://x.vn/s.xml\nUser-agent: diemtin\nClean-param: a\nDisallow: /a", true, "/b", "/a"},
		{"the longest rule wins", "User-agent: *\nDisallow: /a/\nAllow: /a/b/\nDisallow: /a/b/c/", false, "/a/b/d", "/a/c /a/b/c/d"},
		{"allow wins a tie", "User-agent: *\nDisallow: /a\nAllow: /a", false, "/a", ""},
		{"allow wins a tie in the other order", "User-agent: *\nAllow: /a\nDisallow: /a", false, "/a", ""},
		{"wildcards", "User-agent: *\nDisallow: /*/in/\nDisallow: *.pdf$\nDisallow: /*?print=", false, "/in/ /a.pdf?x /a", "/tin/in/1 /x/a.pdf /a?print=1"},
		{"a wildcard is no longer than it is written", "User-agent: *\nDisallow: /a*b\nAllow: /a.b/", false, "/a.b/", "/axb"},
		{"the end", "User-agent: *\nDisallow: /$", false, "/a", "/"},
		{"an empty rule closes nothing", "User-agent: *\nDisallow:\nAllow:", false, "/a", ""},
		{"letters as such or escaped", "User-agent: *\nDisallow: /tìm-kiếm\nDisallow: /%7euser\nDisallow: /%c3%a1", false, "/tim-kiem", "/t%C3%ACm-ki%E1%BA%BFm /~user /%C3%A1"},
		{"a broken delay is no reason to forget the rules", "User-agent: *\nCrawl-delay: 10s\nDisallow: /a", false, "/b", "/a"},
		{"a rule before any name", "Disallow: /b\nUser-agent: *\nDisallow: /a", false, "/b", "/a"},
		{"byte order mark, comments, spaces, CR", "\ufeffUser-agent : * # all\r  disallow :  /a  # here\rDISALLOW: /b\r\n", false, "/c", "/a /b"},
		{"a rule without a slash", "User-agent: *\nDisallow: a/", false, "/b", "/a/"},
	} {
		group, named := parseRobots([]byte(tt.file)).about(robotsName)
		if named != tt.named {
			t.Errorf("%s: named %v, want %v", tt.name, named, tt.named)
		}
		for path := range strings.FieldsSeq(tt.open) {
			if !group.allows(path) {
				t.Errorf("%s: %s is closed", tt.name, path)
			}
		}
		for path := range strings.FieldsSeq(tt.closed_) {
			if group.allows(path) {
				t.Errorf("%s: %s is open", tt.name, path)
			}
		}
	}
	file := parseRobots([]byte("Sitemap: https://x.vn/a.xml\nUser-agent: *\nCrawl-delay: 2.5\nSitemap: https://x.vn/b.xml # news"))
	if group, _ := file.about(robotsName); group.delay != 2500*time.Millisecond {
		t.Errorf("delay %v, want 2.5s", group.delay)
	}
	if want := []string{"https://x.vn/a.xml", "https://x.vn/b.xml"}; !slices.Equal(file.sitemaps, want) {
		t.Errorf("sitemaps %q, want %q", file.sitemaps, want)
	}
}

func FuzzRobots(f *testing.F) {
	for _, s := range []string{"User-agent: *\nDisallow: /a*b$\nAllow: /%e1%bA*", "User-agent:*\nDisallow:***$$", "Crawl-delay: NaN", "%%%\r\r:"} {
		f.Add(s, "/a/b?c=%2")
	}
	f.Fuzz(func(t *testing.T, file, path string) {
		group, _ := parseRobots([]byte(file)).about(robotsName)
		group.allows(path)
		if group.delay < 0 || group.delay > maxCrawlDelay {
			t.Errorf("delay %v", group.delay)
		}
		whole, _ := parseRobots([]byte("User-agent: *\nDisallow: /")).about(robotsName)
		if strings.HasPrefix(path, "/") && whole.allows(path) {
			t.Errorf("%q is open although everything is closed", path)
		}
	})
}
