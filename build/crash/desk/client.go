package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

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
	settled(answer)
	return true
}

// change thinks of a change and writes it down as in doubt; settled takes the answer.
func (c *client) change() (path string, body []byte, settled func(answer []byte)) {
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
	d := new(doubt)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n < 5 && c.added < mostWidgets:
		c.added++
		m := &made{board: id, title: text}
		c.ledger.widgets = append(c.ledger.widgets, m)
		list, d = []screen.Edit{newWidget(text)}, &m.doubt
	case n < 35:
		f, a := field{id, w, "of-" + c.name}, &attempt{value: string(raw(text))}
		c.ledger.fields[f] = append(c.ledger.fields[f], a)
		list, d = []screen.Edit{{Do: screen.DoOption, Widget: w, Name: f.name, Value: raw(text)}}, &a.doubt
	case n < 45:
		list = []screen.Edit{{Do: screen.DoBoard, Field: board.FieldDescription, Value: raw(text)}}
	case n < 50:
		list = []screen.Edit{{Do: screen.DoLayout, Widget: w, Value: raw(board.Layout{X: c.random.IntN(6), Y: c.random.IntN(40), W: 6, H: 4})}}
	default:
		b := &batch{board: id, widgets: ids[:1+c.random.IntN(len(ids))], row: string(raw([]string{text}))}
		for _, w := range b.widgets {
			list = append(list, screen.Edit{Do: screen.DoAppend, Widget: w, Rows: []json.RawMessage{json.RawMessage(b.row)}})
		}
		c.ledger.batches = append(c.ledger.batches, b)
		d = &b.doubt
	}
	return "api/boards/" + string(id) + "/edits", raw(batchOf(list...)), func([]byte) { *d = told }
}

func (c *client) makeBoard(title string) (path string, body []byte, settled func([]byte)) {
	m := &made{title: title}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.boards = append(c.ledger.boards, m)
	return "api/boards", raw(map[string]string{"title": title}), func(answer []byte) {
		var in struct{ ID board.ID }
		if err := json.Unmarshal(answer, &in); err != nil {
			c.troubles = append(c.troubles, fmt.Errorf("read the answer: %w", err))
			return
		}
		m.doubt, m.board = told, in.ID
	}
}

// raw encodes what can always be encoded.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
