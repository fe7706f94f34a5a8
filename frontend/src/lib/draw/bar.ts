import { chooseAxes, colour, legend, numberStyle, percent, values } from "./chart";
import type { Axes } from "./chart";
import { optionBool, toTime, Unfit } from "./columns";
import { clip, esc } from "./html";
import { yLabels } from "./line";
import { formatNumber } from "./number";
import type { NumberStyle } from "./number";
import { niceScale } from "./scale";
import type { Scale } from "./scale";
import { formatTime, precisionOf } from "./time";
import type { DrawOptions, DrawWidget } from "./types";

/** Bars that can be told apart side by side; of more, the last ones over time and otherwise the first ones are drawn. */
const maxUpright = 80;
const maxLying = 100;

interface Bars {
  readonly names: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly scale: Scale;
  readonly stack: boolean;
  readonly style: NumberStyle;
  /** How many bars the data has, drawn or not. */
  readonly total: number;
}

/** Bars side by side, upright or lying, grouped or stacked. */
export function drawBar(w: DrawWidget, o: DrawOptions): string {
  const axes = chooseAxes(w, ["text", "time", "number"]);
  const all = namesOf(w, axes);
  const timed = axes.x?.type === "time";
  const lying = optionBool(w.options, "horizontal") ?? (!timed && crowded(all, w));
  const max = lying ? maxLying : maxUpright;
  const from = timed && all.length > max ? all.length - max : 0;
  const names = all.slice(from, from + max);
  const stack = optionBool(w.options, "stack") === true;
  const style = numberStyle(w);
  const series = axes.y.map((c) => ({
    name: c.name.replace(/\s+/g, " "),
    values: values(w, c).slice(from, from + max),
  }));
  const [lo, hi] = extent(series, stack);
  if (lo === null || hi === null) throw new Unfit("No data yet", "");
  // Numbers below negative bars need room; lying bars have no scale and fill theirs.
  const room = lo < 0 && series.length === 1 ? (Math.max(0, hi) - lo) * 0.08 : 0;
  const steps = w.layout.h < 4 ? 2 : o.wide === true ? 5 : 4;
  const scale = lying
    ? exactly(Math.min(0, lo), Math.max(0, hi))
    : niceScale(Math.min(0, lo - room), Math.max(0, hi), steps);
  const bars: Bars = { names, series, scale, stack, style, total: all.length };
  const showLegend = optionBool(w.options, "legend") ?? series.length > 1;
  const entries = series.map((s) => ({ name: clip(s.name, 40), value: null }));
  const more =
    all.length > names.length
      ? `<p class="ft">Showing ${formatNumber(names.length)} of ${formatNumber(all.length)}</p>`
      : "";
  return (
    `<div class="w-b">${showLegend ? legend(entries, style) : ""}` +
    `${lying ? lyingBars(w, bars) : uprightBars(w, bars)}${more}</div>`
  );
}

function exactly(lo: number, hi: number): Scale {
  return { lo, hi: hi > lo ? hi : lo + 1, step: 1, ticks: [], decimals: 0 };
}

function namesOf(w: DrawWidget, axes: Axes): string[] {
  const x = axes.x;
  if (!x) return w.rows.map((_, i) => String(i + 1));
  if (x.type !== "time") return w.rows.map((r) => cellName(r[x.index] ?? "").replace(/\s+/g, " "));
  const times = w.rows.map((r) => toTime(r[x.index]));
  const precision = precisionOf(times.filter((t) => t !== null));
  return times.map((t) => {
    if (t === null) return "–";
    const full = formatTime(t, precision);
    return precision === "date" ? full.replace(/ \d+$/, "") : full.replace(/^.*, /, "");
  });
}

function cellName(cell: string | number | boolean): string {
  return typeof cell === "number" ? formatNumber(cell).replace(/^(\d),(\d{3})$/, "$1$2") : String(cell);
}

/** Whether the names would be cut below upright bars of this widget. */
function crowded(names: readonly string[], w: DrawWidget): boolean {
  const room = (w.layout.w * 12) / Math.max(1, names.length);
  return names.length > 24 || names.some((n) => n.length > Math.max(3, room));
}

