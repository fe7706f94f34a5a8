//go:build !race

package servertest

// rehearses says whether a test's server runs each closure twice.
const rehearses = true
