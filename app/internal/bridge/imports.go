package bridge

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"slices"
	"sync"

	"widgets.pro/shared/source"
	"widgets.pro/shared/fault"
)

// Limits of texts that wait to be imported. Beyond them the oldest is forgotten.
const (
	maxImports     = 4
	maxImportBytes = 2 * source.MaxFile
	maxReads       = 2 // texts read at the same time; more wait
)

// imports keeps the texts whose import dialog is open.
type imports struct {
	random io.Reader
	mu     sync.Mutex
	list   []*pending // oldest first
	slots  chan struct{}
}

// pending is one text with the options by which it was last read. It is replaced, never changed.
type pending struct {
	id      string
	name    string
	data    []byte
	options source.Options
}

func (i *imports) put(name string, data []byte, opt source.Options) (string, error) {
	var raw [10]byte
	if _, err := io.ReadFull(i.random, raw[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	p := &pending{id: "imp_" + base32.StdEncoding.EncodeToString(raw[:]), name: name, data: data, options: opt}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = append(i.list, p)
	sum := 0
	for _, q := range i.list {
		sum += len(q.data)
	}
	for len(i.list) > maxImports || sum > maxImportBytes {
		sum -= len(i.list[0].data)
		i.list = slices.Delete(i.list, 0, 1)
	}
	return p.id, nil
}

func (i *imports) get(id string) (*pending, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range i.list {
		if p.id == id {
			return p, nil
		}
	}
	return nil, fault.New(fault.NotFound, "This file was put away meanwhile.").WithHint("Choose it again.")
}

// set remembers other options for a text.
func (i *imports) set(p *pending, opt source.Options) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if k := slices.Index(i.list, p); k >= 0 {
		i.list[k] = &pending{id: p.id, name: p.name, data: p.data, options: opt}
	}
}

func (i *imports) drop(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = slices.DeleteFunc(i.list, func(p *pending) bool { return p.id == id })
}

// read reads a text, when one of the few slots for that is free: reading takes a processor for a moment.
func (i *imports) read(ctx context.Context, name string, data []byte, opt source.Options) (*source.Table, error) {
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return source.Read(name, data, opt)
}
