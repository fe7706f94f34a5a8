package source

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"slices"
	"sync"

	"widgets.pro/shared/fault"
)

// Limits of texts that wait to be imported. Beyond them the oldest is forgotten.
const (
	maxImports     = 4
	maxImportBytes = 2 * MaxFile
)

// Shelf keeps the texts whose import dialog is open. It is safe for concurrent use.
type Shelf struct {
	random io.Reader
	reads  *Reads
	mu     sync.Mutex
	list   []*pending // oldest first
}

// NewShelf returns an empty Shelf whose texts are read within reads. Random is a cryptographically secure source.
func NewShelf(random io.Reader, reads *Reads) *Shelf { return &Shelf{random: random, reads: reads} }

// Reads bounds how many texts are read at the same time, over any number of shelves: reading takes a processor for a
// moment. More wait.
type Reads struct{ slots chan struct{} }

// NewReads lets n texts be read at the same time.
func NewReads(n int) *Reads { return &Reads{slots: make(chan struct{}, n)} }

// pending is one text with the options by which it was last read. It is replaced, never changed.
type pending struct {
	id      string
	name    string
	data    []byte
	options Options
}

// Put reads a text and keeps it for Again and Take. What comes back describes it.
func (s *Shelf) Put(ctx context.Context, name string, data []byte, opt Options) (Preview, error) {
	table, err := s.read(ctx, name, data, opt)
	if err != nil {
		return Preview{}, err
	}
	id, err := s.put(name, data, opt)
	if err != nil {
		return Preview{}, err
	}
	return table.Preview(id, name), nil
}

// Again reads a kept text anew, under other options.
func (s *Shelf) Again(ctx context.Context, id string, opt Options) (Preview, error) {
	p, err := s.get(id)
	if err != nil {
		return Preview{}, err
	}
	table, err := s.read(ctx, p.name, p.data, opt)
	if err != nil {
		return Preview{}, err
	}
	s.set(p, opt)
	return table.Preview(p.id, p.name), nil
}

// Take is what there is in a kept text, which stays until Drop.
func (s *Shelf) Take(ctx context.Context, id string) (*Table, error) {
	p, err := s.get(id)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, p.name, p.data, p.options)
}

// Bytes is how much text the shelf holds.
func (s *Shelf) Bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.list {
		n += len(p.data)
	}
	return n
}

func (s *Shelf) put(name string, data []byte, opt Options) (string, error) {
	var raw [10]byte
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	p := &pending{id: "imp_" + base32.StdEncoding.EncodeToString(raw[:]), name: name, data: data, options: opt}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, p)
	sum := 0
	for _, q := range s.list {
		sum += len(q.data)
	}
	for len(s.list) > maxImports || sum > maxImportBytes {
		sum -= len(s.list[0].data)
		s.list = slices.Delete(s.list, 0, 1)
	}
	return p.id, nil
}

func (s *Shelf) get(id string) (*pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.list {
		if p.id == id {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "This file was put away meanwhile.").WithHint("Choose it again.")
}

// set remembers other options for a text.
func (s *Shelf) set(p *pending, opt Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := slices.Index(s.list, p); k >= 0 {
		s.list[k] = &pending{id: p.id, name: p.name, data: p.data, options: opt}
	}
}

// Drop forgets a text.
func (s *Shelf) Drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(p *pending) bool { return p.id == id })
}

// read reads a text when one of the few slots for that is free.
func (s *Shelf) read(ctx context.Context, name string, data []byte, opt Options) (*Table, error) {
	select {
	case s.reads.slots <- struct{}{}:
		defer func() { <-s.reads.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return Read(name, data, opt)
}
