package aggregator

import (
	"fmt"
	"strings"
	"time"

	"diemtin/store"
)

// AgreementConfig is an outlet's consent to be given out here.
type AgreementConfig struct {
	Ref   string    `yaml:"ref"`   // where it is on file: a number, an address
	Until store.Day `yaml:"until"` // the last day on which it holds; "" = until it is ended
}

func (a AgreementConfig) check(report func(path, problem string)) {
	if a.Until != "" && (a.Until.Start().IsZero() || string(a.Until) != a.Until.Start().Format(time.DateOnly)) {
		report(".until", fmt.Sprintf("until %q: want a day such as 2027-12-31", a.Until))
	}
	if a.Until != "" && strings.TrimSpace(a.Ref) == "" {
		report(".ref", "the agreement has an end and no ref; say where it is on file")
	}
}

// Lacks says why no agreement covers a day, "" if one does.
func (a AgreementConfig) Lacks(day store.Day) string {
	switch {
	case strings.TrimSpace(a.Ref) == "":
		return "no agreement"
	case a.Until != "" && day > a.Until:
		return fmt.Sprintf("the agreement %s ended on %s", a.Ref, a.Until)
	}
	return ""
}