function extent(series: Bars["series"], stack: boolean): [number | null, number | null] {
  let lo: number | null = null;
  let hi: number | null = null;
  const take = (v: number): void => {
    lo = lo === null ? v : Math.min(lo, v);
    hi = hi === null ? v : Math.max(hi, v);
  };
  const n = series[0]?.values.length ?? 0;
  for (let i = 0; i < n; i++) {
    let up = 0;
    let down = 0;
    for (const s of series) {
      const v = s.values[i] ?? null;
      if (v === null) continue;
      if (!stack) take(v);
      else if (v >= 0) up += v;
      else down += v;
      if (stack) {
        take(up);
        take(down);
      }
    }
  }
  return [lo, hi];
}

/** The bars of one name: where each begins and ends on the scale, as parts of it, from `lo`. */
function pieces(b: Bars, i: number): { series: number; from: number; to: number; value: number }[] {
  const span = b.scale.hi - b.scale.lo;
  const part = (v: number): number => Math.min(1, Math.max(0, (v - b.scale.lo) / span));
  let up = 0;
  let down = 0;
  const out: { series: number; from: number; to: number; value: number }[] = [];
  b.series.forEach((s, k) => {
    const value = s.values[i] ?? null;
    if (value === null) return;
    const start = b.stack ? (value >= 0 ? up : down) : 0;
    if (b.stack && value >= 0) up += value;
    if (b.stack && value < 0) down += value;
    const [from, to] = [part(start), part(start + value)].sort((p, q) => p - q) as [number, number];
    out.push({ series: k, from, to, value });
  });
  return out;
}

/** Name, and for each series its name and value: what lib/live/readout.ts shows. */
function tip(b: Bars, i: number): string {
  const each = b.series.map((s) => {
    const v = s.values[i] ?? null;
    return `${b.series.length > 1 ? clip(s.name, 40) : ""}\t${v === null ? "–" : formatNumber(v, b.style)}`;
  });
  return [clip(b.names[i] ?? "", 60), ...each].join("\n");
}

function uprightBars(w: DrawWidget, b: Bars): string {
  const n = b.names.length;
  const slot = 1 / n;
  const groups: string[] = [];
  const room = 1 - (n > 40 ? 0.16 : 0.32);
  const lanes = b.stack ? 1 : b.series.length;
  const labelled = lanes === 1 && b.series.length === 1 && n <= w.layout.w * 2;
  for (let i = 0; i < n; i++) {
    let marks = "";
    for (const p of pieces(b, i)) {
      const lane = b.stack ? 0 : p.series;
      const width = (slot * room) / lanes;
      const x = i * slot + slot * ((1 - room) / 2) + lane * width;
      const gap = lanes > 1 ? width * 0.08 : 0;
      marks +=
        `<rect class="${colour(p.series)}" x="${percent(x + gap / 2)}" y="${percent(1 - p.to)}" ` +
        `width="${percent(width - gap)}" height="${percent(p.to - p.from)}" rx="2"/>`;
      if (labelled) {
        const above = p.value >= 0;
        const text = formatNumber(p.value, { ...b.style, compact: true });
        marks += `<text x="${percent((i + 0.5) * slot)}" y="${percent(1 - (above ? p.to : p.from))}" dy="${above ? "-.45em" : "1.2em"}">${esc(text)}</text>`;
      }
    }
    groups.push(
      `<g data-t="${esc(tip(b, i))}"><rect class="hit" x="${percent(i * slot)}" width="${percent(slot)}" height="100%"/>${marks}</g>`,
    );
  }
  const steps = b.scale.ticks.length - 1;
  const lines = b.scale.ticks.map((_, i) => percent(i / steps));
  const zero = b.scale.lo < 0 ? percent(b.scale.hi / (b.scale.hi - b.scale.lo)) : null;
  const grid =
    `<svg class="ov gr">${lines.map((y) => `<line x2="100%" y1="${y}" y2="${y}"/>`).join("")}` +
    `${zero === null ? "" : `<line class="zr" x2="100%" y1="${zero}" y2="${zero}"/>`}</svg>`;
  return (
    `<div class="ch${labelled ? " lb" : ""}" role="img" aria-label="${esc(summary(w, b))}">${yLabels(b.scale, b.style)}` +
    `<div class="pl">${grid}<svg class="ov br">${groups.join("")}</svg></div>${slotLabels(b)}</div>`
  );
}

