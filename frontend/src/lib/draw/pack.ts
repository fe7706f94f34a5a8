import type { Layout } from "./types";

export const gridColumns = 12;

interface Placed {
  readonly id: string;
  readonly layout: Layout;
}

/**
 * Where widgets are drawn when their stored places overlap or lie off the grid, as they may after a merge: in reading
 * order (y, x, id) each keeps its place if it is free and otherwise moves straight down to the first place that is.
 * Deterministic, idempotent, and never written back. The result is keyed by id and iterates in reading order of the
 * resolved places.
 */
export function pack(widgets: readonly Placed[]): Map<string, Layout> {
  const done: { id: string; at: Layout }[] = [];
  for (const w of [...widgets].map((p) => ({ id: p.id, at: within(p.layout) })).sort(reading)) {
    let at = w.at;
    for (;;) {
      const hit = done.filter((d) => overlap(d.at, at));
      if (hit.length === 0) break;
      at = { ...at, y: Math.min(...hit.map((d) => d.at.y + d.at.h)) };
    }
    done.push({ id: w.id, at });
  }
  return new Map(done.sort(reading).map((d) => [d.id, d.at]));
}

/** Whether two places share a cell of the grid. */
export function overlap(a: Layout, b: Layout): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function within(l: Layout): Layout {
  const w = whole(l.w, 1, gridColumns);
  return { x: whole(l.x, 0, gridColumns - w), y: whole(l.y, 0, 10_000), w, h: whole(l.h, 1, 100) };
}

function whole(v: number, min: number, max: number): number {
  return Number.isFinite(v) ? Math.min(max, Math.max(min, Math.round(v))) : min;
}

function reading(a: { id: string; at: Layout }, b: { id: string; at: Layout }): number {
  return a.at.y - b.at.y || a.at.x - b.at.x || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
