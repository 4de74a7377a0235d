package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"diemtin/aggregator"
	"diemtin/syndicate"
)

// effective is the file with what was left out of it.
func (c *config) effective() file {
	f := c.file
	outward := syndicate.Config{Site: f.Site, Delivery: f.Delivery, Visitors: f.Visitors}.Effective()
	f.Site, f.Delivery, f.Visitors = outward.Site, outward.Delivery, outward.Visitors
	f.Hub = f.Hub.Effective()
	f.Limits = f.Limits.Effective(len(c.aggregate.StoreSources()))
	f.Keeping.Every = cmp.Or(f.Keeping.Every, aggregator.Duration(defaultRetentionEvery))
	f.SecondOpinion = cmp.Or(f.SecondOpinion, "on")
	f.Outlets = slices.Clone(f.Outlets)
	for i := range f.Outlets {
		f.Outlets[i] = f.Outlets[i].Effective()
	}
	return f
}

// setting is one value in force, as diemtin config shows it. Its JSON keys stay.
type setting struct {
	Path     string `json:"path"` // of the file; an id stands in the place of a number in a list
	Value    string `json:"value"`
	Origin   string `json:"origin"`   // default, FILE:LINE, or $VARIABLE
	Variable string `json:"variable"` // what overrides it; "" where only the list as a whole can be overridden
}

// settings lists every value in force of the sections whose paths begin with
// one of those asked for; without any, all.
func (c *config) settings(asked []string) []setting {
	var all []setting
	l := lister{found: c.found, add: func(s setting) { all = append(all, s) }}
	l.keys(reflect.ValueOf(c.effective()), "", "", strings.TrimSuffix(envPrefix, "_"))
	return slices.DeleteFunc(all, func(s setting) bool {
		return len(asked) > 0 && !slices.ContainsFunc(asked, func(a string) bool {
			return s.Path == a || strings.HasPrefix(s.Path, a+".") || strings.HasPrefix(s.Path, a+"[")
		})
	})
}

// lister walks a configuration. A place has two paths: at, by which its origin
// is known, with numbers, and shown, with ids in their place.
type lister struct {
	found *faults
	add   func(setting)
}

func (l lister) keys(v reflect.Value, at, shown, parent string) {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "" {
			continue
		}
		dot := ""
		if at != "" {
			dot = "."
		}
		name := ""
		if parent != "" {
			name = variable(parent, key)
		}
		l.value(v.Field(i), at+dot+key, shown+dot+key, name)
	}
}

func (l lister) value(v reflect.Value, at, shown, name string) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
	case v.Kind() == reflect.Pointer:
		l.value(v.Elem(), at, shown, name)
	case v.Kind() == reflect.Struct:
		l.keys(v, at, shown, name)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			here := fmt.Sprintf("%s[%d]", at, i)
			if id := idOf(v.Index(i)); id != "" {
				l.keys(v.Index(i), here, shown+"."+id, variable(name, id))
			} else {
				l.keys(v.Index(i), here, fmt.Sprintf("%s[%d]", shown, i), "")
			}
		}
	case v.IsZero() && l.origin(at) == "default" && v.Kind() != reflect.Bool:
		// there is nothing to show
	default:
		l.add(setting{Path: shown, Value: shownValue(v), Origin: l.origin(at), Variable: name})
	}
}

// origin is where the value of a path comes from. What stands in the file as
// one text for several keys has its place there.
func (l lister) origin(at string) string {
	for p := at; p != ""; p = parentPath(p) {
		if place, ok := l.found.at[p]; ok && (p == at || l.found.plain[p]) {
			return l.found.origin(place)
		}
	}
	if l.found.shipped != nil {
		for p := at; p != ""; p = parentPath(p) {
			if place, ok := l.found.shipped.at[p]; ok && (p == at || l.found.shipped.plain[p]) {
				return l.found.shipped.origin(place)
			}
		}
	}
	return "default"
}

// shownValue writes a value in a line, as the file would have it.
func shownValue(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return s.String()
	}
	switch v.Kind() {
	case reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, shownValue(v.Index(i)))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case reflect.String:
		return shownText(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// shownText quotes a text where a reader could take it for something else, and
// masks the password of an address.
func shownText(s string) string {
	s = masked(s)
	if s == "" || strings.ContainsAny(s, "\"'[]{}\n") || strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.TrimSpace(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// masked is a text without the password that an address holds.
func masked(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "(cannot be read)" // whatever it is, it may hold a password
	}
	hidden := u.Query().Has("password")
	if hidden { // a DSN may carry it there
		q := u.Query()
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	if _, has := u.User.Password(); !has && !hidden {
		return s
	}
	return u.Redacted()
}

var configVerb = verb{name: "config", short: "Print the configuration in force, each value with where it comes from; passwords are masked.", args: "[site | limits.workers | outlets.nhandan …]",
	example: "diemtin config --config feeds.yaml site limits",
	prepare: func(fs *flag.FlagSet) func(context.Context, stdio, []string) error {
		how := serveFlags(fs)
		asJSON := fs.Bool("json", false, "print a JSON array; it names the variable that overrides each value")
		return func(_ context.Context, std stdio, args []string) error {
			cfg, err := loadConfig(how.config)
			if err != nil {
				return err
			}
			all := cfg.settings(args)
			if len(all) == 0 && len(args) > 0 {
				return errUsage{fmt.Errorf("%s: no setting begins so; diemtin config lists them", strings.Join(args, ", "))}
			}
			if len(args) == 0 {
				all = append(flagSettings(fs), all...)
			}
			if *asJSON {
				return writeJSON(std.out, all)
			}
			return writeSettings(std.out, all)
		}
	}}

// flagSettings are the flags of serve as they would be in force.
func flagSettings(fs *flag.FlagSet) []setting {
	var all []setting
	given, env := map[string]bool{}, settingsOf(os.Environ())
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	fs.VisitAll(func(f *flag.Flag) {
		name := flagVariable(f.Name)
		if name == "" {
			return
		}
		origin := "default"
		if given[f.Name] {
			origin = "command line"
			if value, from, err := env.value(name); err == nil && from != "" && value == f.Value.String() {
				origin = "$" + from
			}
		}
		all = append(all, setting{Path: "--" + f.Name, Value: shownText(f.Value.String()), Origin: origin, Variable: name})
	})
	return all
}

// maxShown is how much of a value is printed, in characters; JSON has it whole.
const maxShown = 120

func writeSettings(w io.Writer, all []setting) error {
	for _, s := range all {
		value := []rune(s.Value)
		if len(value) > maxShown {
			value = append(value[:maxShown], '…')
		}
		if _, err := fmt.Fprintf(w, "%-30s %-30s # %s\n", s.Path, string(value), s.Origin); err != nil {
			return err
		}
	}
	return nil
}
