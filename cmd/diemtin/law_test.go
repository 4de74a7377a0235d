package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// law says what each package of ours may import of ours. News flows one way,
// aggregator → store → syndicate; the two wings never touch. A new package
// fails here until it is entered.
var law = map[string][]string{
	"diemtin":                       {},
	"diemtin/store":                 {},
	"diemtin/aggregator/vi":         {},
	"diemtin/aggregator":            {"diemtin/store", "diemtin/aggregator/vi"},
	"diemtin/aggregator/outlettest": {},
	"diemtin/syndicate":             {"diemtin/store", "diemtin/aggregator/vi"},
	"diemtin/syndicate/hub":         {"diemtin/store"},
	"diemtin/deploy/samples/go":     {},
	"diemtin/evaluation/bench":      {},
	"diemtin/evaluation/load":       {"diemtin/store", "diemtin/aggregator"},
	"diemtin/evaluation/stories":    {"diemtin/store", "diemtin/aggregator"},
	"diemtin/cmd/diemtin":           {"diemtin", "diemtin/store", "diemtin/aggregator", "diemtin/aggregator/vi", "diemtin/aggregator/outlettest", "diemtin/syndicate", "diemtin/syndicate/hub"},
}

func TestImportLaw(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "diemtin/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := map[string]bool{}
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen[p.ImportPath] = true
		allowed, known := law[p.ImportPath]
		if !known {
			t.Errorf("package %s is not in the law; enter it with what it may import", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			ours := imp == "diemtin" || strings.HasPrefix(imp, "diemtin/")
			if ours && !slices.Contains(allowed, imp) {
				t.Errorf("%s imports %s; allowed are %v", p.ImportPath, imp, allowed)
			}
		}
	}
	for p := range law {
		if !seen[p] {
			t.Errorf("the law names %s, which does not exist", p)
		}
	}
}
