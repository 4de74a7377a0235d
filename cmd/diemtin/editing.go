package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"diemtin/aggregator"
	"diemtin/store"
	"diemtin/syndicate"
)

const (
	// tokenVariable holds an editor's token. It is no flag: everybody on a
	// machine can read those.
	tokenVariable = "DIEMTIN_TOKEN"
	// editingTime bounds one call of the admin API; adding may read a page.
	editingTime = readingTime + 10*time.Second
	// maxLedger bounds what is read of its answer, in bytes.
	maxLedger = 64 << 20
)

// access is how an editor's verb reaches the database.
type access struct{ config, dsn, admin, who *string }

func accessFlags(fs *flag.FlagSet) access {
	return access{config: configFlag(fs), dsn: dbFlag(fs),
		admin: fs.String("admin", defaultAdmin, "`address` of the admin listener of a running service; "+tokenVariable+" holds the token for it"),
		who:   fs.String("who", "", "`name` for the ledger where no service runs; else that of the token")}
}

// open finds out who does the work: the running service if there is one and
// DIEMTIN_TOKEN opens it, else this process, on the database alone.
func (a access) open(ctx context.Context) (e office, who string, done func() error, err error) {
	c, unreachable, err := a.service(ctx)
	if err != nil {
		return nil, "", nil, err
	}
	if c != nil {
		return c, "", func() error { return nil }, nil
	}
	cfg, err := loadConfig(*a.config)
	if err != nil {
		return nil, "", nil, err
	}
	if err := a.exists(ctx); err != nil {
		return nil, "", nil, err
	}
	d, done, err := openDesk(ctx, cfg, *a.dsn)
	if err != nil {
		return nil, "", nil, a.inUse(err, unreachable)
	}
	return d, a.name(), done, nil
}

// openDesk opens a database that no service holds for an editor's orders.
func openDesk(ctx context.Context, cfg *config, dsn string) (*desk, func() error, error) {
	if _, err := backUpFirst(ctx, dsn, time.Now()); err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, nil, err
	}
	reader, err := aggregator.New(cfg.aggregate, db, newLogger(stdio{io.Discard, io.Discard}, false), prometheus.NewRegistry())
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return newDesk(cfg, db, reader), db.Close, nil
}

// exists refuses a database that is not there: nothing to rule on, make none.
func (a access) exists(ctx context.Context) error {
	there, err := store.OpenReadOnly(ctx, *a.dsn)
	switch {
	case err == nil:
		return there.Close()
	case errors.Is(err, store.ErrNoDatabase):
		return err
	}
	return nil // whoever opens it to write says what is wrong
}

// name is who does the work where no service runs.
func (a access) name() string { return cmp.Or(*a.who, userName()) }

// inUse says of a database that a service holds how to work through that;
// unreachable is why it was not asked, nil if there is no token.
func (a access) inUse(err, unreachable error) error {
	switch {
	case errors.Is(err, store.ErrInUse) && unreachable == nil:
		return fmt.Errorf("%w; to work through it, put a token of its --tokens file into %s (diemtin token NAME makes one) and give its --admin address", err, tokenVariable)
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("%w, and no admin listener answers at %s (%w); give its address with --admin", err, *a.admin, unreachable)
	}
	return err
}

// service is the running service that DIEMTIN_TOKEN opens; nil if there is no
// token, or, with the cause, if nothing answers.
func (a access) service(ctx context.Context) (c *client, unreachable, err error) {
	token := os.Getenv(tokenVariable)
	if token == "" {
		return nil, nil, nil
	}
	target, err := dialable(*a.admin)
	if err != nil {
		return nil, nil, errUsage{err}
	}
	c = &client{target: target, token: token}
	if unreachable = c.reach(ctx); unreachable != nil {
		return nil, unreachable, nil
	}
	return c, nil, nil
}

// userName is who sits here.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return cmp.Or(os.Getenv("USER"), "uid "+strconv.Itoa(os.Getuid()))
}

// client is the admin API of a running service.
type client struct{ target, token string }

// reach says whether something answers there.
func (c *client) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.target+"/livez", nil)
	if err != nil {
		return err
	}
	resp, err := plainClient().Do(req)
	if err != nil {
		return unwrapAll(err)
	}
	return resp.Body.Close()
}

// plainClient asks no proxy: what that says is not the service's word.
func plainClient() *http.Client {
	return &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
}

// Carry sends an order. Who gives it, the token says.
func (c *client) Carry(ctx context.Context, _ string, o syndicate.Order) (r store.Ruling, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return r, err
	}
	return r, c.call(ctx, http.MethodPost, rulingsCall, body, &r)
}

// The calls of the admin API.
const (
	rulingsCall = "rulings"
	applyCall   = "topics/apply"
)

// ApplyTopics has the service judge what is stored. Who asks, the token says.
func (c *client) ApplyTopics(ctx context.Context, _ string, o syndicate.ApplyOrder) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, applyCall, body, &syndicate.Applied{})
}

// Applied asks how far it has come.
func (c *client) Applied(ctx context.Context) (a syndicate.Applied, err error) {
	return a, c.call(ctx, http.MethodGet, applyCall, nil, &a)
}

// PollNow has the service visit a source. Who asks, the token says.
func (c *client) PollNow(ctx context.Context, _, source, why string) (r store.Ruling, err error) {
	body, err := json.Marshal(map[string]string{"why": why})
	if err != nil {
		return r, err
	}
	return r, c.call(ctx, http.MethodPost, "sources/"+url.PathEscape(source)+"/poll", body, &r)
}

// Rulings asks for the ledger.
func (c *client) Rulings(ctx context.Context, q store.RulingQuery) ([]store.Ruling, error) {
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}, "story": {q.Story}, "verb": {string(q.Verb)}}
	if q.Before > 0 {
		query.Set("before", strconv.FormatInt(q.Before, 10))
	}
	if !q.Humans {
		query.Set("all", "1")
	}
	var answer struct{ Rulings []store.Ruling }
	err := c.call(ctx, http.MethodGet, rulingsCall+"?"+query.Encode(), nil, &answer)
	return answer.Rulings, err
}

func (c *client) call(ctx context.Context, method, what string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, editingTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.target+"/api/v1/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := plainClient().Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.target, unwrapAll(err))
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxLedger))
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.target, err)
	}
	if resp.StatusCode >= 300 {
		var p syndicate.Problem
		if json.Unmarshal(said, &p) != nil || p.Detail == "" {
			p.Detail = fmt.Sprintf("it answers HTTP %d; is this the admin listener of a diemtin of this version?", resp.StatusCode)
		}
		return fmt.Errorf("%s: %s", c.target, p.Detail)
	}
	if err := json.Unmarshal(said, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.target, err)
	}
	return nil
}
