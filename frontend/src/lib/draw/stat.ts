import { allColumns, optionBool, optionColumn, optionText, toTime, Unfit } from "./columns";
import type { Picked } from "./columns";
import { fade, lastOf, numberStyle, short, values } from "./chart";
import { esc, safeId } from "./html";
import { formatNumber, numberParts } from "./number";
import type { NumberStyle } from "./number";
import { areaPath, linePath, thin } from "./path";
import type { Point } from "./path";
import { formatTime } from "./time";
import type { DrawWidget } from "./types";

const aggregates = ["last", "first", "sum", "mean", "min", "max", "count"] as const;
type Aggregate = (typeof aggregates)[number];

const captions: Readonly<Record<Exclude<Aggregate, "last" | "count">, string>> = {
  first: "first",
  sum: "sum",
  mean: "mean",
  min: "lowest",
  max: "highest",
};

/** One large number, how it compares with the one before, and its course as a small line. */
export function drawStat(w: DrawWidget): string {
  const column = optionColumn(w, "value") ?? allColumns(w).find((c) => c.type === "number") ?? null;
  const aggregate = aggregates.find((a) => a === w.options["aggregate"]) ?? "last";
  if (!column && aggregate !== "count")
    throw new Unfit("This number needs a column of numbers.", "Its data has none yet.");
  const style = numberStyle(w);
  const list = column ? values(w, column) : [];
  const present = list.filter((v) => v !== null);
  const value = aggregate === "count" ? (column ? present.length : w.rows.length) : combine(present, aggregate);
  if (value === null) throw new Unfit("No data yet", "");

  const shown = numberParts(value, { ...style, compact: Math.abs(value) >= 1e7 && style.decimals === null });
  const big = `<p class="big">${shown.sign}${affix(shown.before, "pre")}${esc(shown.digits)}${affix(shown.after, "un")}</p>`;
  const trend = optionBool(w.options, "trend") !== false;
  const under =
    aggregate === "last" ? (trend ? delta(w, list, style) : "") : caption(aggregate, present.length, column);
  const tall = w.layout.h > 2;
  const line = trend && aggregate !== "count" && present.length > 1 ? sparkline(w, list) : "";
  if (tall) return `<div class="w-b stat tall">${big}${under}${line}</div>`;
  return `<div class="w-b stat"><div class="row">${big}${line}</div>${under}</div>`;
}

function affix(text: string, name: string): string {
  return text === "" ? "" : `<span class="${name}">${esc(text)}</span>`;
}

function combine(present: readonly number[], how: Exclude<Aggregate, "count">): number | null {
  const first = present[0];
  if (first === undefined) return null;
  switch (how) {
    case "first":
      return first;
    case "last":
      return lastOf(present);
    case "sum":
      return present.reduce((a, b) => a + b, 0);
    case "mean":
      return present.reduce((a, b) => a + b / present.length, 0);
    case "min":
      return present.reduce((a, b) => Math.min(a, b), first);
    case "max":
      return present.reduce((a, b) => Math.max(a, b), first);
  }
}

function caption(how: Exclude<Aggregate, "last">, n: number, column: Picked | null): string {
  if (how === "count") return column ? `<p class="dl">with a ${esc(column.name)}</p>` : "";
  return `<p class="dl">${captions[how]} of ${esc(formatNumber(n))} ${n === 1 ? "value" : "values"}</p>`;
}

const arrows = { up: "M6 9.5v-7M2.8 5.5 6 2.3l3.2 3.2", down: "M6 2.5v7M2.8 6.5 6 9.7l3.2-3.2", same: "M2.5 6h7" };

/** The change against the value before the last: an arrow, how much, and in words whether that is good. */
function delta(w: DrawWidget, list: readonly (number | null)[], style: NumberStyle): string {
  const at: number[] = [];
  for (let i = list.length - 1; i >= 0 && at.length < 2; i--) if (list[i] !== null) at.push(i);
  const now = list[at[0] ?? -1] ?? null;
  const before = list[at[1] ?? -1] ?? null;
  if (now === null || before === null) return "";
  const way = now > before ? "up" : now < before ? "down" : "same";
  const better = optionText(w.options, "better");
  const judged = way !== "same" && (better === "up" || better === "down");
  const good = way === better;
  const since = sinceWhen(w, at[1] ?? 0);
  const icon = `<svg viewBox="0 0 12 12" aria-hidden="true"><path d="${arrows[way]}"/></svg>`;
  if (way === "same") return `<p class="dl">${icon}<span>no change</span> since ${since}</p>`;
  const share = before === 0 ? Infinity : Math.abs((now - before) / before);
  const amount =
    share < 10 ? `${percentText(share)}%` : formatNumber(Math.abs(now - before), { ...style, compact: true });
  const words = judged ? `${good ? "better" : "worse"} than ${since}` : `vs ${since}`;
  return (
    `<p class="dl${judged ? (good ? " good" : " bad") : ""}">${icon}<b><span class="sr">${way} </span>${esc(amount)}</b> ` +
    `<span>${words}</span></p>`
  );
}

function percentText(share: number): string {
  const p = share * 100;
  return p < 0.05 ? "<0.1" : p.toFixed(p < 99.95 ? 1 : 0);
}

function sinceWhen(w: DrawWidget, row: number): string {
  const time = allColumns(w).find((c) => c.type === "time");
  const at = time ? toTime(w.rows[row]?.[time.index]) : null;
  if (at === null) return "before";
  const full = formatTime(at);
  return esc(full.endsWith("00:00") ? full.slice(0, -12) : full.slice(-5));
}

/** The course of a number, without scales; the view box is one unit a point wide. */
function sparkline(w: DrawWidget, list: readonly (number | null)[]): string {
  const recent = list.slice(-20_000);
  const keep = thin(recent, 60);
  const shown = keep.map((i) => recent[i] ?? null);
  const present = shown.filter((v) => v !== null);
  const lo = Math.min(...present);
  const hi = Math.max(...present);
  const height = 60;
  const at = (v: number): number => (hi > lo ? Math.round(height - ((v - lo) / (hi - lo)) * height) : height / 2);
  const points: Point[] = shown.map((v, x) => ({ x, y: v === null ? null : at(v) }));
  const width = Math.max(1, points.length - 1);
  const last = points[points.length - 1];
  const dot =
    last && last.y !== null
      ? `<svg class="ov"><circle class="c1" cx="100%" cy="${short((last.y / height) * 100)}%" r="2.5"/></svg>`
      : "";
  return (
    `<div class="sp" aria-hidden="true"><svg class="st" viewBox="0 0 ${String(width)} ${String(height)}" preserveAspectRatio="none">` +
    `<g class="c1">${fade(`g-${safeId(w.id)}-0`)}<path class="ar" fill="url(#g-${safeId(w.id)}-0)" d="${areaPath(points, height)}"/><path class="ln" d="${linePath(points)}"/></g></svg>${dot}</div>`
  );
}
