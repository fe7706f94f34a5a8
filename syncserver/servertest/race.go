//go:build race

package servertest

// rehearses says whether a test's server runs each closure twice. The race detector makes that too slow.
const rehearses = false
