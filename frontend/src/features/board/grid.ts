import type { Layout, WidgetId } from "../../lib/backend/types";

/** A widget's place, as it is on screen. */
export interface Placed {
  readonly id: WidgetId;
  readonly layout: Layout;
}

export const columns = 12;
export const maxHeight = 100;
const maxY = 10_000;
const smallest = { w: 1, h: 1 };

export type Direction = "left" | "right" | "up" | "down";

export function overlaps(a: Layout, b: Layout): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;
}

/** The nearest layout that the grid allows. */
export function clamp(l: Layout): Layout {
  const w = Math.min(Math.max(Math.round(l.w), smallest.w), columns);
  const h = Math.min(Math.max(Math.round(l.h), smallest.h), maxHeight);
  return {
    w,
    h,
    x: Math.min(Math.max(Math.round(l.x), 0), columns - w),
    y: Math.min(Math.max(Math.round(l.y), 0), maxY - h),
  };
}

/** Reading order: from the top, then from the left, then by id. */
export function reading(a: Placed, b: Placed): number {
  return a.layout.y - b.layout.y || a.layout.x - b.layout.x || (a.id < b.id ? -1 : 1);
}

/**
 * Where everything is when one widget is put at `to`: the moved one exactly there; those it would cover step into the
 * space it left, if they fit there, and otherwise below it; the rest stay. Pure: a drag calls it with the places from
 * before the drag for each position of the pointer.
 */
export function place(items: readonly Placed[], id: WidgetId, to: Layout): readonly Placed[] {
  const target = clamp(to);
  const from = items.find((i) => i.id === id)?.layout;
  const others = items.filter((i) => i.id !== id).sort(reading);
  const covered = others.filter((o) => overlaps(o.layout, target));
  const done: Placed[] = [{ id, layout: target }, ...others.filter((o) => !covered.includes(o))];
  const free = (l: Layout): boolean =>
    l.y >= 0 && l.x >= 0 && l.x + l.w <= columns && !done.some((d) => overlaps(d.layout, l));

  const below: Placed[] = [];
  for (const o of covered) {
    const swapped = from && vacated(o.layout, from, target).find(free);
    if (swapped) done.push({ id: o.id, layout: swapped });
    else below.push(o);
  }
  const settled = new Map(settle(done, below).map((d) => [d.id, d]));
  return items.map((i) => settled.get(i.id) ?? i);
}

/** Places a covered widget may step to: sideways or upwards into the room that the moved one left. */
function vacated(covered: Layout, from: Layout, to: Layout): readonly Layout[] {
  const tries: Layout[] = [];
  if (covered.w === from.w && covered.h === from.h) tries.push(from);
  if (to.x > from.x) tries.push({ ...covered, x: from.x }, { ...covered, x: to.x - covered.w });
  if (to.x < from.x) tries.push({ ...covered, x: from.x + from.w - covered.w }, { ...covered, x: to.x + to.w });
  if (to.y > from.y) tries.push({ ...covered, y: from.y }, { ...covered, y: to.y - covered.h });
  return tries.filter((t) => overlaps(t, from));
}

/** Pushes the given ones down, and whatever they then cover, until nothing overlaps. */
function settle(fixed: readonly Placed[], pushed: readonly Placed[]): readonly Placed[] {
  if (pushed.length === 0) return fixed;
  const [first, ...rest] = fixed;
  if (!first) return pushed;
  const out: Placed[] = [first];
  const waiting = [...rest, ...pushed].sort(reading);
  for (const item of waiting) {
    let layout = item.layout;
    for (;;) {
      const inWay = out.filter((o) => overlaps(o.layout, layout));
      if (inWay.length === 0) break;
      layout = { ...layout, y: Math.max(...inWay.map((o) => o.layout.y + o.layout.h)) };
    }
    out.push({ id: item.id, layout });
  }
  return out;
}

