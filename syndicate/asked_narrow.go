package syndicate

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"diemtin/store"
)

// narrow limits a search to topics, provinces, outlets and days, as its query
// says, and returns what it says in words.
func (s *Server) narrow(ch *Channel, q url.Values) (said []string, err error) {
	n := 0
	for _, kind := range mixKinds {
		ids, chs, err := s.mixed(kind, q[kind])
		if err != nil {
			return nil, err
		}
		var names []string
		for _, one := range chs {
			name, _ := s.lang.called(one.Title)
			names = append(names, plainName(name))
			ch.Topics = append(ch.Topics, one.Topics...)
			ch.Provinces = append(ch.Provinces, one.Provinces...)
			ch.Outlets = append(ch.Outlets, one.Outlets...)
		}
		if n += len(ids); len(ids) > 0 {
			ch.Query += "&" + kind + "=" + strings.Join(ids, ",")
			said = append(said, s.shortList(names))
		}
	}
	if n > maxMixed {
		return nil, refusal{code: http.StatusBadRequest, why: fmt.Sprintf(s.words["mix.many"], maxMixed)}
	}
	for _, end := range []struct {
		name string
		day  *store.Day
	}{{"from", &ch.From}, {"to", &ch.To}} {
		raw := strings.TrimSpace(q.Get(end.name))
		if raw == "" {
			continue
		}
		day, why := s.lang.readDay(raw, store.DayOf(s.now()))
		if why != "" {
			return nil, refusal{code: http.StatusBadRequest, why: why}
		}
		*end.day = day
		ch.Query += "&" + end.name + "=" + string(day)
		said = append(said, fmt.Sprintf(s.words["search."+end.name], s.lang.date(day)))
	}
	return said, nil
}

// narrowForm fills in what narrows a search.
func (s *Server) narrowForm(v *askedView, q url.Values) {
	day := func(name string) string {
		d, why := s.lang.readDay(strings.TrimSpace(q.Get(name)), store.DayOf(s.now()))
		if why != "" {
			return ""
		}
		return string(d)
	}
	v.From, v.To = day("from"), day("to")
	v.Narrow = v.From != "" || v.To != ""
	for _, kind := range mixKinds {
		g := choices{Kind: kind, Title: s.words["kind."+kind]}
		ids, _, _ := s.mixed(kind, q[kind]) // what is wrong with them is said beside the form
		for _, id := range s.cfg.ids(kind) {
			if ch, ok := s.cfg.channel(kind, id); ok {
				g.All = append(g.All, choice{ch.ID, s.linkTo(&ch), slices.Contains(ids, ch.ID)})
			}
		}
		v.Narrow = v.Narrow || len(ids) > 0
		if len(g.All) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
}
