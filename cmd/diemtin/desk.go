package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

// readingTime bounds the reading of a page that is added by hand.
const readingTime = 30 * time.Second

// desk carries out editors' orders on an open database: it knows what their
// words name. It is what the admin API and the verbs of editors share.
type desk struct {
	db     *store.DB
	reader *aggregator.Aggregator
	base   string // of the pages here
	known  atomic.Pointer[knownRules]
	count  *rulingMetrics // nil = nobody counts
}

// knownRules is what a desk knows of the configuration in force.
type knownRules struct {
	topics []string
	digest string // of the topics' rules

	partners []syndicate.Partner
}

func newDesk(cfg *config, db *store.DB, reader *aggregator.Aggregator) *desk {
	d := &desk{db: db, reader: reader, base: cfg.syndicate.Site.BaseURL}
	d.use(cfg)
	return d
}

// use goes over to another configuration.
func (d *desk) use(cfg *config) {
	k := &knownRules{digest: aggregator.RulesDigest(cfg.aggregate), partners: cfg.syndicate.Partners}
	for _, t := range cfg.aggregate.Topics {
		k.topics = append(k.topics, string(t.ID))
	}
	d.known.Store(k)
}

// Rulings reads the ledger.
func (d *desk) Rulings(ctx context.Context, q store.RulingQuery) ([]store.Ruling, error) {
	if q.Story != "" {
		id, _, err := d.find(ctx, q.Story)
		if err != nil {
			return nil, err
		}
		q.Story = id
	}
	return d.db.Rulings(ctx, q)
}

// ApplyTopics has the loop of this service judge what is stored, and enters it
// into the ledger.
func (d *desk) ApplyTopics(ctx context.Context, who string, o syndicate.ApplyOrder) error {
	if o.Rules != d.known.Load().digest {
		return fmt.Errorf("%w: the service runs other rules than this file has; have it reload the file first", store.ErrRefused)
	}
	if err := d.reader.ApplyTopics(o.Since); err != nil {
		return fmt.Errorf("%w: %v", store.ErrRefused, err)
	}
	_, err := d.db.NoteApply(ctx, who, o.Rules, time.Now())
	return err
}

// Applied says how far judging what is stored has come; zero if it was never
// asked for.
func (d *desk) Applied(ctx context.Context) (syndicate.Applied, error) {
	c, err := d.db.Reclassification(ctx)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return syndicate.NewApplied(c), err
}

// PollNow makes a source due at once.
func (d *desk) PollNow(ctx context.Context, who, source, why string) (store.Ruling, error) {
	done, err := d.db.PollNow(ctx, who, source, why, time.Now())
	if err == nil {
		d.count.carried(done)
	}
	return done, err
}

// Carry carries out an order.
func (d *desk) Carry(ctx context.Context, who string, o syndicate.Order) (store.Ruling, error) {
	r := store.Ruling{Who: who, At: time.Now(), Verb: o.Verb, Outlet: o.Outlet, Topics: o.Topics, Why: o.Why, Undoes: o.Ruling}
	if o.Verb == store.RuleAdd {
		return d.add(ctx, r, o)
	}
	var err error
	var item int64
	if o.Story != "" {
		if r.Story, item, err = d.find(ctx, o.Story); err != nil {
			return r, err
		}
	}
	if item > 0 && (o.Verb == store.RuleTakedown || o.Verb == store.RuleRestore) { // an article, and not its copies
		r.Story, r.Items = "", []int64{item}
	}
	if o.Other != "" {
		if r.Other, _, err = d.find(ctx, o.Other); err != nil {
			return r, err
		}
	}
	for _, ref := range o.Items {
		id, err := d.item(ctx, string(ref))
		if err != nil {
			return r, err
		}
		r.Items = append(r.Items, id)
	}
	for _, t := range o.Topics {
		if topics := d.known.Load().topics; !slices.Contains(topics, strings.TrimLeft(t, "+-")) {
			return r, fmt.Errorf("topic %q: %w in feeds.yaml; it has %s", t, store.ErrNotFound, strings.Join(topics, ", "))
		}
	}
	done, err := d.db.Rule(ctx, r, d.reader.Judge())
	if err == nil {
		d.count.carried(done)
	}
	return done, err
}

func (d *desk) add(ctx context.Context, r store.Ruling, o syndicate.Order) (store.Ruling, error) {
	if o.Address == "" && o.Title == "" {
		return r, fmt.Errorf("add: %w: give the address of an article, or a headline", store.ErrRefused)
	}
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	it, err := d.reader.ReadOneOff(ctx, aggregator.OneOff{Address: o.Address, Outlet: o.Outlet, Title: o.Title, Summary: o.Summary, Link: o.Link})
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrRefused):
		return r, fmt.Errorf("add: %w", err)
	case err != nil:
		return r, fmt.Errorf("add: %w: %v", store.ErrRefused, err)
	}
	r.Outlet = it.Outlet
	done, err := d.db.Add(ctx, r, it, d.reader.Judge())
	if err == nil {
		d.count.carried(done)
	}
	return done, err
}

var storyID = regexp.MustCompile(`^[a-z2-7]{13}$`)

// find is the story that an editor's words name: an id, as feeds have it too,
// the address of its page here, or that of an article, whose item it then
// names as well. An id that looks like none is left to the store, which knows
// what is near.
func (d *desk) find(ctx context.Context, ref string) (story string, item int64, err error) {
	ref = strings.TrimPrefix(strings.TrimSpace(ref), "urn:diemtin:story:")
	if storyID.MatchString(ref) || !strings.Contains(ref, "/") {
		return ref, 0, nil
	}
	if u, err := url.Parse(ref); err == nil && (u.Host == "" || strings.HasPrefix(ref, d.base+"/")) {
		if dir, id := path.Split(strings.TrimSuffix(u.Path, "/explain")); dir == "/stories/" {
			return id, 0, nil
		}
	}
	item, story, err = d.db.ItemOfLink(ctx, aggregator.LinkKey(ref))
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%s: %w; it is the address of no article here", ref, store.ErrNotFound)
	}
	return story, item, err
}

// item is the item that an editor's words name: its number, or the address of
// its article.
func (d *desk) item(ctx context.Context, ref string) (int64, error) {
	if n, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return n, nil
	}
	_, item, err := d.find(ctx, ref)
	if err == nil && item == 0 {
		err = fmt.Errorf("item %q: %w; want its number, as diemtin explain shows it, or the address of its article", ref, store.ErrRefused)
	}
	return item, err
}
