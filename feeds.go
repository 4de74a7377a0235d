// Package diemtin holds the shipped feeds.yaml: the outlets, topics and
// channels that a service starts with.
package diemtin

import _ "embed"

// FeedsYAML is the text of the shipped feeds.yaml. Nobody may change it.
//
//go:embed feeds.yaml
var FeedsYAML []byte