/** One step by keyboard: into free space by one cell, past a neighbour when it can change places with the widget. */
export function step(items: readonly Placed[], id: WidgetId, direction: Direction): readonly Placed[] {
  const from = items.find((i) => i.id === id)?.layout;
  if (!from) return items;
  const by1 = clamp(shift(from, direction, 1));
  if (sameLayout(by1, from)) return items;
  const inWay = items.filter((i) => i.id !== id && overlaps(i.layout, by1));
  if (inWay.length === 0) return place(items, id, by1);
  const past = clamp(
    beyond(
      from,
      direction,
      inWay.map((i) => i.layout),
    ),
  );
  const swapped = place(items, id, past);
  const moved = inWay.every((i) => {
    const now = swapped.find((s) => s.id === i.id)?.layout;
    return now && now.y <= i.layout.y && !sameLayout(now, i.layout);
  });
  return moved || direction === "up" ? swapped : place(items, id, by1);
}

function shift(l: Layout, direction: Direction, by: number): Layout {
  switch (direction) {
    case "left":
      return { ...l, x: l.x - by };
    case "right":
      return { ...l, x: l.x + by };
    case "up":
      return { ...l, y: l.y - by };
    case "down":
      return { ...l, y: l.y + by };
  }
}

function beyond(from: Layout, direction: Direction, others: readonly Layout[]): Layout {
  switch (direction) {
    case "left":
      return { ...from, x: Math.min(...others.map((o) => o.x)) };
    case "right":
      return { ...from, x: Math.max(...others.map((o) => o.x + o.w)) - from.w };
    case "up":
      return { ...from, y: Math.min(...others.map((o) => o.y)) };
    case "down":
      return { ...from, y: Math.max(...others.map((o) => o.y + o.h)) - from.h };
  }
}

/** One step of size by keyboard. */
export function grow(items: readonly Placed[], id: WidgetId, direction: Direction): readonly Placed[] {
  const from = items.find((i) => i.id === id)?.layout;
  if (!from) return items;
  const to = { ...from };
  if (direction === "left") to.w -= 1;
  if (direction === "right") to.w = Math.min(to.w + 1, columns - to.x);
  if (direction === "up") to.h -= 1;
  if (direction === "down") to.h += 1;
  return place(items, id, clamp(to));
}

/** The first free place of the given size, from the top. */
export function firstFree(items: readonly Placed[], w: number, h: number): Layout {
  const bottom = Math.max(0, ...items.map((i) => i.layout.y + i.layout.h));
  for (let y = 0; y < bottom; y++) {
    for (let x = 0; x + w <= columns; x++) {
      const l = { x, y, w, h };
      if (!items.some((i) => overlaps(i.layout, l))) return l;
    }
  }
  return { x: 0, y: bottom, w, h };
}

/** The same order without empty rows: everything as high as it can go in its columns. */
export function tidy(items: readonly Placed[]): readonly Placed[] {
  const out: Placed[] = [];
  for (const item of [...items].sort(reading)) {
    let layout = item.layout;
    while (layout.y > 0 && !out.some((o) => overlaps(o.layout, { ...layout, y: layout.y - 1 })))
      layout = { ...layout, y: layout.y - 1 };
    out.push({ id: item.id, layout });
  }
  return out;
}

/**
 * The layouts to write so that the board comes out as `after`: the widgets that moved on screen, and, only if packing the
 * stored layouts would otherwise come out differently, every widget whose stored layout is not where it is shown.
 */
export function writes(
  stored: readonly Placed[],
  before: readonly Placed[],
  after: readonly Placed[],
  pack: (items: readonly Placed[]) => ReadonlyMap<string, Layout>,
): readonly Placed[] {
  const old = new Map(before.map((i) => [i.id, i.layout]));
  const moved = after.filter((i) => {
    const was = old.get(i.id);
    return !was || !sameLayout(was, i.layout);
  });
  const byId = new Map(moved.map((i) => [i.id, i.layout]));
  const result = pack(stored.map((i) => ({ id: i.id, layout: byId.get(i.id) ?? i.layout })));
  const asSeen = after.every((i) => {
    const got = result.get(i.id);
    return got && sameLayout(got, i.layout);
  });
  if (asSeen) return moved;
  const kept = new Map(stored.map((i) => [i.id, i.layout]));
  return after.filter((i) => {
    const was = kept.get(i.id);
    return !was || !sameLayout(was, i.layout);
  });
}
