// Package content reads and changes what is on a dashboard, for those who hold a Grant.
//
// It is the one way from a Grant to a replica.Hub. Whoever may only view gets the published projection and nothing else
// (rule A6). Start reading at Load.
package content

import (
	"encoding/json"
	"fmt"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/syncserver/internal/access"
	"widgets.pro/syncserver/internal/store"
)

// Version tells two states of a dashboard's content apart: Seq grows with each change; another Epoch means that the
// server's data were restored or rebuilt, and that numbers cannot be compared.
type Version struct {
	Epoch uint64
	Seq   uint64
}

// Load draws the picture of a dashboard as it is in tx; for whoever may not edit it, what of it is published. tx must be
// the transaction in which g was made.
func Load(tx store.Tx, g access.Grant) (board.View, Version, error) {
	return draw(tx, g, (*replica.Hub).State)
}

// Outline is Load without the widgets' rows, which costs far less.
func Outline(tx store.Tx, g access.Grant) (board.View, Version, error) {
	return draw(tx, g, (*replica.Hub).Outline)
}

func draw(tx store.Tx, g access.Grant, read func(*replica.Hub) (*replica.State, error)) (board.View, Version, error) {
	hub, err := Open(tx, g)
	if err != nil {
		return board.View{}, Version{}, err
	}
	state, err := read(hub)
	if err != nil {
		return board.View{}, Version{}, fmt.Errorf("read dashboard %s: %w", g.Board(), err)
	}
	v := board.NewView(g.Board(), state)
	if !g.May(access.Edit) {
		v = board.Publish(v)
	}
	epoch, seq := hub.Head()
	return v, Version{Epoch: epoch, Seq: seq}, nil
}

// Title is the dashboard's title alone, which costs far less than Load.
func Title(tx store.Tx, g access.Grant) (title string, err error) {
	hub, err := Open(tx, g)
	if err != nil {
		return "", err
	}
	raw, ok, err := hub.Register(board.BoardEntity, board.FieldTitle)
	if err != nil {
		return "", fmt.Errorf("read title of %s: %w", g.Board(), err)
	}
	if ok {
		_ = json.Unmarshal(raw, &title) // nonsense reads as no title, as everywhere
	}
	return title, nil
}

// Head is the version that Load would tell.
func Head(tx store.Tx, g access.Grant) (Version, error) {
	hub, err := Open(tx, g)
	if err != nil {
		return Version{}, err
	}
	epoch, seq := hub.Head()
	return Version{Epoch: epoch, Seq: seq}, nil
}

// Open opens the dashboard's replica for whoever may see it.
func Open(tx store.Tx, g access.Grant) (*replica.Hub, error) {
	if !g.May(access.View) {
		return nil, fault.New(fault.Denied, "You may not see this dashboard.")
	}
	hub, err := replica.OpenHub(tx.Replica(g.Board()))
	if err != nil {
		return nil, fmt.Errorf("open replica of %s: %w", g.Board(), err)
	}
	return hub, nil
}
