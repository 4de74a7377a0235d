package aggregator

import (
	"net/url"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// agencies are sources that Vietnamese outlets name as they are, in a dateline
// or alone at the end, whether or not they are among the outlets.
var agencies = []string{
	"TTXVN", "Thông tấn xã Việt Nam", "VOV", "VTV", "VTC", "VGP",
	"AFP", "AP", "Reuters", "TASS", "Sputnik", "RIA Novosti", "Xinhua", "Tân Hoa xã", "THX",
	"Kyodo", "Yonhap", "Bloomberg", "BBC", "CNN", "CNBC", "NHK", "DPA", "EPA",
}

// Words that may stand around an outlet's name without being part of it, in
// folded form; longer ones first.
var (
	outletPrefixes = []string{
		"cong thong tin dien tu ", "trang thong tin dien tu ", "cong thong tin ", "cong ttdt ",
		"dai phat thanh va truyen hinh ", "dai pt-th ", "dai ptth ",
		"bao dien tu ", "tap chi dien tu ", "tap chi ", "bao ", "dai ", "trang ", "kenh ",
	}
	outletSuffixes = []string{" dien tu", " online", " (ttxvn)"}
)

// Names is a table of outlets by what others call them. It also
// knows news agencies that are named everywhere.
type Names struct {
	strong map[string]string // name key → outlet id, "" if it is no (single) outlet of ours
	weak   map[string]string // the same for names without "Báo", "Online", …
	hosts  map[string]string // domain → outlet id
}

// NewNames builds the table of the outlets' names, aliases and domains. A name
// that two outlets share belongs to neither.
func NewNames(outlets []store.Outlet) *Names {
	n := &Names{strong: make(map[string]string), weak: make(map[string]string), hosts: make(map[string]string)}
	for _, o := range outlets {
		names := append([]string{o.Name}, o.Aliases...)
		for _, d := range o.Domains {
			n.hosts[strings.ToLower(d)] = o.ID
			stem, _, _ := strings.Cut(d, ".")
			names = append(names, d, stem)
		}
		for _, name := range names {
			putName(n.strong, nameKey(name), o.ID)
			putName(n.weak, nameKey(bareName(name)), o.ID)
		}
	}
	for _, name := range agencies {
		if key := nameKey(name); n.strong[key] == "" {
			n.strong[key] = ""
		}
	}
	return n
}

// putName enters key, unless another outlet has it too.
func putName(table map[string]string, key, id string) {
	if key == "" {
		return
	}
	if other, ok := table[key]; ok && other != id {
		id = ""
	}
	table[key] = id
}

// nameKey is what spellings of one name have in common: "Sức khoẻ & Đời sống"
// and "Sức khỏe và đời sống".
func nameKey(name string) string {
	var b strings.Builder
	for _, r := range vi.Fold(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '+':
			b.WriteRune(r)
		case r == '&':
			b.WriteString("va")
		}
	}
	key := b.String()
	if strings.HasPrefix(key, "thongtanxa") {
		return "ttxvn"
	}
	return key
}

// bareName returns the folded name without the words that only say what kind
// of outlet it is; the whole name if nothing else is left.
func bareName(name string) string {
	bare := strings.TrimSpace(vi.Fold(name))
	for _, p := range outletPrefixes {
		if rest, ok := strings.CutPrefix(bare, p); ok {
			bare = strings.TrimSpace(rest)
			break
		}
	}
	for _, s := range outletSuffixes {
		bare = strings.TrimSuffix(bare, s)
	}
	return bare
}

// knownness is how sure a name is an outlet's.
type knownness int

const (
	unknownName knownness = iota
	weakName              // only without its "Báo", "Online", …: "Lào Cai"
	strongName
)

// minNameKey is the shortest key that names an outlet: "AP", "K14".
const minNameKey = 2

// lookup finds the outlet that a name means, also if "online" is written onto
// it, or the number of a station's channel ("VOV5"); outlet is empty for an agency and
// for a name that several outlets share.
func (n *Names) lookup(name string) (outlet string, known knownness) {
	if id := n.host(name); id != "" {
		return id, strongName
	}
	whole, bare := nameKey(name), nameKey(bareName(name))
	for _, key := range []string{whole, bare, strings.TrimSuffix(whole, "online"), strings.TrimRight(whole, "0123456789")} {
		if id, ok := n.strong[key]; ok && len(key) >= minNameKey {
			return id, strongName
		}
	}
	for _, key := range []string{whole, bare} {
		if id, ok := n.weak[key]; ok {
			return id, weakName
		}
	}
	return "", unknownName
}

// host returns the outlet of an address or a host name.
func (n *Names) host(address string) string {
	if !strings.Contains(address, ".") || strings.ContainsAny(address, " \t") {
		return ""
	}
	host := strings.ToLower(address)
	if u, err := url.Parse(host); err == nil && u.Host != "" {
		host = u.Hostname()
	}
	for host != "" {
		if id, ok := n.hosts[host]; ok {
			return id
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return ""
}
