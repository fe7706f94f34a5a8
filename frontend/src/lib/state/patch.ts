import type { BoardPatch, BoardView, Edit, WidgetId, WidgetView } from "../backend/types";

/** Whether the answer to boardSince is a patch rather than a whole view. */
export function isPatch(answer: BoardPatch | BoardView): answer is BoardPatch {
  return "order" in answer;
}

/**
 * The view after a patch. Widgets that did not change keep their identity, so that nothing else is drawn again. Returns
 * null when the patch does not fit the view (a widget is missing, or new rows were announced and not sent); the caller
 * then asks for the whole view.
 */
export function applyPatch(view: BoardView, patch: BoardPatch): BoardView | null {
  const { order, changed, ...rest } = patch;
  const known = new Map<WidgetId, WidgetView>(view.widgets.map((w) => [w.id, w]));
  for (const change of changed) {
    const { rows, append, ...widget } = change;
    const old = known.get(widget.id);
    if (rows !== undefined) {
      known.set(widget.id, { ...widget, rows });
    } else if (append !== undefined) {
      known.set(widget.id, { ...widget, rows: [...(old?.rows ?? []), ...append] });
    } else if (old === undefined) {
      known.set(widget.id, { ...widget, rows: [] });
    } else if (old.dataRev === widget.dataRev) {
      known.set(widget.id, { ...widget, rows: old.rows });
    } else {
      return null;
    }
  }
  const widgets: WidgetView[] = [];
  for (const id of order) {
    const widget = known.get(id);
    if (!widget) return null;
    widgets.push(widget);
  }
  return { ...rest, widgets };
}

/**
 * The view as it will be once the edits are on disk, so that a drop or a keystroke shows at once. Added and duplicated
 * widgets appear with their ids when the program answers, not here.
 */
export function withEdits(view: BoardView, edits: readonly Edit[]): BoardView {
  let next = view;
  for (const edit of edits) next = withEdit(next, edit);
  return next;
}

function withEdit(view: BoardView, edit: Edit): BoardView {
  switch (edit.do) {
    case "board":
      return { ...view, [edit.field]: edit.value };
    case "add":
    case "duplicate":
      return view;
    case "remove":
      return { ...view, widgets: view.widgets.filter((w) => w.id !== edit.widget) };
    case "title":
      return change(view, edit.widget, (w) => ({ ...w, title: edit.value }));
    case "layout":
      return change(view, edit.widget, (w) => ({ ...w, layout: edit.value }));
    case "kind":
      return change(view, edit.widget, (w) => ({ ...w, kind: edit.value }));
    case "option":
      return change(view, edit.widget, (w) => ({ ...w, options: { ...w.options, [edit.name]: edit.value } }));
    case "rows":
      return change(view, edit.widget, (w) => ({ ...w, columns: edit.columns, rows: edit.rows }));
    case "append":
      return change(view, edit.widget, (w) => ({ ...w, rows: [...w.rows, ...edit.rows] }));
  }
}

function change(view: BoardView, id: WidgetId, to: (w: WidgetView) => WidgetView): BoardView {
  return { ...view, widgets: view.widgets.map((w) => (w.id === id ? to(w) : w)) };
}
