package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Hidden is what a partner, a site that embeds channels, hides from its own
// embeds.
type Hidden struct {
	Stories  []string // ids, also of the stories they are part of now
	Revision Revision // grows with each change
}

// PartnerHide is one story that a partner hides, or hid once.
type PartnerHide struct {
	Partner  string    `json:"partner"`
	Story    string    `json:"story"`
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	Why      string    `json:"why,omitempty"`
	Until    time.Time `json:"until,omitzero"` // when it was shown again; zero = it is hidden
	UntilWho string    `json:"until_who,omitempty"`
	Ruling   int64     `json:"ruling"` // number of the hide in the ledger
}

// MaxHidden bounds what one partner hides at a time, so that an embed stays one
// query.
const MaxHidden = 500

// HiddenFrom returns what a partner hides now. A story that was hidden stays so
// when it becomes part of another.
func (db *DB) HiddenFrom(ctx context.Context, partner string) (h Hidden, err error) {
	var last int64
	if err := db.engine.read.QueryRowContext(ctx, `SELECT coalesce(max(CASE WHEN until > at THEN until ELSE at END), 0)
		FROM partner_hidden WHERE partner = $1`, partner).Scan(&last); err != nil {
		return h, fmt.Errorf("read what %s hides: %w", partner, err)
	}
	if h.Revision = (Revision{N: last, At: fromMillis(last)}); last == 0 {
		return h, nil
	}
	rows, err := db.engine.read.QueryContext(ctx, `WITH RECURSIVE gone (id) AS (
			SELECT story FROM partner_hidden WHERE partner = $1 AND until = 0
			UNION SELECT s.merged_into FROM stories s JOIN gone g ON s.id = g.id WHERE s.merged_into <> '')
		SELECT id FROM gone ORDER BY id`, partner)
	if err != nil {
		return h, fmt.Errorf("read what %s hides: %w", partner, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return h, fmt.Errorf("read what %s hides: %w", partner, err)
		}
		h.Stories = append(h.Stories, id)
	}
	return h, wrapped(rows.Err(), "read what a partner hides")
}

// HideFromPartner hides a listed story, or the one it is part of now, from a
// partner's embeds, and enters that into the ledger. ErrRefused says that it is hidden already, or that the
// partner hides MaxHidden.
func (db *DB) HideFromPartner(ctx context.Context, p PartnerHide) (PartnerHide, error) {
	err := db.do(ctx, 1, func(t *tx) error {
		s, err := t.live(p.Story)
		if err != nil {
			return err
		}
		p.Story = s.id
		var same, all, last int64
		if err := t.queryRow(`SELECT coalesce(sum(CASE WHEN until = 0 AND story = $2 THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN until = 0 THEN 1 ELSE 0 END), 0), coalesce(max(CASE WHEN until > at THEN until ELSE at END), 0)
			FROM partner_hidden WHERE partner = $1`, p.Partner, p.Story).Scan(&same, &all, &last); err != nil {
			return err
		}
		switch {
		case same > 0:
			return refused("%s hides story %s already", p.Partner, p.Story)
		case all >= MaxHidden:
			return refused("%s hides %d stories, which is the most; show one again first", p.Partner, all)
		}
		at := max(millis(p.At), last+1)
		p.At = fromMillis(at)
		r, err := t.enterLedger(Ruling{At: p.At, Who: p.Who, Verb: RulePartnerHide, Partner: p.Partner, Story: p.Story, Why: p.Why})
		if err != nil {
			return err
		}
		p.Ruling = r.ID
		return t.exec(`INSERT INTO partner_hidden (partner, story, at, who, why, ruling) VALUES ($1, $2, $3, $4, $5, $6)`, p.Partner, p.Story, at, p.Who, p.Why, p.Ruling)
	})
	return p, wrapped(err, "hide from a partner")
}

// ShowToPartner takes back what HideFromPartner did: r is the restoring, with
// its Who, At, Partner, Story and Why, and is returned as it stands in the
// ledger. ErrNotFound says that the partner does not hide the story.
func (db *DB) ShowToPartner(ctx context.Context, r Ruling) (Ruling, error) {
	err := db.do(ctx, 1, func(t *tx) (err error) {
		if err := t.queryRow(`SELECT coalesce(max(ruling), 0) FROM partner_hidden WHERE partner = $1 AND story = $2 AND until = 0`,
			r.Partner, r.Story).Scan(&r.Undoes); err != nil {
			return err
		}
		if r.Undoes == 0 {
			return fmt.Errorf("story %s: %w among those that %s hides", r.Story, ErrNotFound, r.Partner)
		}
		r.Verb = RuleRestore
		if r, err = t.enterLedger(r); err != nil {
			return err
		}
		return t.showToPartner(r)
	})
	return r, wrapped(err, "show to a partner")
}

// showToPartner ends the hiding that r undoes. Its end is later than any change
// that the partner has made: what it hides has a revision.
func (t *tx) showToPartner(r Ruling) error {
	return wrapped(t.exec(`UPDATE partner_hidden SET until_who = $1, until = (SELECT CASE WHEN $2 > last.at THEN $2 ELSE last.at + 1 END
		FROM (SELECT max(CASE WHEN until > at THEN until ELSE at END) AS at FROM partner_hidden WHERE partner = $3) AS last)
		WHERE ruling = $4 AND until = 0`, r.Who, millis(r.At), r.Partner, r.Undoes), "show to a partner")
}

// PartnerHides lists what a partner hides, and hid, the newest first, at most
// MaxRulings; all partners' if partner is empty.
func (db *DB) PartnerHides(ctx context.Context, partner string) ([]PartnerHide, error) {
	all, err := scanHides(db.engine.read.QueryContext(ctx, fmt.Sprintf(`SELECT partner, story, at, who, why, until, until_who, ruling FROM partner_hidden
		WHERE partner = $1 OR $1 = '' ORDER BY at DESC, partner, story LIMIT %d`, MaxRulings), partner))
	return all, wrapped(err, "read what partners hide")
}

func scanHides(rows *sql.Rows, err error) ([]PartnerHide, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []PartnerHide
	for rows.Next() {
		var p PartnerHide
		var at, until int64
		if err := rows.Scan(&p.Partner, &p.Story, &at, &p.Who, &p.Why, &until, &p.UntilWho, &p.Ruling); err != nil {
			return nil, err
		}
		p.At, p.Until = fromMillis(at), fromMillis(until)
		all = append(all, p)
	}
	return all, rows.Err()
}
