package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// envPrefix begins the variables that override settings and flags.
	envPrefix = "DIEMTIN_"
	// envFile ends the name of a variable that names a file with the value.
	envFile = "_FILE"
	// maxEnvFile bounds such a file, in bytes.
	maxEnvFile = 1 << 20
)

// settings are the variables of an environment that begin with envPrefix and
// are not empty, with their values; what a variable …_FILE names is read when
// it is asked for.
type settings struct {
	of   map[string]string
	used map[string]string // by variable: the path that it set
}

func settingsOf(environ []string) *settings {
	s := &settings{of: map[string]string{}, used: map[string]string{}}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, envPrefix) && value != "" {
			s.of[name] = value
		}
	}
	return s
}

// value is what the environment says of a name, itself or by a file.
func (s *settings) value(name string) (value, from string, err error) {
	if v, ok := s.of[name]; ok {
		return v, name, nil
	}
	file, ok := s.of[name+envFile]
	if !ok {
		return "", "", nil
	}
	text, err := readSecret(file)
	return text, name + envFile, err
}

// readSecret is what a file holds, without the end of its line.
func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	switch {
	case err != nil:
		return "", err
	case len(text) > maxEnvFile:
		return "", fmt.Errorf("%s has %d bytes: want at most %d", file, len(text), maxEnvFile)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// variable is the name of what overrides a setting: "site.base_url" and
// DIEMTIN_SITE_BASE_URL; an id stands in the place of a number in a list.
func variable(parent, key string) string {
	return parent + "_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
}

// flagVariables are the flags that the environment can give: those of serve,
// under their names wherever a verb has them.
var flagVariables = []string{"config", "db", "listen", "admin", "tokens", "templates", "log", "watch", "poll", "serve", "deliver", editorsFlag}

// editorsFlag is the flag of the editors' listener. A section of the file has
// that name too, so that its variable has one of its own, which means no
// setting of that section.
const editorsFlag, editorsVariable = "editors", "DIEMTIN_EDITORS_LISTEN"

// flagVariable is the variable of a flag, "" if it has none.
func flagVariable(name string) string {
	if !slices.Contains(flagVariables, name) {
		return ""
	}
	if name == editorsFlag {
		return editorsVariable
	}
	return variable(strings.TrimSuffix(envPrefix, "_"), name)
}

// overrideFlags gives flags what the environment says, before the command line
// is read, which goes first.
func overrideFlags(fs *flag.FlagSet, s *settings) error {
	var faulty error
	fs.VisitAll(func(f *flag.Flag) {
		name := flagVariable(f.Name)
		if name == "" || faulty != nil {
			return
		}
		value, from, err := s.value(name)
		if from == "" {
			return
		}
		if err == nil {
			err = fs.Set(f.Name, value)
		}
		if err != nil {
			faulty = fmt.Errorf("$%s: %w", from, err)
		}
	})
	return faulty
}

// override lets the environment change the settings of a file. Variables of
// its sections that name no setting are faults: they were meant to.
func (f *faults) override(v reflect.Value, s *settings) {
	f.overrideIn(v, "", strings.TrimSuffix(envPrefix, "_"), s)
	sections := sectionVariables()
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		claimed := slices.ContainsFunc(sections, func(section string) bool { return name == section || strings.HasPrefix(name, section+"_") })
		if _, used := s.used[name]; claimed && !used && strings.TrimSuffix(name, envFile) != editorsVariable {
			f.add(place{from: name}, "", "no setting has this name; diemtin config --json lists those there are")
		}
	}
}

// sectionVariables are the variables of the file's sections.
func sectionVariables() []string {
	var all []string
	for _, key := range keysOf(reflect.TypeFor[file]()) {
		all = append(all, variable(strings.TrimSuffix(envPrefix, "_"), key))
	}
	return all
}

// overrideIn looks at every key of a struct, and then within it.
func (f *faults) overrideIn(v reflect.Value, path, parent string, s *settings) {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		sub := key
		if path != "" {
			sub = path + "." + key
		}
		name := variable(parent, key)
		f.overrideOne(v.Field(i), sub, name, s)
		f.overrideWithin(v.Field(i), sub, name, s)
	}
}

func (f *faults) overrideWithin(v reflect.Value, path, name string, s *settings) {
	switch {
	case v.Kind() == reflect.Struct:
		f.overrideIn(v, path, name, s)
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		fresh := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			fresh.Elem().Set(v.Elem())
		}
		if f.overrideIn(fresh.Elem(), path, name, s); !v.IsNil() || !fresh.Elem().IsZero() {
			v.Set(fresh)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			if id := idOf(v.Index(i)); id != "" {
				f.overrideIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i), variable(name, id), s)
			}
		}
	}
}

// idOf is what an element of a list is called, or "".
func idOf(v reflect.Value) string {
	if v.Kind() == reflect.Struct {
		if id, ok := fieldOf(v, "id"); ok {
			return id.String()
		}
	}
	return ""
}

func (f *faults) overrideOne(v reflect.Value, path, name string, s *settings) {
	text, from, err := s.value(name)
	if from == "" {
		return
	}
	if other, twice := s.used[from]; twice {
		f.add(place{from: from}, path, "the variable means "+other+" too; set it in the file")
		return
	}
	s.used[from] = path
	if err != nil {
		f.add(place{from: from}, path, err.Error())
		return
	}
	n, err := variableNode(v, text)
	if err != nil {
		f.add(place{from: from}, path, "this is not YAML: "+strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	v.SetZero()
	for old := range f.at { // what the file said inside it counts no more
		if rest, within := strings.CutPrefix(old, path); within && rest != "" && (rest[0] == '.' || rest[0] == '[') {
			delete(f.at, old)
		}
	}
	f.from = from
	f.value(n, path, v)
	f.from = ""
}

// variableNode is a variable's text as it would stand in the file: plain text
// for a plain value, "a, b" for a list of them, else YAML.
func variableNode(v reflect.Value, text string) (*yaml.Node, error) {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	plain := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }
	list := t.Kind() == reflect.Slice && (t.Elem().Kind() == reflect.String || t.Elem().Kind() == reflect.Int)
	switch {
	case t.Kind() == reflect.Bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text}, nil
	case t.Kind() != reflect.Struct && t.Kind() != reflect.Slice:
		return plain(text), nil
	case list && !strings.HasPrefix(strings.TrimSpace(text), "["):
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for one := range strings.SplitSeq(text, ",") {
			n.Content = append(n.Content, plain(strings.TrimSpace(one)))
		}
		return n, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return plain(""), nil
	}
	return doc.Content[0], nil
}
