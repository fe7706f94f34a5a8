import { chooseAxes, colour, fade, lastOf, legend, numberStyle, percent, values } from "./chart";
import { optionBool, Unfit } from "./columns";
import type { Picked } from "./columns";
import { clip, esc, safeId } from "./html";
import { decimalsOf, formatNumber } from "./number";
import type { NumberStyle } from "./number";
import { areaPath, linePath, thin } from "./path";
import type { Point } from "./path";
import { niceScale } from "./scale";
import type { Scale } from "./scale";
import { formatTime, precisionOf, timeTicks } from "./time";
import type { Tick } from "./time";
import type { DrawOptions, DrawWidget } from "./types";

interface Series {
  readonly name: string;
  /** What is written: the values of the data. */
  readonly values: readonly (number | null)[];
  /** What is drawn: the same, or the sums from the ground up when stacked. */
  readonly tops: readonly (number | null)[];
}

interface Along {
  readonly kind: "time" | "number" | "text";
  /** Position of each row, rising. */
  readonly at: readonly number[];
  readonly from: number;
  readonly to: number;
  /** What each row is called when the positions are mere counts. */
  readonly names: readonly string[];
  /** The unit that all positions are whole numbers of, as far as is known. */
  readonly grain: number;
}

/** Lines or areas over time, over a number, or over the rows in their order. */
export function drawLine(w: DrawWidget, o: DrawOptions): { head: string; body: string } {
  const axes = chooseAxes(w, ["time", "number", "text"]);
  const { along, order } = alongOf(w, axes.x);
  const stack = optionBool(w.options, "stack") === true;
  const area = optionBool(w.options, "area") ?? stack;
  const series = seriesOf(w, axes.y, order, stack);
  const drawn = series.flatMap((s) => s.tops.filter((v) => v !== null));
  if (drawn.length === 0) throw new Unfit("No data yet", "");

  let lo = drawn.reduce((a, b) => Math.min(a, b));
  let hi = drawn.reduce((a, b) => Math.max(a, b));
  const zero = optionBool(w.options, "zero");
  if (zero === true || stack || (zero === null && (area || nearZero(lo, hi)))) {
    lo = Math.min(0, lo);
    hi = Math.max(0, hi);
  }
  const tall = w.layout.h > 5 || o.wide === true;
  const scale = niceScale(lo, hi, w.layout.h < 4 ? 2 : tall ? 5 : 4);
  const style = numberStyle(w);
  const showLegend = optionBool(w.options, "legend") ?? series.length > 1;
  const latest = series.length === 1 && !showLegend ? lastOf(series[0]?.values ?? []) : null;
  const head = latest === null ? "" : esc(formatNumber(latest, { ...style, compact: Math.abs(latest) >= 1e5 }));
  const entries = series.map((s) => ({ name: clip(s.name, 40), value: lastOf(s.values) }));
  const grain = grainOf(scale, drawn);
  const body =
    `<div class="w-b">${showLegend ? legend(entries, style) : ""}` +
    `<div class="ch" role="img" aria-label="${esc(summary(w, series, along, style))}"${readout(w, series, along, scale, stack, grain, style)}>` +
    `${yLabels(scale, style)}<div class="pl">${plot(series, along, scale, { area, stack, grain, id: safeId(w.id), cells: o.wide === true ? 12 : w.layout.w })}</div>` +
    `${xLabels(along, w, o)}</div></div>`;
  return { head, body };
}

/** Whether the ground line belongs on the scale: leaving it out must gain something. */
function nearZero(lo: number, hi: number): boolean {
  return (lo >= 0 && lo < hi * 0.4) || (hi <= 0 && hi > lo * 0.4);
}

function alongOf(w: DrawWidget, x: Picked | null): { along: Along; order: number[] } {
  const rows = w.rows.map((_, i) => i);
  if (x && x.type !== "text") {
    const at = values(w, x);
    const order = rows.filter((i) => at[i] !== null).sort((a, b) => (at[a] ?? 0) - (at[b] ?? 0) || a - b);
    const sorted = order.map((i) => at[i] ?? 0);
    if (sorted.length === 0)
      throw new Unfit(`The column “${x.name}” holds nothing to draw along.`, "Choose another one.");
    const from = sorted[0] ?? 0;
    const to = sorted[sorted.length - 1] ?? 0;
    return {
      along: { kind: x.type, at: sorted, from, to, names: [], grain: x.type === "time" ? timeGrain(sorted) : 1 },
      order,
    };
  }
  const names = x ? w.rows.map((r) => String(r[x.index] ?? "")) : [];
  return { along: { kind: "text", at: rows, from: 0, to: Math.max(0, rows.length - 1), names, grain: 1 }, order: rows };
}

function seriesOf(w: DrawWidget, columns: readonly Picked[], order: readonly number[], stack: boolean): Series[] {
  const ground = order.map(() => 0);
  return columns.map((c) => {
    const all = values(w, c);
    const own = order.map((i) => all[i] ?? null);
    if (!stack) return { name: c.name, values: own, tops: own };
    const tops = own.map((v, i) => (ground[i] = Math.min(1e300, Math.max(-1e300, (ground[i] ?? 0) + (v ?? 0)))));
    return { name: c.name, values: own, tops };
  });
}

