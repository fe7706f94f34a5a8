package workspace

import (
	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/screen"
)

// Export is the dashboard as the text of a JSON file that ImportBoard reads.
func (w *Workspace) Export(id board.ID) ([]byte, error) {
	d, err := w.look(id)
	if err != nil {
		return nil, err
	}
	w.mu.RLock()
	v := d.screen.View()
	w.mu.RUnlock()
	return screen.Export(v) //nolint:wrapcheck // says what it was doing
}

// ImportBoard makes a dashboard from the text of a file that Export wrote. Faults name what is wrong as in
// "widgets[2].rows[7]".
func (w *Workspace) ImportBoard(text []byte) (board.ID, error) {
	v, err := screen.Import(text)
	if err != nil {
		return "", err //nolint:wrapcheck // a fault of the file
	}
	return w.make(v, false, "")
}

// RowsCSV is a widget's data as CSV; see screen.RowsCSV.
func (w *Workspace) RowsCSV(id board.ID, widget board.WidgetID) ([]byte, error) {
	d, err := w.look(id)
	if err != nil {
		return nil, err
	}
	w.mu.RLock()
	x, ok := d.screen.Widget(widget)
	w.mu.RUnlock()
	if !ok {
		return nil, fault.New(fault.NotFound, "This widget does not exist any more.")
	}
	return screen.RowsCSV(x) //nolint:wrapcheck // says what it was doing
}
