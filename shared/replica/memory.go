package replica

import (
	"bytes"
	"maps"
	"slices"
)

// Memory is a transaction without a disk: an ordered map, for tests and simulations. The zero Memory is empty and ready.
// It is not safe for concurrent use.
type Memory struct {
	values map[string][]byte
	keys   []string // sorted
}

// Get implements Tx.
func (m *Memory) Get(key []byte) []byte { return m.values[string(key)] }

// Put implements Tx.
func (m *Memory) Put(key, value []byte) error {
	k := string(key)
	if _, ok := m.values[k]; !ok {
		if m.values == nil {
			m.values = map[string][]byte{}
		}
		i, _ := slices.BinarySearch(m.keys, k)
		m.keys = slices.Insert(m.keys, i, k)
	}
	m.values[k] = value
	return nil
}

// Delete implements Tx.
func (m *Memory) Delete(key []byte) error {
	k := string(key)
	if i, ok := slices.BinarySearch(m.keys, k); ok {
		m.keys = slices.Delete(m.keys, i, i+1)
		delete(m.values, k)
	}
	return nil
}

// Scan implements Tx.
func (m *Memory) Scan(from, to []byte, fn func(key, value []byte) bool) error {
	i, _ := slices.BinarySearch(m.keys, string(from))
	for ; i < len(m.keys); i++ {
		k := []byte(m.keys[i])
		if to != nil && bytes.Compare(k, to) >= 0 || !fn(k, m.values[m.keys[i]]) {
			break
		}
	}
	return nil
}

// Clone returns a copy; values are shared, since they are never changed in place.
func (m *Memory) Clone() *Memory {
	return &Memory{values: maps.Clone(m.values), keys: slices.Clone(m.keys)}
}
