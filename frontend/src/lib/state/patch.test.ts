import { expect, test } from "vitest";
import { shopWidgets, view } from "../../test/samples";
import type { BoardPatch, BoardView, WidgetView } from "../backend/types";
import { applyPatch, isPatch, withEdits } from "./patch";

const board = view("A", "Board", { widgets: shopWidgets().slice(0, 3), version: 4 });

function patch(to: Partial<BoardPatch>): BoardPatch {
  const { widgets, ...head } = board;
  return { ...head, version: 5, order: widgets.map((w) => w.id), changed: [], ...to };
}

function at(v: BoardView | null, i: number): WidgetView {
  const widget = v?.widgets[i];
  if (!widget) throw new Error(`no widget ${String(i)}`);
  return widget;
}

function bare(w: WidgetView): Omit<WidgetView, "rows"> {
  const { id, kind, title, layout, options, columns, rev, dataRev } = w;
  return { id, kind, title, layout, options, columns, rev, dataRev };
}

test("a patch is told from a view", () => {
  expect(isPatch(patch({}))).toBe(true);
  expect(isPatch(board)).toBe(false);
});

test("widgets that did not change stay the same objects", () => {
  const second = at(board, 1);
  const next = applyPatch(board, patch({ title: "New", changed: [{ ...bare(second), title: "Changed", rev: 2 }] }));
  expect(next?.title).toBe("New");
  expect(next?.version).toBe(5);
  expect(at(next, 0)).toBe(at(board, 0));
  expect(at(next, 1).title).toBe("Changed");
  expect(at(next, 1).rows).toBe(second.rows);
});

test("rows come whole, as an addition, or not at all", () => {
  const first = at(board, 0);
  const whole = applyPatch(board, patch({ changed: [{ ...bare(first), dataRev: 2, rows: [[1, 2]] }] }));
  expect(at(whole, 0).rows).toEqual([[1, 2]]);
  const added = applyPatch(board, patch({ changed: [{ ...bare(first), dataRev: 2, append: [[1, 2]] }] }));
  expect(at(added, 0).rows).toEqual([...first.rows, [1, 2]]);
  const emptied = applyPatch(board, patch({ changed: [{ ...bare(first), dataRev: 2, rows: [] }] }));
  expect(at(emptied, 0).rows).toEqual([]);
});

test("the order removes and adds widgets", () => {
  const [a, b] = [at(board, 0), at(board, 1)];
  const fresh = { ...bare(a), id: "wgt_X" as typeof a.id };
  const next = applyPatch(board, patch({ order: [b.id, fresh.id], changed: [fresh] }));
  expect(next?.widgets.map((w) => w.id)).toEqual([b.id, fresh.id]);
  expect(at(next, 1).rows).toEqual([]);
});

test("a patch that does not fit is refused, and the whole view asked for", () => {
  expect(applyPatch(board, patch({ order: ["wgt_GONE" as never] }))).toBeNull();
  expect(applyPatch(board, patch({ changed: [{ ...bare(at(board, 0)), dataRev: 2 }] }))).toBeNull();
});

test("edits show before they are on disk", () => {
  const id = at(board, 0).id;
  const next = withEdits(board, [
    { do: "board", field: "title", value: "T" },
    { do: "title", widget: id, value: "W" },
    { do: "layout", widget: id, value: { x: 1, y: 2, w: 3, h: 4 } },
    { do: "option", widget: id, name: "unit", value: "%" },
    { do: "kind", widget: id, value: "table" },
    { do: "rows", widget: id, columns: [{ name: "a", type: "text" }], rows: [["x"]] },
    { do: "append", widget: id, rows: [["y"]] },
    { do: "remove", widget: at(board, 1).id },
  ]);
  expect(next.title).toBe("T");
  expect(next.widgets).toHaveLength(2);
  expect(at(next, 0)).toMatchObject({
    title: "W",
    layout: { x: 1, y: 2, w: 3, h: 4 },
    kind: "table",
    rows: [["x"], ["y"]],
  });
  expect(at(next, 0).options.unit).toBe("%");
  expect(at(next, 1)).toBe(at(board, 2));
});
