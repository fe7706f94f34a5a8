import { describe, expect, test } from "vitest";
import type { HistoryChange, HistoryItem, WidgetId } from "../../lib/backend/types";
import { byDay, folded, kindsOf, lostField, mark, sentences, whose, type Telling } from "./words";

const costs = "wgt_1" as WidgetId;
const note = "wgt_2" as WidgetId;
const telling: Telling = {
  it: null,
  kindOf: kindsOf([
    { id: costs, kind: "stat" },
    { id: note, kind: "markdown" },
  ]),
};

function item(what: HistoryItem["what"], to: Partial<HistoryItem> = {}): HistoryItem {
  return { what, widget: costs, title: "Costs", field: "", rows: 0, ...to };
}
function set(field: string, value: unknown, to: Partial<HistoryItem> = {}): HistoryItem {
  return item("set", { field, value, ...to });
}
const head = { widget: "", title: "" } as const;

function change(to: Partial<HistoryChange> = {}): HistoryChange {
  return { position: "1", at: 0, by: "Ann", mine: false, waiting: false, lost: false, items: [], ...to };
}

describe("Q3 what was changed is told in words", () => {
  test.each<[HistoryItem, string]>([
    [set("title", "Costs"), "Called a widget “Costs”"],
    [set("title", "Old costs"), "Gave “Costs” the title “Old costs”"],
    [set("title", ""), "Took the title off “Costs”"],
    [set("title", "Sales", head), "Called the dashboard “Sales”"],
    [set("title", " ", head), "Took the title off the dashboard"],
    [set("description", "Every\nweek", head), "Described the dashboard as “Every week”"],
    [set("description", "", head), "Removed the description"],
    [set("theme", "dark", head), "Made the shared page dark"],
    [set("theme", "system", head), "Let the shared page follow the viewer’s system"],
    [set("colour", "red", head), "Changed the dashboard"],
    [set("layout", { x: 0, y: 0, w: 1, h: 1 }), "Moved “Costs”"],
    [set("kind", "line"), "Made “Costs” a line chart"],
    [set("kind", "radar"), "Made “Costs” a new kind of widget"],
    [set("opt.unit", "kg"), "Set “After the number” of “Costs” to “kg”"],
    [set("opt.unit", ""), "Set “After the number” of “Costs” to nothing"],
    [set("opt.unit", null), "Set “After the number” of “Costs” to automatic"],
    [set("opt.decimals", 2), "Set “Decimals” of “Costs” to 2"],
    [set("opt.aggregate", "mean"), "Set “Show” of “Costs” to “Average”"],
    [set("opt.trend", false), "Turned “Trend line” off for “Costs”"],
    [set("opt.y", ["a", "b"]), "Set “Lines” of “Costs” to “a” and “b”"],
    [set("opt.y", ["a", "b", "c", "d"]), "Set “Lines” of “Costs” to 4 columns"],
    [set("opt.glow", 1), "Changed the settings of “Costs”"],
    [set("opt.text", "# Hello", { widget: note, title: "" }), "Changed the text of “Text”"],
    [item("added"), "Added “Costs”"],
    [item("added", { rows: 12 }), "Added “Costs”, with 12 rows"],
    [item("removed"), "Removed “Costs”"],
    [item("removed", { widget: "wgt_9" as WidgetId, title: "" }), "Removed a widget"],
    [item("back"), "Brought back “Costs”"],
    [item("trashed", head), "Moved the dashboard to the trash"],
    [item("untrashed", head), "Took the dashboard out of the trash"],
    [item("appended", { rows: 1 }), "Added 1 row to “Costs”"],
    [item("replaced", { rows: 2000 }), "Replaced the data of “Costs” (2,000 rows)"],
    [item("replaced"), "Emptied the data of “Costs”"],
    [item("trimmed"), "Removed the oldest rows of “Costs”"],
    [item("buried"), "Removed “Costs” for good"],
  ])("%j", (it, words) => {
    expect(sentences([it], telling)).toEqual([words]);
  });

  test("of one widget alone it is “it”", () => {
    const of = { ...telling, it: costs };
    expect(
      sentences(
        [
          set("title", "Costs"),
          set("layout", {}),
          set("opt.unit", "kg"),
          set("opt.trend", true),
          item("appended", { rows: 3 }),
        ],
        of,
      ),
    ).toEqual([
      "Called it “Costs”",
      "Moved it",
      "Set “After the number” to “kg”",
      "Turned “Trend line” on",
      "Added 3 rows to it",
    ]);
  });

  test("widgets that the same was done to share a sentence", () => {
    const moved = (n: number): HistoryItem =>
      set("layout", {}, { widget: `wgt_${String(n)}` as WidgetId, title: `W${String(n)}` });
    expect(sentences([moved(1), set("title", "Costs"), moved(2), moved(3)], telling)).toEqual([
      "Moved “W1”, “W2” and “W3”",
      "Called a widget “Costs”",
    ]);
    expect(sentences([1, 2, 3, 4, 5].map(moved), telling)).toEqual(["Moved 5 widgets"]);
  });

  test("what would be told twice in the same words is told once", () => {
    expect(sentences([set("opt.glow", 1), set("opt.shade", 2)], telling)).toEqual(["Changed the settings of “Costs”"]);
  });

  test("a long value is cut, by letters", () => {
    const [told] = sentences([set("title", "🎈".repeat(90), head)], telling);
    expect(told).toBe(`Called the dashboard “${"🎈".repeat(59)}…”`);
  });

  test("long lists fold, and never for one more", () => {
    expect(folded(["a", "b", "c", "d"], 3)).toEqual({ shown: ["a", "b", "c", "d"], more: 0 });
    expect(folded(["a", "b", "c", "d", "e"], 3)).toEqual({ shown: ["a", "b", "c"], more: 2 });
  });
});

