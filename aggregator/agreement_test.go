package aggregator

import (
	"testing"

	"diemtin/store"
)

func TestAgreementLacks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		a    AgreementConfig
		want string
	}{
		{"none", AgreementConfig{}, "no agreement"},
		{"blank", AgreementConfig{Ref: " "}, "no agreement"},
		{"without an end", AgreementConfig{Ref: "12/VB"}, ""},
		{"on its last day", AgreementConfig{Ref: "12/VB", Until: "2026-11-24"}, ""},
		{"a day later", AgreementConfig{Ref: "12/VB", Until: "2026-11-23"}, "the agreement 12/VB ended on 2026-11-23"},
	} {
		if got := tt.a.Lacks("2026-11-24"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAgreementCheck(t *testing.T) {
	t.Parallel()
	for until, want := range map[string]string{"": "", "2027-12-31": "", "31/12/2027": ".until", "2027-02-30": ".until", "2027-1-1": ".until"} {
		got := ""
		AgreementConfig{Ref: "x", Until: store.Day(until)}.check(func(path, _ string) { got = path })
		if got != want {
			t.Errorf("until %q: fault at %q, want %q", until, got, want)
		}
	}
	got := ""
	AgreementConfig{Until: "2027-12-31"}.check(func(path, _ string) { got = path })
	if got != ".ref" {
		t.Errorf("an end without a ref: fault at %q", got)
	}
}
