package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// faults collects all that is wrong with one file, each with its place.
type faults struct {
	file    string
	all     []fault
	at      map[string]place // the place of every value, by path
	plain   map[string]bool  // paths of structs that were written as one text
	shipped *faults          // of the shipped file, if the topics are its; else nil
	from    string           // the variable that is being read, in place of the file
}

// place is where a value stands: in the file, or in a variable.
type place struct {
	line, column int
	from         string
}

type fault struct {
	place
	path, problem string
}

func (f *faults) add(p place, path, problem string) {
	f.all = append(f.all, fault{p, path, problem})
}

// report adds a fault found after decoding: its place is that of the path, or
// of the nearest value around it that the file has.
func (f *faults) report(path, problem string) {
	for p := path; ; p = parentPath(p) {
		if at, ok := f.at[p]; ok || p == "" {
			f.add(at, path, problem)
			return
		}
	}
}

// where is the place of a value as FILE:LINE, that of the nearest value around
// it if the file does not have it; "" if it has none of them.
func (f *faults) where(path string) string {
	for p := path; p != ""; p = parentPath(p) {
		if at, ok := f.at[p]; ok {
			return f.origin(at)
		}
	}
	return ""
}

// origin names a place as people look it up.
func (f *faults) origin(p place) string {
	if p.from != "" {
		return "$" + p.from
	}
	return fmt.Sprintf("%s:%d", f.file, p.line)
}

func parentPath(p string) string { return p[:max(strings.LastIndexAny(p, ".["), 0)] }

// err is nil without faults; its text has a line for each, in file order.
func (f *faults) err() error {
	if len(f.all) == 0 {
		return nil
	}
	slices.SortStableFunc(f.all, func(a, b fault) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	var lines []string
	for _, x := range f.all {
		at := f.file
		switch {
		case x.from != "":
			at = "$" + x.from
		case x.line > 0:
			at += fmt.Sprintf(":%d:%d", x.line, max(x.column, 1))
		}
		if x.path != "" {
			at += ": " + x.path
		}
		lines = append(lines, at+": "+x.problem)
	}
	return errors.New(strings.Join(lines, "\n"))
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// decodeStrict reads YAML into a struct with yaml tags. Unlike a plain decode
// it goes on after a fault, so that all of them are reported at once: unknown
// and repeated keys, values of the wrong kind.
func decodeStrict(file string, text []byte, into any) *faults {
	f := &faults{file: file, at: map[string]place{}, plain: map[string]bool{}}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		f.add(place{line: 1, column: 1}, "", "the file is empty")
		return f
	} else if err != nil {
		f.notYAML(text, err)
		return f
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		f.add(place{line: more.Line, column: more.Column}, "", "a second document begins; the file may have only one")
	} else if !errors.Is(err, io.EOF) {
		f.notYAML(text, err)
	}
	f.value(doc.Content[0], "", reflect.ValueOf(into).Elem())
	return f
}

// notYAML adds a fault of the file's form. The parser names the line of most,
// never the column; for the others the place is looked for here.
func (f *faults) notYAML(text []byte, err error) {
	p, problem := place{line: 1, column: 1}, strings.TrimPrefix(err.Error(), "yaml: ")
	at := -1
	switch m := yamlLine.FindStringSubmatch(err.Error()); {
	case m != nil:
		p.line, _ = strconv.Atoi(m[1])
		problem = m[2]
	case strings.Contains(problem, "unknown anchor"):
		if q := strings.Split(problem, "'"); len(q) > 1 {
			at = bytes.Index(text, []byte("*"+q[1]))
		}
	case !utf8.Valid(text):
		at = bytes.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError })
	default:
		at = bytes.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r) })
	}
	if at >= 0 {
		before := text[:at]
		p.line = 1 + bytes.Count(before, []byte("\n"))
		p.column = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	}
	f.add(p, "", "this is not YAML: "+problem)
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (f *faults) value(n *yaml.Node, path string, v reflect.Value) {
	p := place{n.Line, n.Column, f.from}
	f.at[path] = p
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.value(n, path, v.Elem())
	case n.Kind == yaml.ScalarNode && reflect.PointerTo(v.Type()).Implements(textUnmarshaler):
		f.plain[path] = true
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
			f.add(p, path, err.Error())
		}
	case v.Kind() == reflect.Struct:
		f.mapping(n, p, path, v)
	case v.Kind() == reflect.Slice:
		f.sequence(n, p, path, v)
	case n.Kind != yaml.ScalarNode:
		f.add(p, path, fmt.Sprintf("want %s, found %s", wanted(v), kindOf(n)))
	default:
		f.scalar(n, p, path, v)
	}
}

func (f *faults) mapping(n *yaml.Node, p place, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		f.add(p, path, fmt.Sprintf("want keys (%s), found %s", strings.Join(keysOf(v.Type()), ", "), kindOf(n)))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		at := place{key.Line, key.Column, f.from}
		sub := key.Value
		if path != "" {
			sub = path + "." + key.Value
		}
		if line, dup := first[key.Value]; dup {
			f.add(at, sub, fmt.Sprintf("key %q stands twice; the first is on line %d", key.Value, line))
			continue
		}
		first[key.Value] = key.Line
		field, ok := fieldOf(v, key.Value)
		if !ok {
			f.add(at, sub, fmt.Sprintf("unknown key %q; allowed are %s", key.Value, strings.Join(keysOf(v.Type()), ", ")))
			continue
		}
		f.value(val, sub, field)
	}
}

func (f *faults) sequence(n *yaml.Node, p place, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		f.add(p, path, fmt.Sprintf("want a list, found %s", kindOf(n)))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		f.value(c, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
	}
}

func (f *faults) scalar(n *yaml.Node, p place, path string, v reflect.Value) {
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		var b bool
		if err = n.Decode(&b); err == nil {
			v.SetBool(b)
		}
	case reflect.Int, reflect.Int64:
		var i int64
		if i, err = strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64); err == nil {
			v.SetInt(i)
		}
	case reflect.Float64:
		var x float64
		if x, err = strconv.ParseFloat(n.Value, 64); err == nil {
			v.SetFloat(x)
		}
	default:
		err = fmt.Errorf("type %s cannot be read", v.Type())
	}
	if err != nil {
		f.add(p, path, fmt.Sprintf("%q: want %s", n.Value, wanted(v)))
	}
}

func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return v.Type().String()
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return strconv.Quote(n.Value)
	}
	return "nothing"
}

// keysOf lists a struct's keys in the order of its fields.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key && key != "" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}