/** Names below the bars: all of them while there is room for each, otherwise every so many. */
function slotLabels(b: Bars): string {
  const n = b.names.length;
  if (n <= 16) {
    return `<div class="xb${n > 6 ? " many" : ""}">${b.names.map((s) => `<span>${esc(clip(s, 30))}</span>`).join("")}</div>`;
  }
  const every = Math.ceil(n / 8);
  const texts = b.names
    .map((s, i) => ({ s, i }))
    .filter(({ i }) => i % every === 0)
    .map(
      ({ s, i }, k) =>
        `<text x="${percent((i + 0.5) / n)}" y="1em"${k % 2 === 1 ? ' class="m"' : i === 0 ? ' class="s"' : ""}>${esc(clip(s, 12))}</text>`,
    );
  return `<svg class="xa">${texts.join("")}</svg>`;
}

function lyingBars(w: DrawWidget, b: Bars): string {
  const lanes = b.stack ? 1 : b.series.length;
  const zero = -b.scale.lo / (b.scale.hi - b.scale.lo);
  const rows = b.names.map((name, i) => {
    const own = pieces(b, i);
    const rects = own.map((p) => {
      const lane = b.stack ? 0 : p.series;
      return (
        `<rect class="${colour(p.series)}" x="${percent(p.from)}" width="${percent(p.to - p.from)}" ` +
        `y="${percent(lane / lanes)}" height="${percent(1 / lanes)}" rx="2"/>`
      );
    });
    const sum = own.reduce((a, p) => a + p.value, 0);
    const text =
      own.length === 0
        ? "–"
        : b.stack || b.series.length === 1
          ? formatNumber(sum, { ...b.style, compact: true })
          : own.map((p) => formatNumber(p.value, { ...b.style, compact: true })).join(" · ");
    const axis = b.scale.lo < 0 ? `<line class="zr" x1="${percent(zero)}" x2="${percent(zero)}" y2="100%"/>` : "";
    return (
      `<tr data-t="${esc(tip(b, i))}"><th scope="row">${esc(clip(name, 60))}</th>` +
      `<td><svg class="l${String(Math.min(3, lanes))}" aria-hidden="true">${rects.join("")}${axis}</svg></td><td>${esc(text)}</td></tr>`
    );
  });
  return `<div class="hb" tabindex="0" role="group" aria-label="${esc(title(w))}"><table>${rows.join("")}</table></div>`;
}

function title(w: DrawWidget): string {
  return w.title === "" ? "Bar chart" : `${w.title}, bar chart`;
}

/** The chart in a sentence: every bar while there are few, otherwise the largest and the smallest. */
function summary(w: DrawWidget, b: Bars): string {
  const n = b.names.length;
  if (n * b.series.length <= 12) {
    return `${title(w)}. ${b.names.map((_, i) => tip(b, i).replace(/[\n\t]+/g, " ")).join("; ")}.`;
  }
  const each = b.series.map((s) => {
    let lo = -1;
    let hi = -1;
    s.values.forEach((v, i) => {
      if (v === null) return;
      if (lo < 0 || v < (s.values[lo] ?? 0)) lo = i;
      if (hi < 0 || v > (s.values[hi] ?? 0)) hi = i;
    });
    if (lo < 0) return `${clip(s.name, 60)}: no data`;
    const say = (i: number): string => `${clip(b.names[i] ?? "", 40)} ${formatNumber(s.values[i] ?? 0, b.style)}`;
    return `${clip(s.name, 60)}: highest ${say(hi)}, lowest ${say(lo)}`;
  });
  return `${title(w)}, ${formatNumber(b.total)} bars. ${each.join(". ")}.`;
}
