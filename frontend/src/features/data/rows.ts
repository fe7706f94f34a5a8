import type { BoardView, Column, Edit, Row, WidgetId } from "../../lib/backend/types";

/**
 * The smallest edits that turn a widget's rows into the given ones: an addition when rows were only added at the end (it
 * costs those rows alone on disk and on the wire), nothing when nothing changed, and otherwise a replacement.
 */
export function smallest(
  view: BoardView,
  id: WidgetId,
  next: { columns: readonly Column[]; rows: readonly Row[] },
): readonly Edit[] {
  const old = view.widgets.find((w) => w.id === id);
  if (!old) return [];
  const sameColumns =
    old.columns.length === next.columns.length &&
    old.columns.every((c, i) => c.name === next.columns[i]?.name && c.type === next.columns[i].type);
  const kept = old.rows.length <= next.rows.length && old.rows.every((row, i) => row === next.rows[i]);
  if (!sameColumns || !kept || old.rows.length === 0) return [{ do: "rows", widget: id, ...next }];
  const added = next.rows.slice(old.rows.length);
  return added.length > 0 ? [{ do: "append", widget: id, rows: added }] : [];
}
