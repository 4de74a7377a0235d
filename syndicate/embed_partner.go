package syndicate

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Partner is a site that embeds channels under a name of its own: its requests
// are counted, it may say on which sites they may be shown, and it may hide
// stories from them.
type Partner struct {
	ID      string   `yaml:"id"`      // in the addresses of its embeds: public
	Name    string   `yaml:"name"`    // for people
	Key     string   `yaml:"key"`     // SHA-256 of its key for the admin API, in hexadecimal; empty = it has none
	Origins []string `yaml:"origins"` // sites that may show its embeds, as https://lao-cai.example.vn; none = all
}

const (
	// maxPartners bounds the series of the partners' counters.
	maxPartners = 500
	// maxPartnerID bounds a label's length, in bytes.
	maxPartnerID = 40
	// maxOrigins bounds a header that goes with every page, about 60 bytes each.
	maxOrigins = 20
)

// originForm is an origin as browsers write it, of which the first label may be
// a star, as in a Content-Security-Policy.
var originForm = regexp.MustCompile(`^https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?$`)

// keyForm is a SHA-256 in hexadecimal.
var keyForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c *Config) checkPartners(report func(path, problem string)) {
	if n := len(c.Partners); n > maxPartners {
		report("partners", fmt.Sprintf("%d partners; want at most %d", n, maxPartners))
	}
	for i, p := range c.Partners {
		at := fmt.Sprintf("partners[%d].", i)
		switch {
		case !idForm.MatchString(p.ID) || len(p.ID) > maxPartnerID || p.ID == noPartner:
			report(at+"id", fmt.Sprintf("partner id %q: want at most %d lower-case letters and digits with single hyphens, and not %s", p.ID, maxPartnerID, noPartner))
		case slices.ContainsFunc(c.Partners[:i], func(x Partner) bool { return x.ID == p.ID }):
			report(at+"id", fmt.Sprintf("partner id %q stands twice", p.ID))
		}
		if strings.TrimSpace(p.Name) == "" {
			report(at+"name", "the partner has no name")
		}
		if p.Key != "" && !keyForm.MatchString(p.Key) {
			report(at+"key", "the key is not a SHA-256 in hexadecimal, as diemtin token prints it after the colon")
		}
		if n := len(p.Origins); n > maxOrigins {
			report(at+"origins", fmt.Sprintf("%d origins; want at most %d", n, maxOrigins))
		}
		for j, o := range p.Origins {
			if !originForm.MatchString(o) {
				report(fmt.Sprintf("%sorigins[%d]", at, j), fmt.Sprintf("origin %q: want one such as https://lao-cai.example.vn or https://*.example.vn, in lower case and without a path", o))
			}
		}
	}
}

// partner finds a partner of feeds.yaml, or nil.
func (c *Config) partner(id string) *Partner {
	i := slices.IndexFunc(c.Partners, func(p Partner) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Partners[i]
}

// noPartner is the label of requests that name no partner.
const noPartner = "none"

// label is the partner's value in metrics; a nil partner has one too.
func (p *Partner) label() string {
	if p == nil {
		return noPartner
	}
	return p.ID
}

// limited says whether only some sites may show what is the partner's.
func (p *Partner) limited() bool { return p != nil && len(p.Origins) > 0 }

// admits lets the scripts of the partner's sites read the answer, and tells
// whether the request may have it: who names no origin is no script of another
// site.
func (p *Partner) admits(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if !p.limited() || origin == "" {
		return true
	}
	if !slices.ContainsFunc(p.Origins, func(o string) bool { return sameOrigin(o, origin) }) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	return true
}

// sameOrigin compares an origin as a browser sends it with a configured one,
// whose host may begin with a star: at least one more label.
func sameOrigin(configured, sent string) bool {
	before, after, star := strings.Cut(configured, "*")
	if !star {
		return configured == sent
	}
	label, ok := strings.CutPrefix(sent, before)
	if !ok {
		return false
	}
	label, ok = strings.CutSuffix(label, after)
	return ok && label != "" && !strings.ContainsAny(label, "/:@")
}

// ancestors are the sites that may show an embed in a frame, as frame-ancestors
// writes them. Our own are always among them: the configurator shows what it
// made.
func (p *Partner) ancestors() string {
	if !p.limited() {
		return "*"
	}
	return "'self' " + strings.Join(p.Origins, " ")
}

// origin is the part of this site's address that policies name.
func (c *Config) origin() string {
	u, err := url.Parse(c.Site.BaseURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
