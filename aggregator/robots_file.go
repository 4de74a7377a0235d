package aggregator

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxRobots bounds the bytes of a robots.txt that are read (RFC 9309, section
// 2.5: at least 500 KiB).
const maxRobots = 512 << 10

// robotsFile is a robots.txt (RFC 9309). Lines that cannot be read are no
// rules, and take none away.
type robotsFile struct {
	groups   []robotsGroup
	sitemaps []string // as they stand there
}

// robotsGroup are the rules for some robots.
type robotsGroup struct {
	names []string // in lower case, "*" = everybody
	rules []robotsRule
	delay time.Duration // Crawl-delay, which no RFC knows; at most maxCrawlDelay
}

type robotsRule struct {
	pattern string // as robotsPath makes it
	allow   bool
}

func parseRobots(body []byte) *robotsFile {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	f := &robotsFile{}
	naming := false // the last line of a group was one that names robots
	for line := range bytes.FieldsFuncSeq(body[:min(len(body), maxRobots)], func(r rune) bool { return r == '\n' || r == '\r' }) {
		text, _, _ := strings.Cut(string(line), "#")
		key, value, _ := strings.Cut(text, ":")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch key {
		case "user-agent", "useragent":
			if !naming {
				f.groups = append(f.groups, robotsGroup{})
			}
			g := &f.groups[len(f.groups)-1]
			g.names = append(g.names, productToken(value))
			naming = true
		case "sitemap":
			f.sitemaps = append(f.sitemaps, value)
		case "allow", "disallow", "crawl-delay", "crawldelay":
			if naming = false; len(f.groups) > 0 {
				f.groups[len(f.groups)-1].add(key, value)
			}
		}
	}
	return f
}

// productToken is a robot's name without version and the like (RFC 9309,
// section 2.2.1).
func productToken(s string) string {
	if s == "*" || strings.HasPrefix(s, "* ") {
		return "*"
	}
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end >= 0 {
		s = s[:end]
	}
	return strings.ToLower(s)
}

func (g *robotsGroup) add(key, value string) {
	switch {
	case key == "crawl-delay" || key == "crawldelay":
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
			g.delay = time.Duration(min(s, maxCrawlDelay.Seconds()) * float64(time.Second))
		}
	case value != "": // an empty rule closes and opens nothing
		if value[0] != '/' && value[0] != '*' {
			value = "/" + value
		}
		g.rules = append(g.rules, robotsRule{robotsPath(value), key == "allow"})
	}
}

// about joins the groups that name a robot; named is false if there are none
// and the rules are those for everybody.
func (f *robotsFile) about(name string) (g *robotsGroup, named bool) {
	for _, who := range []string{name, "*"} {
		g, found := &robotsGroup{}, false
		for _, one := range f.groups {
			for _, n := range one.names {
				if n == who {
					g.rules, g.delay, found = append(g.rules, one.rules...), max(g.delay, one.delay), true
					break
				}
			}
		}
		if found {
			return g, who == name
		}
	}
	return &robotsGroup{}, false
}

// allows says whether the rules admit a path with its query: the longest rule
// that matches decides, of two as long the one that allows (section 2.2.2).
func (g *robotsGroup) allows(path string) bool {
	path = strings.NewReplacer("*", "%2A", "$", "%24").Replace(robotsPath(path))
	longest, allowed := 0, true
	for _, r := range g.rules {
		if n := len(r.pattern); (n > longest || n == longest && r.allow) && robotsMatch(r.pattern, path) {
			longest, allowed = n, r.allow
		}
	}
	return allowed
}

// robotsMatch matches the beginning of a path against a pattern, in which "*"
// stands for anything and "$" at its end for the end.
func robotsMatch(pattern, path string) bool {
	pattern, whole := strings.CutSuffix(pattern, "$")
	first, rest, more := strings.Cut(pattern, "*")
	path, ok := strings.CutPrefix(path, first)
	if !ok {
		return false
	}
	for more {
		var part string
		if part, rest, more = strings.Cut(rest, "*"); !more && whole {
			return strings.HasSuffix(path, part)
		}
		_, after, found := strings.Cut(path, part)
		if !found {
			return false
		}
		path = after
	}
	return !whole || path == ""
}

// robotsPath writes a path so that equal ones are the same bytes: what is not
// printable ASCII escaped, what need not be escaped not, digits in upper case.
func robotsPath(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c, i = byte(n), i+2
				if !unreserved(c) {
					fmt.Fprintf(&b, "%%%02X", c)
					continue
				}
			}
		}
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// unreserved characters mean the same escaped or not (RFC 3986, section 2.3).
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
