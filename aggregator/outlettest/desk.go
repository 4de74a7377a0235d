package outlettest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// desk decides who writes what and who takes it over. It is guarded by the
// world's lock.
type desk struct {
	writer  *Writer
	rng     *rand.Rand
	outlets []*Outlet
	stories []*told
	serials map[string]string // series → date of its newest text
}

// told is a story that was published.
type told struct {
	id      string
	text    Text
	at      time.Time
	follows string // id
	prints  []print
}

// print is one outlet's article of a story; the first is the original.
type print struct {
	outlet *Outlet
	id     string
	how    Reprint
}

// serialDesk says who publishes a series and at what hour it is out.
var serialDesk = map[string]struct {
	outlet string
	hour   int
}{
	"gold": {"kinh-te", 8}, "weather": {"nhip-song", 6}, "lottery": {"nhip-song", 18}, "fuel": {"kinh-te", 15},
}

// followUps: one story in so many follows an earlier one.
const followUps = 12

func (d *desk) outlet(id string) *Outlet {
	for _, o := range d.outlets {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// draw picks an outlet by the weight that of gives it; nil if all weigh 0.
func (d *desk) draw(of func(*Outlet) int) *Outlet {
	total := 0
	for _, o := range d.outlets {
		total += of(o)
	}
	if total == 0 {
		return nil
	}
	n := d.rng.IntN(total)
	for _, o := range d.outlets {
		if n -= of(o); n < 0 {
			return o
		}
	}
	return nil
}

// news publishes a new story at at in an outlet, on a topic; nil and empty let
// chance choose.
func (d *desk) news(o *Outlet, topic string, at time.Time) *told {
	if o == nil {
		o = d.draw(func(o *Outlet) int { return o.profile.originals })
		if of := d.earlier(o, at); of != nil && d.rng.IntN(followUps) == 0 {
			s := d.publish(o, d.writer.FollowUp(of.text, at), at)
			s.follows = of.id
			return s
		}
	}
	if topic == "" {
		topic = pick(d.rng, o.topics())
	}
	where := pick(d.rng, places)
	if p, ok := placeOf(o.Province); ok {
		where = p
	}
	text := d.writer.write(d.writer.lex.topic(topic), d.writer.next(), at, where)
	return d.publish(o, text, at)
}

// earlier finds a plain story of the last days that the outlet wrote itself,
// old enough to be followed; nil if there is none.
func (d *desk) earlier(o *Outlet, at time.Time) *told {
	var found []*told
	for _, s := range slices.Backward(d.stories) {
		if at.Sub(s.at) > 3*24*time.Hour || len(found) == 20 {
			break
		}
		if s.text.Kind == Plain && s.prints[0].outlet == o && at.Sub(s.at) > 2*time.Hour {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return pick(d.rng, found)
}

// serial publishes the day's text of a series; nil if it is out already or not
// due at at.
func (d *desk) serial(series string, at time.Time) *told {
	plan := serialDesk[series]
	day := at.In(vietnam)
	due := time.Date(day.Year(), day.Month(), day.Day(), plan.hour, 5, 0, 0, vietnam)
	if at.Before(due) || d.serials[series] >= day.Format(time.DateOnly) {
		return nil
	}
	d.serials[series] = day.Format(time.DateOnly)
	text, err := d.writer.Serial(series, at)
	if err != nil {
		return nil // only for a series that is not in the word list
	}
	return d.publish(d.outlet(plan.outlet), text, at)
}

// publish makes a text the outlet's article, without reprints.
func (d *desk) publish(o *Outlet, text Text, at time.Time) *told {
	a := o.Add(Article{
		Title: text.Title, Lead: text.Lead, Body: slices.Clone(text.Body), Topic: text.Topic,
		Author: d.writer.name(d.rng), Published: at,
	})
	s := &told{id: fmt.Sprintf("s%05d", len(d.stories)+1), text: text, at: at, prints: []print{{outlet: o, id: a.ID}}}
	d.stories = append(d.stories, s)
	return s
}

// spread has other outlets take a story over, each after a delay.
func (d *desk) spread(s *told, delay func() time.Duration) {
	from := s.prints[0].outlet
	many := []int{0, 0, 0, 0, 1, 1, 2, 2, 3, 4} // as often as not, nobody takes it
	switch {
	case s.text.Kind == Serial:
		many = []int{0, 1}
	case from.Province != "":
		many = []int{0, 0, 0, 1}
	}
	for range pick(d.rng, many) {
		by := d.draw(func(o *Outlet) int {
			for _, p := range s.prints {
				if p.outlet == o {
					return 0
				}
			}
			if from.Province != "" && o.Province != "" {
				return 0 // local papers take over from the national ones, and the other way round
			}
			return o.profile.reprints
		})
		if by != nil {
			d.reprint(s, by, s.at.Add(delay()))
		}
	}
}

func (d *desk) reprint(s *told, by *Outlet, at time.Time) {
	from := s.prints[0].outlet
	original, ok := from.byNumber(s.prints[0].id)
	if !ok {
		return
	}
	a, how := reprint(s.text, original.Author, from, by, d.rng)
	a.Published = at
	if by.profile.canonical {
		a.Canonical = original.Link
	}
	s.prints = append(s.prints, print{outlet: by, id: by.Add(a).ID, how: how})
}

// order is a story that has to be written for a section not to be empty.
type order struct {
	outlet *Outlet
	topic  string
}

// orders lists one story for every section of every outlet that writes.
func (d *desk) orders() []order {
	var out []order
	for _, o := range d.outlets {
		for _, s := range o.profile.sections {
			topics := s.topics
			if topics == nil {
				topics = o.topics()
			}
			if o.profile.originals > 0 {
				out = append(out, order{o, pick(d.rng, topics)})
			}
		}
	}
	return out
}

// backlog publishes n stories over the days before end, with their reprints,
// and the days' serial texts, in the order of time. Where n allows it every
// section has a story.
func (d *desk) backlog(n, days int, end time.Time) {
	var times []time.Time
	window := time.Duration(days) * 24 * time.Hour
	for len(times) < n {
		at := end.Add(-time.Duration(d.rng.Int64N(int64(window))) - time.Second)
		if at.In(vietnam).Hour() < 5 && d.rng.IntN(10) > 0 {
			continue // newsrooms sleep
		}
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	ordered := map[int]order{} // by place among the times
	slots := d.rng.Perm(n)
	for i, o := range d.orders() {
		if i < n {
			ordered[slots[i]] = o
		}
	}
	delay := func() time.Duration { // from four minutes to five hours, the short ones more often
		f := d.rng.Float64()
		return 4*time.Minute + time.Duration(f*f*f*float64(5*time.Hour))
	}
	for i, at := range times {
		for _, series := range d.writer.Series() {
			if s := d.serial(series, at.Add(-time.Second)); s != nil {
				d.spread(s, delay)
			}
		}
		d.spread(d.news(ordered[i].outlet, ordered[i].topic, at), delay)
	}
}
