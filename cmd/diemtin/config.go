package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"diemtin"
	"diemtin/aggregator"
	"diemtin/aggregator/vi"
	"diemtin/store"
	"diemtin/syndicate"
	"diemtin/syndicate/hub"
)

// defaultConfig is read where --config is not given; if it is missing, the
// shipped outlets are used.
const defaultConfig = "feeds.yaml"

// shippedName is what the outlets and topics that came with the program are
// called.
const shippedName = "the shipped feeds.yaml"

// file is the whole of feeds.yaml; each section belongs to the package that
// acts on it.
type file struct {
	Site     syndicate.Site            `yaml:"site"`
	Limits   aggregator.Limits         `yaml:"limits"`
	Outlets  []aggregator.OutletConfig `yaml:"outlets"`
	Topics   []aggregator.TopicConfig  `yaml:"topics"`
	Gate     aggregator.GateConfig     `yaml:"gate"`
	Channels []syndicate.ChannelConfig `yaml:"channels"`
	Delivery syndicate.Delivery        `yaml:"delivery"`
	Hub      hub.Config                `yaml:"hub"`
	Visitors syndicate.Visitors        `yaml:"visitors"`
	Backup   backupConfig              `yaml:"backup"`
	Keeping  retentionConfig           `yaml:"retention"`
	Editors  syndicate.Editors         `yaml:"editors"`
	Partners []syndicate.Partner       `yaml:"partners"`

	SecondOpinion string `yaml:"second_opinion"`
}

// config is a file that passed every check, as the packages want it.
type config struct {
	name      string
	file      file    // as it was read, with what the environment says
	found     *faults // where each value stands
	aggregate aggregator.Config
	syndicate syndicate.Config
	hub       hub.Config
	backup    backupConfig
}

// loadConfig reads and checks a feeds.yaml. An empty name means the default
// one. The error holds every fault of the file, a line each.
func loadConfig(name string) (*config, error) {
	text, name, err := readConfig(name)
	if err != nil {
		return nil, err
	}
	return parseWith(name, text, os.Environ())
}

// parseConfig reads and checks the text of a feeds.yaml, and nothing else.
func parseConfig(name string, text []byte) (*config, error) {
	return parseWith(name, text, nil)
}

