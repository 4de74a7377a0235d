package store

// complete gives an item what its page tells and it lacks. What readers of a
// listed story see of it stays as it is: nothing new has happened. But a listed
// story may gain topics, and a province if it has none.
func (v *visit) complete(it *Item, a *Article, s *row) error {
	seen := s != nil && s.listed > 0
	if seen {
		v.note(s.id)
	}
	if better(a.Attribution, it.Attribution) {
		it.Attribution = a.Attribution
	}
	if !seen || s.quoted != it.ID {
		if it.Summary == "" {
			it.Summary = a.Summary
		}
		if len(it.Authors) == 0 {
			it.Authors = a.Authors
		}
		if it.Image == "" {
			it.Image = a.Image
		}
		if a.Province != "" {
			it.Province = a.Province
		}
	}
	gained := len(it.Topics) == 0 && len(a.Topics) > 0
	if gained {
		it.Topics = a.Topics
	}
	if it.Province == "" { // a listed story never changes its province, it may gain one
		it.Province = a.Province
	}
	if !seen && it.Published.IsZero() && !a.Published.After(v.r.At) {
		it.Published = a.Published
	}
	if err := v.exec(`UPDATE items SET attribution = $1, summary = $2, authors = $3, image = $4, topics = $5, published = $6, province = $7 WHERE id = $8`,
		encoded(it.Attribution), text(it.Summary), encoded(it.Authors), it.Image, text(encoded(it.Topics)), millis(it.Published), it.Province, it.ID); err != nil || !seen {
		return err
	}
	if s.quoted == it.ID && s.province == "" && it.Province != "" {
		if err := v.move(s, s.topics, it.Province, false, v.ticking()); err != nil {
			return err
		}
	}
	if gained {
		return v.gainTopics(s, it)
	}
	return nil
}

// better tells whether the attribution that a page gives says more than that
// of the source: the line stands at the foot of the page.
func better(page, source Attribution) bool {
	said := func(a Attribution) int {
		n := 0
		for _, s := range []string{a.Text, a.Outlet, a.Link} {
			if s != "" {
				n++
			}
		}
		return n
	}
	return said(page) > said(source)
}
