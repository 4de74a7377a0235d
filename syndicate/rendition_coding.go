package syndicate

import (
	"net/http"
	"strconv"
	"strings"
)

// coding is one way to encode the bytes of a document.
type coding int

// The encodings, the ones we would rather send later.
const (
	identity coding = iota
	gzipped
	zstded
	brotlied
	codings // how many there are
)

// String is the name of a coding in HTTP.
func (c coding) String() string { return [codings]string{"identity", "gzip", "zstd", "br"}[c] }

// accepted is how much a client likes each coding: 1 most, 0 not at all.
type accepted [codings]float64

// hardly is the weight of what a client takes but did not ask for.
const hardly = 1e-9

// readAccepted reads Accept-Encoding (RFC 9110, section 12.5.3). Who sends none
// gets the plain bytes. Who does not name brotli or zstd does not get it, whatever
// "*" says: that is what clients send that have never heard of it.
func readAccepted(lines []string) accepted {
	if len(lines) == 0 {
		return accepted{identity: 1}
	}
	const unset = -1
	named, rest := accepted{unset, unset, unset, unset}, float64(unset)
	for _, line := range lines {
		for line != "" {
			var part string
			part, line, _ = strings.Cut(line, ",")
			name, params, _ := strings.Cut(part, ";")
			q := quality(params)
			switch name = strings.TrimSpace(name); {
			case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
				named[gzipped] = max(named[gzipped], q)
			case strings.EqualFold(name, "br"):
				named[brotlied] = max(named[brotlied], q)
			case strings.EqualFold(name, "zstd"):
				named[zstded] = max(named[zstded], q)
			case strings.EqualFold(name, "identity"):
				named[identity] = max(named[identity], q)
			case name == "*":
				rest = max(rest, q)
			}
		}
	}
	if named[gzipped] == unset {
		named[gzipped] = max(rest, 0)
	}
	if named[identity] == unset {
		named[identity] = hardly
		if rest != unset {
			named[identity] = rest
		}
	}
	named[zstded], named[brotlied] = max(named[zstded], 0), max(named[brotlied], 0)
	return named
}

// quality reads the weight of one choice: 1 unless it says another, 0 if what
// it says is no number from 0 to 1.
func quality(params string) float64 {
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		k, v, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(k), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// takesLater is the encoding, of those that are made when bytes have stood, that
// a client likes better; identity if it takes none.
func takesLater(r *http.Request) coding {
	switch takes := readAccepted(r.Header["Accept-Encoding"]); {
	case takes[brotlied] > 0 && takes[brotlied] >= takes[zstded]:
		return brotlied
	case takes[zstded] > 0:
		return zstded
	}
	return identity
}
