// Package outlettest provides simulated news outlets that answer real HTTP on
// the loopback interface, in the manner of net/http/httptest: polite ones and
// hostile ones. The demo, the end-to-end tests and the benchmarks run against
// it, without any network.
//
// A [World] is fourteen outlets: national ones that write originals,
// provincial ones that republish them within minutes or hours ("Theo: …"), a
// portal without any feed, one that always fails, one that is slow. Among
// them they serve RSS 2.0, RSS 1.0, Atom and JSON Feed, UTF-8, UTF-16,
// windows-1258 and decomposed text, eight ways to write a date, right and
// wrong validators. Stories are written by a [Writer] from word lists of our
// own: nothing in them is true. [World.Truth] tells which links carry the
// same story and which of them is the original, so that a test can compute
// what a reader should see.
//
// An [Origin] is smaller: one scripted server for the tests of a fetcher.
//
// Both are deterministic for a seed and a clock, ports apart. The package
// imports nothing of ours: what it serves is not made with the code that
// reads it.
package outlettest
