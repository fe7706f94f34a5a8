// Package localstore is the desktop program's data file.
package localstore

// Store is an open data file.
type Store struct{}
