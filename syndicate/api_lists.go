package syndicate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"diemtin/store"
)

// apiNames is a name in both languages.
type apiNames struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// apiChannel is a channel that stories can be asked of: a topic, a province, …
type apiChannel struct {
	ID      string            `json:"id"`
	Name    apiNames          `json:"name"`
	About   *apiNames         `json:"description,omitempty"`
	Page    string            `json:"page"`
	Stories string            `json:"stories"` // address of its list
	Feeds   map[string]string `json:"feeds"`   // by format
}

// apiFixed is a document that the configuration alone decides.
func (s *Server) apiFixed(path string, answer any) (apiDoc, error) {
	return apiDoc{address: apiRoot + path, answer: func(context.Context) (any, error) { return answer, nil }}, nil
}

// tellChannel says where a channel is found; param selects its stories.
func (s *Server) tellChannel(ch *Channel, param string) apiChannel {
	a := apiChannel{ID: ch.ID, Name: apiNames{plainName(ch.Title.VI), plainName(ch.Title.EN)}, Page: s.cfg.address(ch.Path),
		Stories: s.cfg.address(apiRoot + "/stories?" + param + "=" + ch.ID), Feeds: map[string]string{}}
	if ch.Description != (Names{}) {
		a.About = &apiNames{ch.Description.VI, ch.Description.EN}
	}
	for i := range formats {
		a.Feeds[formats[i].name] = s.cfg.address(ch.Path + formats[i].file)
	}
	return a
}

func (s *Server) apiIndex(*http.Request, url.Values) (apiDoc, error) {
	links := map[string]string{}
	for _, route := range apiRoutes() {
		links[route.id] = s.cfg.address(apiRoot) + strings.TrimSuffix(route.path, "{$}")
	}
	return s.apiFixed("/", map[string]any{"title": plainName(s.cfg.Site.Title), "version": s.cfg.Version, "operations": links})
}

func (s *Server) apiTopics(*http.Request, url.Values) (apiDoc, error) {
	all := []apiChannel{}
	for _, ch := range s.cfg.channelsOf("topics") {
		all = append(all, s.tellChannel(&ch, "topics"))
	}
	if rest, ok := s.cfg.channel("topics", noTopicID); ok && len(rest.Topics) > 0 && rest.Topics[0] == store.NoTopic {
		all = append(all, s.tellChannel(&rest, "topics"))
	}
	return s.apiFixed("/topics", map[string]any{"topics": all})
}

// apiProvince is a province; Into is where a former one is now.
type apiProvince struct {
	apiChannel
	Into string `json:"into,omitempty"`
}

func (s *Server) apiProvinces(*http.Request, url.Values) (apiDoc, error) {
	all := []apiProvince{}
	for _, ch := range s.cfg.channelsOf("provinces") {
		p := apiProvince{apiChannel: s.tellChannel(&ch, "provinces")}
		if place := s.cfg.place(ch.ID); place != nil {
			p.Into = place.Into
		}
		all = append(all, p)
	}
	return s.apiFixed("/provinces", map[string]any{"provinces": all})
}

// apiPublisher is an outlet with the terms on which its words are shown.
type apiPublisher struct {
	apiChannel
	Site     string      `json:"site"`
	Domains  []string    `json:"domains"`
	Scope    store.Scope `json:"scope"`
	Province string      `json:"province,omitempty"`
	Show     store.Show  `json:"show"`
	Images   bool        `json:"images"`
}

func (s *Server) apiOutlets(*http.Request, url.Values) (apiDoc, error) {
	return apiDoc{address: apiRoot + "/outlets", answer: func(ctx context.Context) (any, error) {
		stored, err := s.store.Outlets(ctx) // which a ruling may have taken down
		if err != nil {
			return nil, fmt.Errorf("outlets: %w", err)
		}
		all := []apiPublisher{}
		for i := range stored {
			o := &stored[i]
			ch, ok := s.cfg.channel("outlets", o.ID)
			if !ok || o.Show == store.ShowNone {
				continue
			}
			p := apiPublisher{apiChannel: s.tellChannel(&ch, "outlets"), Site: s.cfg.refer(o, "").home, Domains: o.Domains,
				Scope: o.Scope, Province: o.Province, Show: o.Show, Images: o.Images}
			if p.Domains == nil {
				p.Domains = []string{}
			}
			all = append(all, p)
		}
		return map[string]any{"outlets": all}, nil
	}}, nil
}

func (s *Server) apiChannels(*http.Request, url.Values) (apiDoc, error) {
	all := []apiChannel{}
	for _, ch := range s.cfg.channelsOf("channels") {
		all = append(all, s.tellChannel(&ch, "channel"))
	}
	return s.apiFixed("/channels", map[string]any{"channels": all})
}

// apiHealth is how reading a source goes.
type apiHealth struct {
	ID      string      `json:"id"`
	Outlet  string      `json:"outlet"`
	Kind    string      `json:"kind"`
	URL     string      `json:"url"`
	Topic   string      `json:"topic,omitempty"`
	State   string      `json:"state"`   // fine, failing, waiting
	Outcome string      `json:"outcome"` // of the last visit; empty before the first
	Detail  string      `json:"detail,omitempty"`
	Advice  string      `json:"advice,omitempty"` // for its webmaster, in Vietnamese
	Fails   int         `json:"fails"`            // visits in a row
	Tried   *string     `json:"last_try"`
	Success *string     `json:"last_success"`
	New     *string     `json:"last_new"`
	Visit   *string     `json:"next_visit"`
	Why     string      `json:"why,omitempty"` // then, in English
	Repairs []apiRepair `json:"repairs"`
}

// apiRepair is what had to be mended in the last document.
type apiRepair struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

func (s *Server) apiSources(*http.Request, url.Values) (apiDoc, error) {
	return apiDoc{address: apiRoot + "/sources", answer: func(ctx context.Context) (any, error) {
		sources, err := s.store.Sources(ctx)
		if err != nil {
			return nil, fmt.Errorf("sources: %w", err)
		}
		all := []apiHealth{}
		for _, src := range sources {
			if src.Active {
				all = append(all, s.tellSource(src))
			}
		}
		return map[string]any{"sources": all}, nil
	}}, nil
}

// tellSource tells what the page of the sources' health tells.
func (s *Server) tellSource(src store.Source) apiHealth {
	row, x := s.sourceRow(src), src.State
	h := apiHealth{ID: src.ID, Outlet: src.Outlet, Kind: src.Kind, URL: src.URL, Topic: string(src.Topic), State: row.State, Outcome: string(x.Outcome),
		Detail: row.Detail, Advice: row.Advice, Fails: x.Fails, Tried: moment(x.LastTry), Success: moment(x.LastSuccess), New: moment(x.LastNew),
		Visit: moment(x.NextAt), Why: x.Why, Repairs: []apiRepair{}}
	for _, r := range x.Repairs {
		h.Repairs = append(h.Repairs, apiRepair{r.Kind, r.Count})
	}
	return h
}

// apiOpenAPI is the description of the API.
func (s *Server) apiOpenAPI(*http.Request, url.Values) (apiDoc, error) {
	return s.apiFixed("/openapi.json", json.RawMessage(s.description))
}

// describeAPI completes the description of the API with what it is here.
func describeAPI(c *Config) ([]byte, error) {
	text, err := web.ReadFile("web/openapi.json")
	if err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	servers, err := json.Marshal([]map[string]string{{"url": c.Site.BaseURL + apiRoot}})
	if err != nil {
		return nil, err
	}
	doc["servers"] = servers
	return encodeAPI(doc)
}