test("who changed it", () => {
  expect([change({ mine: true, by: "" }), change(), change({ by: "" })].map(whose)).toEqual([
    "You",
    "Ann",
    "Somebody who has left",
  ]);
});

test("changes are by day", () => {
  const now = new Date(2026, 10, 28, 9, 0).getTime();
  const at = [
    new Date(2026, 10, 28, 0, 1),
    new Date(2026, 10, 27, 23, 59),
    new Date(2026, 10, 27, 1, 0),
    new Date(2026, 10, 26, 12, 0),
    new Date(2025, 10, 26, 12, 0),
  ].map((d) => change({ at: d.getTime() }));
  expect(byDay(at, now).map((d) => [d.day, d.changes.length])).toEqual([
    ["Today", 1],
    ["Yesterday", 2],
    ["Thu 26 Nov", 1],
    ["Wed 26 Nov 2025", 1],
  ]);
});

test("a mark says in a word what was done to a widget", () => {
  const of = (...items: HistoryItem[]): string | null => mark(change({ items }), costs);
  expect(of(set("layout", {}))).toBe("Moved");
  expect(of(set("layout", {}), set("title", "x"))).toBe("Changed");
  expect(of(set("opt.unit", "kg"), set("opt.prefix", "€"))).toBe("Settings");
  expect(of(item("added"), set("layout", {}))).toBe("Added");
  expect(of(item("appended", { rows: 1 }))).toBe("Data");
  expect(of(set("title", "x", head))).toBeNull();
});

test("Q3 what was overruled can be taken by itself", () => {
  expect(lostField(change({ lost: true, items: [set("title", "x")] }))).toEqual({ widget: costs, field: "title" });
  expect(lostField(change({ lost: true, items: [set("title", "x", head)] }))).toEqual({
    widget: "board",
    field: "title",
  });
  expect(lostField(change({ lost: true, items: [item("replaced", { rows: 2 })] }))).toEqual({
    widget: costs,
    field: "rows",
  });
  expect(lostField(change({ lost: true, items: [item("removed")] }))).toBeNull();
  expect(lostField(change({ items: [set("title", "x")] }))).toBeNull();
});
