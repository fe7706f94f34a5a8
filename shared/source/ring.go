package source

// place is where a record begins.
type place struct{ start, line int }

// ring remembers the places of the last MaxRows+1 records (one more, in case the first is the header).
type ring struct {
	places []place
	head   int // index of the oldest, once the ring is full
}

func (r *ring) add(p place) {
	if len(r.places) < MaxRows+1 {
		r.places = append(r.places, p)
		return
	}
	r.places[r.head] = p
	r.head = (r.head + 1) % len(r.places)
}

// dropFirst forgets the text's first record, if the ring still holds it among total records.
func (r *ring) dropFirst(total int) {
	if total == len(r.places) {
		r.places, r.head = r.places[1:], 0
	}
}

// all returns the places from the oldest to the newest.
func (r *ring) all() []place {
	return append(append(make([]place, 0, len(r.places)), r.places[r.head:]...), r.places[:r.head]...)
}

// sample reads a few records from the end of the ring, none of them the text's first.
func (r *ring) sample(text string, delimiter byte) [][]string {
	places := r.all()
	places = places[max(1, len(places)-headerSample):]
	rows := make([][]string, 0, len(places))
	s := newScanner(text, delimiter)
	var rec record
	for _, p := range places {
		s.pos, s.line = p.start, p.line
		if ok, f := s.next(&rec); !ok || f != nil {
			break
		}
		rows = append(rows, append([]string(nil), rec.cells...))
	}
	return rows
}

// fill takes the last MaxRows records apart into g.
func (r *ring) fill(g *grid, text string, delimiter byte, n *notes) {
	places := r.all()
	places = places[max(0, len(places)-MaxRows):]
	g.ends = make([]int, 0, len(places))
	g.lines = make([]int, 0, len(places))
	s := newScanner(text, delimiter)
	var rec record
	for _, p := range places {
		s.pos, s.line = p.start, p.line
		if ok, f := s.next(&rec); !ok || f != nil {
			break // cannot be: the same text was read before
		}
		for _, c := range rec.cells {
			g.cells = append(g.cells, cell{text: c})
		}
		g.ends = append(g.ends, len(g.cells))
		g.lines = append(g.lines, rec.line)
	}
	g.settleWidth(n)
}
