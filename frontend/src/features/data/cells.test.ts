import { describe, expect, test } from "vitest";
import type { WidgetId } from "../../lib/backend/types";
import { view, shopWidgets } from "../../test/samples";
import {
  cellText,
  looksLikeData,
  maxRows,
  misfit,
  parseCell,
  parseNumber,
  parseTabbed,
  parseTime,
  paste,
  retype,
  timeText,
  toTabbed,
} from "./cells";
import { smallest } from "./rows";

describe("numbers as people write them", () => {
  test.each([
    ["12", 12],
    ["-1.5", -1.5],
    ["1,234.5", 1234.5],
    ["1.234.567", 1234567],
    ["1.234,5", 1234.5],
    ["0,25", 0.25],
    ["1 234", 1234],
    ["12 %", 12],
    ["1e3", 1000],
    ["", null],
    ["n/a", null],
    ["1-2", null],
    ["0x10", null],
    ["Infinity", null],
  ])("%s", (text, n) => {
    expect(parseNumber(text)).toBe(n);
  });
});

describe("times", () => {
  test.each([
    ["2026-03-01", Date.UTC(2026, 2, 1)],
    ["2026-03-01 12:30", Date.UTC(2026, 2, 1, 12, 30)],
    ["2026-03-01T12:30:05.250Z", Date.UTC(2026, 2, 1, 12, 30, 5, 250)],
    ["1.3.2026", Date.UTC(2026, 2, 1)],
    ["2026-02-30", null],
    ["2026-13-01", null],
    ["2026-03-01 25:00", null],
    ["soon", null],
  ])("%s", (text, ms) => {
    expect(parseTime(text)).toBe(ms);
  });
  test("shown as short as it is exact, and read back the same", () => {
    for (const ms of [0, 60_000, 61_000, 61_001, Date.UTC(2026, 2, 1)]) expect(parseTime(timeText(ms))).toBe(ms);
    expect(timeText(Date.UTC(2026, 2, 1))).toBe("2026-03-01");
  });
});

test("B1 what cannot be read stays as it was typed, and is marked", () => {
  expect(parseCell("k. A.", "number")).toBe("k. A.");
  expect(misfit("k. A.", "number")).toBe(true);
  expect(misfit(null, "number")).toBe(false);
  expect(parseCell("  ", "number")).toBeNull();
  expect(retype([["12"], ["x"]], 0, "text", "number")).toEqual([[12], ["x"]]);
  expect(retype([[12], ["x"]], 0, "number", "text")).toEqual([["12"], ["x"]]);
});

test("B2 cells are text to the clipboard, quoted where they hold its signs", () => {
  const columns = [
    { name: "a", type: "text" as const },
    { name: "b", type: "number" as const },
  ];
  const rows = [
    ["=1+1\tx", 2],
    ['say "hi"\nthere', null],
  ];
  const text = toTabbed(rows, columns);
  expect(parseTabbed(text)).toEqual([
    ["=1+1\tx", "2"],
    ['say "hi"\nthere', ""],
  ]);
});

describe("paste", () => {
  const table = { columns: [{ name: "a", type: "number" as const }], rows: [[1], [2]] };
  test("grows the table and guesses new columns", () => {
    const next = paste(table, { row: 1, column: 0 }, [
      ["5", "2026-01-01"],
      ["6", "2026-01-02"],
    ]);
    expect(next.columns.map((c) => c.type)).toEqual(["number", "time"]);
    expect(next.rows).toEqual([[1], [5, Date.UTC(2026, 0, 1)], [6, Date.UTC(2026, 0, 2)]]);
  });
  test("stops at the limit of rows", () => {
    const next = paste(table, { row: maxRows - 1, column: 0 }, [["5"], ["6"]]);
    expect(next.rows).toHaveLength(maxRows);
  });
});

test("data is told from a sentence", () => {
  expect(looksLikeData("a,b\n1,2")).toBe(true);
  expect(looksLikeData('[{"a":1}]')).toBe(true);
  expect(looksLikeData("Hello there, how are you?")).toBe(false);
  expect(looksLikeData("two\nlines")).toBe(false);
});

test("cells read as they are stored", () => {
  expect(cellText(true, "text")).toBe("true");
  expect(cellText(undefined, "number")).toBe("");
  expect(cellText(0, "time")).toBe("1970-01-01");
});

describe("what is written after editing rows", () => {
  const widgets = shopWidgets();
  const [w] = widgets;
  if (!w) throw new Error("no sample");
  const board = view("A", "B", { widgets });
  const id = w.id;
  test("rows added at the end cost those rows alone", () => {
    expect(smallest(board, id, { columns: w.columns, rows: [...w.rows, [1, 2]] })).toEqual([
      { do: "append", widget: id, rows: [[1, 2]] },
    ]);
  });
  test("nothing, when nothing changed", () => {
    expect(smallest(board, id, { columns: w.columns, rows: w.rows })).toEqual([]);
  });
  test("a replacement otherwise", () => {
    expect(smallest(board, id, { columns: w.columns, rows: w.rows.slice(1) })[0]?.do).toBe("rows");
    expect(smallest(board, "wgt_GONE" as WidgetId, { columns: [], rows: [] })).toEqual([]);
  });
});
