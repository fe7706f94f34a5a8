package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

	"widgets.pro/build/crash/ledger"
	"widgets.pro/build/crash/victim"
	"widgets.pro/shared/board"
	"widgets.pro/shared/screen"
)

// How much of everything there is, so that no limit of a dashboard is reached.
const (
	widgets     = 3  // on a dashboard from the first
	mostWidgets = 20 // that a client adds
	mostBoards  = 4  // that a client makes
)

// client is one screen that edits as fast as the program answers. What it asks for is written down before it asks.
type client struct {
	*storm
	name          string
	random        *rand.Rand
	tries         int
	added, boards int
}

type edits struct {
	Edits []screen.Edit `json:"edits"`
	Label string        `json:"label"`
}

func batchOf(list ...screen.Edit) edits { return edits{Edits: list, Label: "Edit"} }

func newWidget(title string) screen.Edit {
	return screen.Edit{Do: screen.DoAdd, Kind: board.KindTable, Title: title, Columns: []board.Column{{Name: "text", Type: board.TypeText}}}
}

// run edits until ctx ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.flow.RLock()
		door, reborn := c.door, c.reborn
		answered := c.once(ctx, door)
		c.flow.RUnlock()
		if answered {
			continue
		}
		select {
		case <-ctx.Done():
		case <-reborn:
		}
	}
}

// once makes one change, and reports whether it was answered.
func (c *client) once(ctx context.Context, door victim.Door) bool {
	path, body, settled := c.change()
	status, answer, err := door.Ask(context.WithoutCancel(ctx), http.MethodPost, path, body)
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered++
	close(c.changed)
	c.changed = make(chan struct{})
	if status != http.StatusOK {
		c.troubles = append(c.troubles, fmt.Errorf("%w %s with %d: %.300s", errAnswer, path, status, answer))
		return false
	}
	settled()
	return true
}

// change thinks of a change and writes it down as in doubt; settled is for when it was answered.
func (c *client) change() (path string, body []byte, settled func()) {
	c.tries++
	text := fmt.Sprintf("%s edit %d", c.name, c.tries)
	n := c.random.IntN(100)
	if n == 0 && c.boards < mostBoards {
		c.boards++
		return c.makeBoard(text)
	}
	base := c.bases[c.random.IntN(len(c.bases))]
	id, ids := base.id, base.widgets
	w := ids[c.random.IntN(len(ids))]
	var list []screen.Edit
	claim := new(ledger.Claim) // of what everybody writes, nothing is known
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n < 5 && c.added < mostWidgets:
		c.added++
		list, claim = []screen.Edit{newWidget(text)}, c.ledger.Widget(id, text)
	case n < 35:
		name := "of-" + c.name
		list, claim = []screen.Edit{{Do: screen.DoOption, Widget: w, Name: name, Value: raw(text)}}, c.ledger.Field(id, w, name, raw(text))
	case n < 45:
		list = []screen.Edit{{Do: screen.DoBoard, Field: board.FieldDescription, Value: raw(text)}}
	case n < 50:
		list = []screen.Edit{{Do: screen.DoLayout, Widget: w, Value: raw(board.Layout{X: c.random.IntN(6), Y: c.random.IntN(40), W: 6, H: 4})}}
	default:
		row, some := raw([]string{text}), ids[:1+c.random.IntN(len(ids))]
		for _, w := range some {
			list = append(list, screen.Edit{Do: screen.DoAppend, Widget: w, Rows: []json.RawMessage{row}})
		}
		claim = c.ledger.Batch(id, some, row)
	}
	return "api/boards/" + string(id) + "/edits", raw(batchOf(list...)), claim.Told
}

func (c *client) makeBoard(title string) (path string, body []byte, settled func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return "api/boards", raw(map[string]string{"title": title}), c.ledger.Board(title).Told
}

// raw encodes what can always be encoded.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
