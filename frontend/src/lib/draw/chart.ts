import { allColumns, optionColumn, optionColumns, optionInt, optionText, toNumber, toTime, Unfit } from "./columns";
import type { Picked } from "./columns";
import { esc } from "./html";
import { formatNumber } from "./number";
import type { NumberStyle } from "./number";
import type { Cell, DrawWidget } from "./types";

/** Colours there are; further series begin again with the first. */
export const colours = 8;

/** The class that gives a series its colour. */
export function colour(series: number): string {
  return `c${String((series % colours) + 1)}`;
}

/** The columns a chart draws: what lies along it (null is the number of the row) and what is measured. */
export interface Axes {
  readonly x: Picked | null;
  readonly y: readonly Picked[];
}

/**
 * The chosen columns, and for what is automatic: along the chart the first column of the `along` types in that order (a
 * number column only if another one is left to measure), measured are the other number columns, as many as there are
 * colours.
 */
export function chooseAxes(w: DrawWidget, along: readonly ("time" | "text" | "number")[]): Axes {
  const all = allColumns(w);
  const chosenX = optionColumn(w, "x");
  const chosenY = optionColumns(w, "y");
  const numbers = all.filter((c) => c.type === "number");
  let x = chosenX;
  if (!x) {
    const free = all.filter((c) => !chosenY?.some((y) => y.index === c.index));
    for (const type of along) {
      x ??= type === "number" && !chosenY && numbers.length < 2 ? null : (free.find((c) => c.type === type) ?? null);
    }
    if (x?.type === "number" && !rises(w, x.index)) x = null;
  }
  const y = chosenY ?? numbers.filter((c) => c.index !== x?.index).slice(0, colours);
  if (y.length === 0) throw new Unfit("This chart needs a column of numbers.", "Its data has none yet.");
  return { x, y };
}

/** Whether a column only grows, as a scale does and a measured value hardly ever. */
function rises(w: DrawWidget, index: number): boolean {
  let last = -Infinity;
  for (const row of w.rows) {
    const v = toNumber(row[index]);
    if (v === null || v <= last) return false;
    last = v;
  }
  return true;
}

export function numberStyle(w: DrawWidget): NumberStyle & { prefix: string; unit: string; decimals: number | null } {
  return {
    prefix: optionText(w.options, "prefix").slice(0, 12),
    unit: optionText(w.options, "unit").slice(0, 24),
    decimals: optionInt(w.options, "decimals", 0, 6),
  };
}

export function values(w: DrawWidget, column: Picked): (number | null)[] {
  return w.rows.map((r: readonly Cell[]) =>
    column.type === "time" ? toTime(r[column.index]) : toNumber(r[column.index]),
  );
}

/** The last value that is one. */
export function lastOf(list: readonly (number | null)[]): number | null {
  for (let i = list.length - 1; i >= 0; i--) {
    const v = list[i];
    if (v !== null && v !== undefined) return v;
  }
  return null;
}

export function legend(entries: readonly { name: string; value: number | null }[], style: NumberStyle): string {
  const items = entries.map(
    (e, i) =>
      `<li><i class="${colour(i)}"></i>${esc(e.name)}` +
      (e.value === null ? "" : ` <b>${esc(formatNumber(e.value, { ...style, compact: true }))}</b>`) +
      "</li>",
  );
  return `<ul class="lg">${items.join("")}</ul>`;
}

/** A percentage of a width or height, with as few digits as do not show. */
export function percent(part: number): string {
  return `${short(part * 100)}%`;
}

/** A coordinate with at most two digits after the point. */
export function short(v: number): string {
  const r = Math.round(v * 100) / 100;
  return Number.isFinite(r) ? String(r === 0 ? 0 : r) : "0";
}

/** The fill of an area in its series' colour, fading towards the ground; `id` names it within the page. */
export function fade(id: string): string {
  return (
    `<linearGradient id="${id}" x2="0" y2="1"><stop stop-color="currentColor" stop-opacity=".24"/>` +
    `<stop offset="1" stop-color="currentColor" stop-opacity=".02"/></linearGradient>`
  );
}
