package store

// Outcome is how one visit to a source ended: a closed set, used as metric
// label, stored status and scheduling rule.
type Outcome string

// The outcomes of a visit.
const (
	New         Outcome = "new"          // brought at least one new or changed item
	Unchanged   Outcome = "unchanged"    // the same body, or only items we had
	NotModified Outcome = "not_modified" // 304
	Gone        Outcome = "gone"         // 410
	Throttled   Outcome = "throttled"    // 429, or 503 with Retry-After
	Timeout     Outcome = "timeout"
	DNS         Outcome = "dns"
	Connect     Outcome = "connect" // refused, reset, cut off
	TLS         Outcome = "tls"
	HTTP4xx     Outcome = "http_4xx"
	HTTP5xx     Outcome = "http_5xx"
	Blocked     Outcome = "blocked"    // their firewall or challenge page
	Refused     Outcome = "refused"    // our guard: a private address, too many redirects
	TooLarge    Outcome = "too_large"  // over a limit on bytes, depth or items
	NotAFeed    Outcome = "not_a_feed" // nothing readable in the body
	Internal    Outcome = "internal"   // our fault
)

// Outcomes lists the whole set.
var Outcomes = []Outcome{New, Unchanged, NotModified, Gone, Throttled, Timeout, DNS, Connect,
	TLS, HTTP4xx, HTTP5xx, Blocked, Refused, TooLarge, NotAFeed, Internal}

// OK says whether the source answered as it should.
func (o Outcome) OK() bool { return o == New || o == Unchanged || o == NotModified }