interface Grain {
  readonly exponent: number;
  readonly height: number;
  readonly unit: number;
  /** Digits after the point that the data has, as far as the unit goes. */
  readonly decimals: number;
}

/** The unit of the drawing's vertical axis: a power of ten, fine enough for the eye and no finer than the data. */
function grainOf(scale: Scale, drawn: readonly number[]): Grain {
  const range = scale.hi - scale.lo;
  let exponent = Math.floor(Math.log10(range / 250));
  const decimals = exponent < 0 ? decimalsOf(drawn, Math.min(9, -exponent)) : 0;
  if (exponent < 0 && exponent > -7) exponent = -Math.min(-exponent, Math.max(decimals, coarse(range)));
  const unit = 10 ** exponent;
  return { exponent, unit, decimals, height: Math.max(1, Math.round(range / unit)) };
}

/** Digits after the point that keep at least 60 steps in a range, so that lines between whole numbers stay smooth. */
function coarse(range: number): number {
  return Math.max(0, -Math.floor(Math.log10(range / 25)));
}

/**
 * Width of the drawing in its own units: wherever it can be, every point falls on a whole number of them, so that a reader
 * of the path gets the very times back.
 */
function widthOf(along: Along): number {
  const n = along.at.length;
  if (n < 2) return 2;
  const span = along.to - along.from;
  const step = span / (n - 1);
  const even = along.at.every((v, i) => Math.abs(v - along.from - i * step) < step / 1000);
  if (even && n <= 1000) return (n - 1) * Math.max(1, Math.round(1000 / (n - 1)));
  const wholes = span / along.grain;
  return Number.isInteger(wholes) && wholes >= 400 && wholes <= 6000 ? wholes : 2000;
}

/** The unit of time that the data keeps to: days, hours, minutes or seconds. */
function timeGrain(times: readonly number[]): number {
  const units = [86_400_000, 3_600_000, 60_000, 1_000];
  return units.find((u) => times.every((t) => t % u === 0)) ?? 1_000;
}

/** The rows that are drawn: all up to some five hundred, beyond that as many as a chart of that many columns shows. */
function few(tops: readonly (number | null)[], cells: number): number[] {
  return thin(tops, tops.length <= 520 ? 260 : Math.max(120, cells * 45));
}

function plot(
  series: readonly Series[],
  along: Along,
  scale: Scale,
  how: { area: boolean; stack: boolean; grain: Grain; id: string; cells: number },
): string {
  const { height, unit } = how.grain;
  const width = widthOf(along);
  const span = along.to - along.from;
  const px = (v: number): number => (span > 0 ? Math.round(((v - along.from) / span) * width) : Math.round(width / 2));
  const py = (v: number): number => Math.round((scale.hi - v) / unit);
  const base = Math.min(height, Math.max(0, py(0)));
  const total = series[series.length - 1];
  const common = how.stack && total ? few(total.tops, how.cells) : null;

  let under: Point[] | undefined;
  const groups: string[] = [];
  const dots: string[] = [];
  series.forEach((s, i) => {
    const keep = common ?? few(s.tops, how.cells);
    const points = keep.map((k) => {
      const v = s.tops[k] ?? null;
      return { x: px(along.at[k] ?? 0), y: v === null ? null : py(v) };
    });
    const id = `g-${how.id}-${String(i)}`;
    const fading = how.area && !how.stack && (scale.lo >= 0 || scale.hi <= 0);
    const fill = how.area
      ? `${fading ? fade(id) : ""}<path class="ar"${fading ? ` fill="url(#${id})"` : ""} d="${areaPath(points, base, how.stack ? under : undefined)}"/>`
      : "";
    const fine = keep.length > how.cells * 80 ? " fi" : "";
    groups.push(`<g class="${colour(i)}">${fill}<path class="ln${fine}" d="${linePath(points)}"/></g>`);
    const last = points[points.length - 1];
    if (last && last.y !== null && !how.stack) {
      dots.push(
        `<circle class="${colour(i)}" cx="${percent(last.x / width)}" cy="${percent(last.y / height)}" r="3"/>`,
      );
    }
    under = points;
  });
  const lines = scale.ticks.map((t) => `M0 ${String(py(t))}h${String(width)}`).join("");
  const ground = scale.lo < 0 && scale.hi > 0 ? `<path class="zr" d="M0 ${String(py(0))}h${String(width)}"/>` : "";
  return (
    `<svg class="st" viewBox="0 0 ${String(width)} ${String(height)}" preserveAspectRatio="none">` +
    `<path class="gr" d="${lines}"/>${ground}${groups.join("")}</svg><svg class="ov">${dots.join("")}</svg>`
  );
}

