// Package release tells which version of the product a program is. Both programs show it and the protocol's hello
// carries it.
package release

// version is set by the linker; a build without the Makefile is a development build.
var version = "dev"

// Version is the released version, or "dev".
func Version() string { return version }