// parseWith is parseConfig with an environment that overrides settings.
func parseWith(name string, text []byte, environ []string) (*config, error) {
	c, found := readFileWith(name, text, environ)
	c.tryGate(found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func readConfig(name string) (text []byte, shown string, err error) {
	if name != "" {
		text, err = os.ReadFile(name)
		if err != nil {
			return nil, name, fmt.Errorf("read configuration: %w", err)
		}
		return text, name, nil
	}
	text, err = os.ReadFile(defaultConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return diemtin.FeedsYAML, shippedName, nil
	case err != nil:
		return nil, defaultConfig, fmt.Errorf("read configuration: %w", err)
	}
	return text, defaultConfig, nil
}

// readFile reads a feeds.yaml as far as it goes, and finds all its faults.
func readFile(name string, text []byte) (*config, *faults) {
	return readFileWith(name, text, nil)
}

// readFileWith is readFile with an environment that overrides settings.
func readFileWith(name string, text []byte, environ []string) (*config, *faults) {
	var f file
	found := decodeStrict(name, text, &f)
	if len(found.at) == 0 { // no YAML at all
		return &config{name: name, found: found}, found
	}
	f.withShipped(found)
	found.override(reflect.ValueOf(&f).Elem(), settingsOf(environ))
	f.Site.BaseURL = strings.TrimRight(f.Site.BaseURL, "/")
	if dir := f.Site.Templates; dir != "" && !filepath.IsAbs(dir) {
		f.Site.Templates = filepath.Join(filepath.Dir(name), dir)
	}
	c := &config{name: name, file: f, found: found, hub: f.Hub}
	c.aggregate = aggregator.Config{Limits: f.Limits, Outlets: f.Outlets, Topics: f.Topics, Agent: agent(f.Site), BaseURL: f.Site.BaseURL,
		Gate: aggregator.Gated{GateConfig: f.Gate}, SecondOpinion: f.SecondOpinion}
	c.syndicate = syndicate.Config{Site: f.Site, Delivery: f.Delivery, Channels: f.Channels, Topics: topicInfos(f.Topics),
		Outlets: c.aggregate.StoreOutlets(), Places: places(), Version: version, Renamed: f.renamed(), Visitors: f.Visitors, Editors: f.Editors,
		Partners: f.Partners}
	c.syndicate.Hub = c.hubAddress()
	c.aggregate.Check(found.report)
	f.Gate.Check(found.report)
	c.syndicate.Check(found.report)
	f.Hub.Check(found.report)
	f.Backup.check(found.report)
	f.Keeping.check(found.report)
	if dir := f.Backup.Dir; dir != "" && !filepath.IsAbs(dir) {
		f.Backup.Dir = filepath.Join(filepath.Dir(name), dir)
	}
	c.backup = f.Backup
	return c, found
}

// tryGate measures the rules of a file without faults on its gate, and reports
// rules that do not pass.
func (c *config) tryGate(found *faults) {
	gate := &c.aggregate.Gate
	if len(found.all) > 0 || !gate.Set() {
		return
	}
	path := gate.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(c.name), path)
	}
	labels, err := os.Open(path)
	if err != nil {
		found.report("gate.file", err.Error())
		return
	}
	defer labels.Close()
	scores, refused, err := gate.Try(labels, c.aggregate.Topics)
	switch {
	case err != nil:
		for line := range strings.SplitSeq(err.Error(), "\n") {
			found.report("gate.file", line)
		}
	case refused != "":
		found.report("gate", refused)
	}
	gate.Scores = scores
}

// withShipped gives a file without topics the shipped ones, and their channels
// where it has none of its own.
func (f *file) withShipped(found *faults) {
	if _, own := found.at["topics"]; own && f.Topics != nil { // "topics:" with nothing after it is nil
		return
	}
	var shipped file
	found.shipped = decodeStrict(shippedName, diemtin.FeedsYAML, &shipped)
	found.all = append(found.all, found.shipped.all...)
	f.Topics = shipped.Topics
	if f.Channels == nil {
		f.Channels = shipped.Channels
	}
}

// agent is the User-Agent: who we are, and whom to ask.
func agent(s syndicate.Site) string {
	contact := s.Contact
	if contact == "" {
		contact = s.BaseURL
	}
	if contact == "" {
		return "diemtin/" + version
	}
	return fmt.Sprintf("diemtin/%s (+%s)", version, contact)
}

// renamed lists the ids that topics, outlets and channels had before.
func (f *file) renamed() []syndicate.Renamed {
	var all []syndicate.Renamed
	add := func(kind string, i int, to string, was []string) {
		for j, from := range was {
			all = append(all, syndicate.Renamed{Kind: kind, From: from, To: to, At: fmt.Sprintf("%s[%d].was[%d]", kind, i, j)})
		}
	}
	for i, t := range f.Topics {
		add("topics", i, string(t.ID), t.Was)
	}
	for i, o := range f.Outlets {
		add("outlets", i, o.ID, o.Was)
	}
	for i, ch := range f.Channels {
		add("channels", i, ch.ID, ch.Was)
	}
	return all
}

func topicInfos(topics []aggregator.TopicConfig) []store.TopicInfo {
	infos := make([]store.TopicInfo, len(topics))
	for i, t := range topics {
		infos[i] = store.TopicInfo{ID: t.ID, VI: t.Name.VI, EN: t.Name.EN}
	}
	return infos
}

func places() []syndicate.Place {
	var all []syndicate.Place
	for _, p := range vi.Provinces() {
		all = append(all, syndicate.Place{ID: p.ID, Name: p.Name, Into: p.Into})
	}
	return all
}
