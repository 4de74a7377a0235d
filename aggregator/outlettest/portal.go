package outlettest

import (
	"net/http"
	"net/url"
	"strconv"
)

// The portal has no feed: its news are pages of ten, the newest first, each a
// link with a date ("05.11.2024 | 14:15 PM"), and "Trang sau" leads on. An
// article's own page shows no date of its own, but those of ten others below
// it.

// portalPages is how far back the listing leads.
const portalPages = 8

func (o *Outlet) serveListing(a *answer, req *http.Request, s section) {
	page, err := strconv.Atoi(req.URL.Query().Get("trang"))
	if err != nil || page < 1 {
		page = 1
	}
	per := o.profile.window
	all := o.visible(s.topics, per*portalPages)
	from := min((page-1)*per, len(all))
	to := min(from+per, len(all))
	d := &pageData{Section: s.name, More: o.lines(all[from:to], datePortal)}
	if to < len(all) {
		d.Next = o.listingPath(s, page+1)
	}
	if page > 1 {
		d.Prev = o.listingPath(s, page-1)
	}
	o.html(a, pageListing, d)
}

// listingPath is relative to the host, as such portals write it.
func (o *Outlet) listingPath(s section, page int) string {
	if page == 1 {
		return o.sectionPath(s)
	}
	return o.sectionPath(s) + "?" + url.Values{"trang": {strconv.Itoa(page)}}.Encode()
}
