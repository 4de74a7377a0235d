// Package vi knows written Vietnamese: its Unicode forms, tone placement,
// syllables, legacy encodings, dates and provinces.
//
// It is a leaf: it imports nothing of ours, keeps no state, and every function
// is pure. Text that comes from outside passes [NFC] first; all other
// functions accept any string and never panic.
package vi