/** What a script needs to say the values under the pointer, from the paths: scales, names and how numbers are written. */
function readout(
  w: DrawWidget,
  series: readonly Series[],
  along: Along,
  scale: Scale,
  stack: boolean,
  grain: Grain,
  style: NumberStyle,
): string {
  const { exponent, unit } = grain;
  const named = along.kind === "text" && along.at.length <= 400;
  const info = {
    k: along.kind === "time" ? "t" : along.kind === "number" ? "n" : named ? "c" : "i",
    a: along.from,
    b: along.to,
    h: Math.round(scale.hi / unit),
    e: exponent,
    g: along.kind === "time" ? along.grain : undefined,
    p: style.prefix,
    u: style.unit,
    d: style.decimals ?? (exponent < 0 ? grain.decimals : undefined),
    z: stack ? 1 : undefined,
    s: series.map((s) => (series.length > 1 ? clip(s.name, 40) : "")),
    c: named && along.names.length > 0 ? along.names.map((n) => clip(n, 40)) : undefined,
  };
  return w.rows.length < 2 ? "" : ` data-p="${esc(JSON.stringify(info))}"`;
}

export function yLabels(scale: Scale, style: NumberStyle): string {
  const big = Math.max(Math.abs(scale.lo), Math.abs(scale.hi)) >= 10_000 || scale.decimals > 5;
  const labels = [...scale.ticks].reverse().map((t) => {
    const text = formatNumber(t, {
      ...style,
      unit: style.unit === "%" ? "%" : "",
      decimals: big ? null : scale.decimals,
      compact: big,
    });
    return `<span>${esc(text)}</span>`;
  });
  return `<div class="ya">${labels.join("")}</div>`;
}

/** Labels that fit side by side below a widget of this width. */
function tickCount(w: DrawWidget, o: DrawOptions): number {
  return o.wide === true ? 10 : Math.min(9, Math.max(3, Math.round(w.layout.w * 1.1)));
}

function xLabels(along: Along, w: DrawWidget, o: DrawOptions): string {
  const count = tickCount(w, o);
  const span = along.to - along.from;
  let ticks: Tick[];
  if (span <= 0) ticks = [{ at: along.from, label: nameAt(along, 0) }];
  else if (along.kind === "time") ticks = timeTicks(along.from, along.to, count);
  else if (along.kind === "number") {
    const s = niceScale(along.from, along.to, count);
    const big = Math.max(Math.abs(s.lo), Math.abs(s.hi)) >= 100_000;
    ticks = s.ticks
      .filter((t) => t >= along.from && t <= along.to)
      .map((at) => ({
        at,
        label: yearly(s) ? String(at) : formatNumber(at, { decimals: big ? null : s.decimals, compact: big }),
      }));
  } else {
    const every = Math.max(1, Math.ceil(along.at.length / count));
    ticks = along.at.filter((i) => i % every === 0).map((at) => ({ at, label: nameAt(along, at) }));
  }
  if (ticks.length === 0) ticks = [along.from, along.to].map((at) => ({ at, label: edgeName(along, at) }));
  const texts = ticks.map((t, i) => {
    const part = span > 0 ? (t.at - along.from) / span : 0.5;
    const side =
      part < 0.03 ? ' class="s"' : part > 0.97 ? ' class="e"' : i % 2 === 1 && ticks.length > 4 ? ' class="m"' : "";
    return `<text x="${percent(part)}" y="1em"${side}>${esc(t.label)}</text>`;
  });
  return `<svg class="xa">${texts.join("")}</svg>`;
}

/** Whole numbers between 1500 and 2500 are years, which are not grouped. */
function yearly(s: Scale): boolean {
  return s.decimals === 0 && s.lo >= 1500 && s.hi <= 2500;
}

function nameAt(along: Along, i: number): string {
  if (along.kind === "time") return formatTime(along.from);
  if (along.kind === "number") return formatNumber(along.from);
  return clip(along.names[i] ?? String(i + 1), 14);
}

function edgeName(along: Along, at: number): string {
  return along.kind === "time" ? formatTime(at, precisionOf([along.from, along.to])) : formatNumber(at);
}

/** The chart in a sentence, for those who do not see it. */
function summary(w: DrawWidget, series: readonly Series[], along: Along, style: NumberStyle): string {
  const range =
    along.kind === "text"
      ? `${formatNumber(along.at.length)} points`
      : along.from === along.to
        ? edgeName(along, along.from)
        : `${edgeName(along, along.from)} to ${edgeName(along, along.to)}`;
  const each = series.slice(0, 8).map((s) => {
    const present = s.values.filter((v) => v !== null);
    if (present.length === 0) return `${clip(s.name, 60)}: no data`;
    const lo = present.reduce((a, b) => Math.min(a, b));
    const hi = present.reduce((a, b) => Math.max(a, b));
    const last = lastOf(present) ?? 0;
    return `${clip(s.name, 60)}: last ${formatNumber(last, style)}, lowest ${formatNumber(lo, style)}, highest ${formatNumber(hi, style)}`;
  });
  return `${w.title === "" ? "Line chart" : `${w.title}, line chart`}, ${range}. ${each.join(". ")}.`;
}
