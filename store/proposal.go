package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Effect is what a proposed phrase is to do to its topic.
type Effect string

// The effects of proposals.
const (
	EffectPhrase  Effect = "phrase"  // it speaks for the topic, with Weight
	EffectMask    Effect = "mask"    // what stands inside it does not count
	EffectSilence Effect = "silence" // an item that has it never gets the topic
)

// Proposal is a rule that an editor proposes for a topic, for whoever keeps
// feeds.yaml.
type Proposal struct {
	ID     int64 // of its ruling: who undoes that takes it back
	Who    string
	At     time.Time
	Topic  Topic
	Phrase string
	Effect Effect
	Weight float64  // of EffectPhrase
	Places []string // title, summary, body; empty = all
	Note   string   // why, in the editor's words
	Looked int      // how many items trying it looked at
	Gained int      // how many of them the topic gains
	Lost   int      // and loses
}

// MaxProposals bounds the answer of Proposals.
const MaxProposals = 500

// Propose stores a proposal, with its entry in the ledger, which it returns.
// The same again of the same topic is refused.
func (db *DB) Propose(ctx context.Context, who string, p Proposal, now time.Time) (r Ruling, err error) {
	if who == "" || p.Topic == "" || p.Phrase == "" {
		return r, fmt.Errorf("propose: %w", refused("a proposal needs a topic, a phrase and who makes it"))
	}
	err = db.do(ctx, 1, func(t *tx) error {
		var there int64
		if err := t.queryRow(`SELECT coalesce(max(p.ruling), 0) FROM proposals p JOIN rulings r ON r.id = p.ruling
			WHERE r.undone = 0 AND p.topic = $1 AND p.phrase = $2 AND p.effect = $3`, string(p.Topic), p.Phrase, string(p.Effect)).Scan(&there); err != nil {
			return err
		}
		if there > 0 {
			return refused("that is proposed already, by ruling %d", there)
		}
		sign := "+"
		if p.Effect != EffectPhrase {
			sign = "-"
		}
		why := "“" + p.Phrase + "”"
		if p.Note != "" {
			why += ": " + p.Note
		}
		if r, err = t.enterLedger(Ruling{Who: who, At: now, Verb: RulePropose, Topics: []string{sign + string(p.Topic)}, Why: why}); err != nil {
			return err
		}
		return t.exec(`INSERT INTO proposals (ruling, topic, phrase, effect, weight, places, note, looked, gained, lost)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, r.ID, string(p.Topic), p.Phrase, string(p.Effect), p.Weight, encoded(p.Places), p.Note, p.Looked, p.Gained, p.Lost)
	})
	if err != nil {
		return r, fmt.Errorf("propose: %w", err)
	}
	return r, nil
}

// Proposals returns the newest proposals that stand, the oldest first.
func (db *DB) Proposals(ctx context.Context) ([]Proposal, error) {
	all, err := scanProposals(db.engine.read.QueryContext(ctx, fmt.Sprintf(`SELECT * FROM (
		SELECT p.ruling, r.who, r.at, p.topic, p.phrase, p.effect, p.weight, p.places, p.note, p.looked, p.gained, p.lost
		FROM proposals p JOIN rulings r ON r.id = p.ruling WHERE r.undone = 0 ORDER BY p.ruling DESC LIMIT %d) AS newest ORDER BY ruling`, MaxProposals)))
	if err != nil {
		return nil, fmt.Errorf("read proposals: %w", err)
	}
	return all, nil
}

func scanProposals(rows *sql.Rows, err error) ([]Proposal, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Proposal
	for rows.Next() {
		var p Proposal
		var at int64
		var places string
		if err := rows.Scan(&p.ID, &p.Who, &at, &p.Topic, &p.Phrase, &p.Effect, &p.Weight, &places, &p.Note, &p.Looked, &p.Gained, &p.Lost); err != nil {
			return nil, err
		}
		p.At = fromMillis(at)
		if err := decode(places, &p.Places); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// GiveReason writes into the ledger why a ruling was made that was made without
// a reason: whoever made it may, once. The error is ErrRefused otherwise.
func (db *DB) GiveReason(ctx context.Context, ruling int64, who, why string) error {
	err := db.do(ctx, 1, func(t *tx) error {
		if why == "" {
			return refused("say why")
		}
		res, err := t.execResult(`UPDATE rulings SET why = $1 WHERE id = $2 AND who = $3 AND who <> '' AND why = ''`, why, ruling, who)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			err = refused("ruling %d has a reason already, or is another's", ruling)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("give a reason: %w", err)
	}
	return nil
}
