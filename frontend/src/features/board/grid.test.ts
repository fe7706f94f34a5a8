import { describe, expect, test } from "vitest";
import type { Layout, WidgetId } from "../../lib/backend/types";
import { pack } from "../../lib/draw/pack";
import { clamp, firstFree, grow, overlaps, place, step, tidy, writes, type Placed } from "./grid";

function items(places: Record<string, [x: number, y: number, w: number, h: number]>): readonly Placed[] {
  return Object.entries(places).map(([id, [x, y, w, h]]) => ({ id: id as WidgetId, layout: { x, y, w, h } }));
}

function at(all: readonly Placed[], id: string): [number, number, number, number] | undefined {
  const l = all.find((i) => i.id === id)?.layout;
  return l && [l.x, l.y, l.w, l.h];
}

const a = "a" as WidgetId;
const row = items({ a: [0, 0, 3, 2], b: [3, 0, 3, 2], c: [6, 0, 6, 2], d: [0, 2, 12, 4] });

function sound(all: readonly Placed[]): void {
  for (const p of all) {
    expect(clamp(p.layout)).toEqual(p.layout);
    for (const q of all) if (p.id !== q.id) expect(overlaps(p.layout, q.layout), `${p.id} and ${q.id}`).toBe(false);
  }
}

describe("place", () => {
  test("a free place moves nothing else", () => {
    const after = place(row, a, { x: 0, y: 6, w: 3, h: 2 });
    expect(at(after, "a")).toEqual([0, 6, 3, 2]);
    expect(after.slice(1)).toEqual(row.slice(1));
  });
  test("two of one size change places", () => {
    const after = place(row, a, { x: 3, y: 0, w: 3, h: 2 });
    expect(at(after, "a")).toEqual([3, 0, 3, 2]);
    expect(at(after, "b")).toEqual([0, 0, 3, 2]);
    expect(at(after, "d")).toEqual([0, 2, 12, 4]);
  });
  test("what does not fit beside goes below, and pushes on", () => {
    const after = place(row, a, { x: 0, y: 0, w: 6, h: 3 });
    expect(at(after, "a")).toEqual([0, 0, 6, 3]);
    expect(at(after, "b")).toEqual([3, 3, 3, 2]);
    expect(at(after, "d")?.[1]).toBeGreaterThanOrEqual(5);
    sound(after);
  });
  test("the result never overlaps, wherever the pointer is", () => {
    for (let x = -2; x < 14; x++)
      for (let y = -2; y < 9; y++) for (const p of row) sound(place(row, p.id, { ...p.layout, x, y }));
  });
  test("moving away and back leaves everything where it was", () => {
    place(row, a, { x: 5, y: 1, w: 3, h: 2 });
    expect(place(row, a, { x: 0, y: 0, w: 3, h: 2 })).toEqual(row);
  });
});

describe("by keyboard", () => {
  test("right past a neighbour, left back again", () => {
    const right = step(row, a, "right");
    expect(at(right, "a")).toEqual([3, 0, 3, 2]);
    expect(at(right, "b")).toEqual([0, 0, 3, 2]);
    expect(step(right, a, "left")).toEqual(row);
  });
  test("down past what is below, when that can step up", () => {
    const two = items({ a: [0, 0, 6, 2], b: [0, 2, 6, 3] });
    const down = step(two, a, "down");
    expect(at(down, "a")).toEqual([0, 3, 6, 2]);
    expect(at(down, "b")).toEqual([0, 0, 6, 3]);
    expect(at(step(down, a, "up"), "a")).toEqual([0, 0, 6, 2]);
  });
  test("one cell into free space, and not off the grid", () => {
    const one = items({ a: [0, 0, 3, 2] });
    expect(at(step(one, a, "right"), "a")).toEqual([1, 0, 3, 2]);
    expect(at(step(one, a, "down"), "a")).toEqual([0, 1, 3, 2]);
    expect(step(one, a, "left")).toBe(one);
    expect(step(one, a, "up")).toBe(one);
  });
  test("any walk keeps the grid sound", () => {
    let all = row;
    for (const [i, d] of (
      ["right", "down", "right", "up", "left", "down", "down", "left", "up", "right"] as const
    ).entries()) {
      all = i % 3 === 2 ? grow(all, a, d) : step(all, a, d);
      sound(all);
    }
  });
  test("size stays within the grid", () => {
    const one = items({ a: [10, 0, 2, 1] });
    expect(at(grow(one, a, "right"), "a")).toEqual([10, 0, 2, 1]);
    expect(at(grow(one, a, "up"), "a")).toEqual([10, 0, 2, 1]);
    expect(at(grow(one, a, "left"), "a")).toEqual([10, 0, 1, 1]);
    expect(at(grow(one, a, "down"), "a")).toEqual([10, 0, 2, 2]);
  });
});

test("a new widget takes the first free place", () => {
  expect(firstFree(row, 3, 2)).toEqual({ x: 0, y: 6, w: 3, h: 2 });
  expect(firstFree(items({ a: [0, 0, 9, 2] }), 3, 2)).toEqual({ x: 9, y: 0, w: 3, h: 2 });
  expect(firstFree([], 6, 5)).toEqual({ x: 0, y: 0, w: 6, h: 5 });
});

test("closing gaps keeps the order and leaves no empty row", () => {
  const after = tidy(items({ a: [0, 3, 6, 2], b: [6, 9, 6, 2], c: [0, 20, 12, 1] }));
  expect(at(after, "a")).toEqual([0, 0, 6, 2]);
  expect(at(after, "b")).toEqual([6, 0, 6, 2]);
  expect(at(after, "c")).toEqual([0, 2, 12, 1]);
});

describe("Q3 what is written after a move", () => {
  test("only the moved widget, when nothing made room", () => {
    const after = place(row, a, { x: 0, y: 6, w: 3, h: 2 });
    expect(writes(row, row, after, pack)).toEqual([{ id: "a", layout: { x: 0, y: 6, w: 3, h: 2 } }]);
  });
  test("nothing, when nothing moved", () => {
    expect(writes(row, row, row, pack)).toEqual([]);
  });
  test("a board that a merge left overlapping comes out as it was seen", () => {
    const stored = items({ a: [0, 0, 6, 2], b: [0, 0, 6, 2], c: [6, 0, 6, 2] });
    const seen = [...pack(stored)].map(([id, layout]): Placed => ({ id: id as WidgetId, layout }));
    const after = place(seen, a, { x: 0, y: 8, w: 6, h: 2 });
    const written = new Map<string, Layout>(writes(stored, seen, after, pack).map((p) => [p.id, p.layout]));
    const next = pack(stored.map((p) => ({ id: p.id, layout: written.get(p.id) ?? p.layout })));
    for (const p of after) expect(next.get(p.id)).toEqual(p.layout);
  });
});
