package aggregator

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"html"
	"slices"
	"strings"

	"diemtin/aggregator/vi"
	"diemtin/store"
)

// OneOff is an article that an editor adds by hand: its page is read at
// Address, or it is what the other fields say. Title and Summary are plain
// text and go before what the page says.
type OneOff struct {
	Address string
	Outlet  string // id; empty = the outlet whose domain Address or Link is on
	Title   string
	Summary string
	Link    string // empty = it has no page of its own
}

// Judge is what decides for the store what is the same story.
func (a *Aggregator) Judge() *Judge { return a.set().judge }

// ReadOneOff makes a clean item of it, as if a source of the outlet carried
// it; nothing is stored. store.ErrNotFound says that the outlet is not in
// feeds.yaml.
func (a *Aggregator) ReadOneOff(ctx context.Context, o OneOff) (store.Item, error) {
	link := cmp.Or(o.Address, o.Link)
	c, err := a.outletOf(o.Outlet, link)
	if err != nil {
		return store.Item{}, err
	}
	now := a.now()
	e := Entry{Title: html.EscapeString(o.Title), Summary: html.EscapeString(o.Summary), Link: link}
	if o.Address != "" {
		p, err := a.readOneOff(ctx, c, o.Address)
		if err != nil {
			return store.Item{}, fmt.Errorf("read %s: %w", o.Address, err)
		}
		e.fill(p, "feed")
	}
	if link == "" { // a notice that stands nowhere else: known by its headline
		h := fnv.New64a()
		h.Write([]byte(vi.Fold(o.Title)))
		e.Link = fmt.Sprintf("https://%s.invalid/?%x", c.outlet.ID, h.Sum64())
	}
	n := &normaliser{outlet: c.outlet, source: c.source, zone: c.zone, now: now, names: a.set().names, classify: a.classifier.Load()}
	var mended repairs
	items := n.items([]Entry{e}, &mended)
	if len(items) != 1 {
		return store.Item{}, fmt.Errorf("%s: no headline was found; give one", cmp.Or(link, "the item"))
	}
	if link == "" {
		items[0].Link = ""
	}
	return items[0], nil
}

func (a *Aggregator) readOneOff(ctx context.Context, c configured, address string) (ArticlePage, error) {
	if problem := checkURL(address); problem != "" {
		return ArticlePage{}, fmt.Errorf("%s", problem)
	}
	leave, err := a.enter(ctx, address)
	if err != nil {
		return ArticlePage{}, err
	}
	defer leave()
	return a.readArticle(ctx, c, address, a.now())
}

// outletOf is an outlet of feeds.yaml, by id or by an address on its domains,
// with a source that no visit asks for.
func (a *Aggregator) outletOf(id, address string) (configured, error) {
	host, _, _ := strings.Cut(LinkKey(address), "/")
	outlets := a.set().cfg.StoreOutlets()
	i := slices.IndexFunc(outlets, func(o store.Outlet) bool {
		if id != "" {
			return o.ID == id
		}
		return slices.ContainsFunc(o.Domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
	})
	switch {
	case i >= 0:
	case id != "":
		return configured{}, fmt.Errorf("outlet %q: %w; it must be in feeds.yaml", id, store.ErrNotFound)
	case host == "":
		return configured{}, fmt.Errorf("of which outlet? Give its id: %w", store.ErrRefused)
	default:
		return configured{}, fmt.Errorf("no outlet of feeds.yaml has the domain %s: %w; name one by its id", host, store.ErrNotFound)
	}
	c := configured{outlet: outlets[i], zone: store.Zone, source: SourceConfig{}.withDefaults(), access: a.set().stranger}
	for _, s := range a.set().cfg.Outlets[i].Sources { // the outlet's page is asked for as its sources are
		own := a.set().sources[s.ID]
		c.source, c.zone, c.access = own.source, own.zone, own.access
		break
	}
	c.source.ID, c.source.Topic = c.outlet.ID+"/editor", ""
	return c, nil
}
