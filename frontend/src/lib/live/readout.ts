/**
 * The values under the pointer, for the charts of lib/draw. A line's values are read back from its path, whose units
 * `data-p` explains; a bar carries its text in `data-t`. Styles: `.tip` and `.rule` in widgets.css.
 */

/** What `data-p` of a chart holds; lib/draw/line.ts writes it. */
export interface Plot {
  /** Along the chart: time, number, names (`c`) or the number of the row. */
  readonly k: "t" | "n" | "c" | "i";
  readonly a: number;
  readonly b: number;
  /** Height of the top edge in units, and the power of ten that a unit is. */
  readonly h: number;
  readonly e: number;
  /** The unit of time, in milliseconds, that the data keeps to. */
  readonly g?: number;
  readonly p?: string;
  readonly u?: string;
  readonly d?: number;
  /** 1 when the lines are stacked. */
  readonly z?: number;
  readonly s: readonly string[];
  readonly c?: readonly string[];
}

/** The points of a path made by lib/draw/path.ts, as x and y in turn. */
export function pointsOf(d: string): number[] {
  const out: number[] = [];
  let x = 0;
  let y = 0;
  for (const [, command, rest] of d.matchAll(/([Ml])([^Mlh]*)/g)) {
    const n = (rest ?? "").match(/-?\d+/g)?.map(Number) ?? [];
    for (let i = 0; i + 1 < n.length; i += 2) {
      const absolute = command === "M" && i === 0;
      x = (absolute ? 0 : x) + (n[i] ?? 0);
      y = (absolute ? 0 : y) + (n[i + 1] ?? 0);
      out.push(x, y);
    }
  }
  return out;
}

/** Index of the point nearest to `x`, in points as pointsOf gives them; -1 if there is none. */
export function nearest(points: readonly number[], x: number): number {
  let best = -1;
  let gap = Infinity;
  for (let i = 0; i < points.length; i += 2) {
    const g = Math.abs((points[i] ?? 0) - x);
    if (g < gap) {
      gap = g;
      best = i;
    }
  }
  return best;
}

/** Those of the points whose x lies in a range. */
export function within(points: readonly number[], from: number, to: number): number[] {
  const out: number[] = [];
  for (let i = 0; i + 1 < points.length; i += 2) {
    const x = points[i] ?? 0;
    if (x >= from && x <= to) out.push(x, points[i + 1] ?? 0);
  }
  return out;
}

/** A value, as exact as the drawing is. */
export function sayValue(p: Plot, units: number): string {
  const digits = p.d ?? Math.min(9, Math.max(0, -p.e));
  const v = units * 10 ** p.e;
  const size = Math.abs(v);
  const text = size >= 1e15 ? size.toExponential(2).replace("+", "") : size.toFixed(digits);
  const [whole = "", rest] = text.split(".");
  const grouped = size >= 1e15 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const unit = p.u ? (/^[%‰]/.test(p.u) ? "" : "\u00a0") + p.u : "";
  return (v < 0 ? "\u2212" : "") + (p.p ?? "") + grouped + (rest === undefined ? "" : "." + rest) + unit;
}

/** What a place along the chart is called; `part` runs from 0 to 1. */
export function sayPlace(p: Plot, part: number): string {
  const at = p.a + (p.b - p.a) * part;
  if (p.k === "t") {
    const step = p.g ?? 1_000;
    const d = new Date(Math.round(at / step) * step);
    if (Number.isNaN(d.getTime())) return "";
    const [, day = "", month = "", year = "", clock = ""] =
      /^\w+, 0?(\d+) (\w+) (\d+) (\S+)/.exec(d.toUTCString()) ?? [];
    const time = clock.replace(/:00$/, "");
    return `${day} ${month} ${year}${step >= 86_400_000 ? "" : `, ${time}`}`;
  }
  if (p.k === "n") return String(Number(at.toPrecision(5)));
  const i = Math.round(at);
  return p.c?.[i] ?? String(i + 1);
}

/** What a chart's `data-p` holds. */
export function plotOf(chart: Element): Plot {
  return JSON.parse(chart.getAttribute("data-p") ?? "{}") as Plot;
}

export interface Readouts {
  /** To be called after the page changed: says the values anew that are under the pointer now. */
  refresh: () => void;
  stop: () => void;
}

/** Shows readouts for all charts in the page, now and later. */
export function readouts(page: Document = document): Readouts {
  const tip = page.createElement("div");
  tip.className = "tip";
  const rule = page.createElement("div");
  rule.className = "rule";
  let frame = 0;
  let over: { readonly target: Element; readonly x: number; readonly y: number } | null = null;

  const hide = (): void => {
    over = null;
    tip.remove();
    rule.remove();
  };
  const add = (name: string, value: string, colour: string | null): void => {
    const row = page.createElement("div");
    if (colour) row.append(Object.assign(page.createElement("i"), { className: colour }));
    row.append(name);
    if (value) row.append(Object.assign(page.createElement("b"), { textContent: value }));
    tip.append(row);
  };
  const place = (x: number, y: number): void => {
    page.body.append(tip);
    const view = page.defaultView;
    if (!view) return;
    const left = x + 14 + tip.offsetWidth > view.innerWidth ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${String(Math.max(4, left) + view.scrollX)}px`;
    tip.style.top = `${String(Math.max(4, y - tip.offsetHeight - 10) + view.scrollY)}px`;
  };

  const show = (target: Element, x: number, y: number): void => {
    tip.replaceChildren();
    over = { target, x, y };
    const bar = target.closest("[data-t]");
    if (bar) {
      rule.remove();
      const marks = bar.querySelectorAll("rect:not(.hit)");
      const [name = "", ...values] = (bar.getAttribute("data-t") ?? "").split("\n");
      add(name, "", null);
      values.forEach((v, i) => {
        const [series = "", value = ""] = v.split("\t");
        add(series, value, marks[i]?.getAttribute("class") ?? null);
      });
      place(x, y);
      return;
    }
    const chart = target.closest("[data-p]");
    const area = chart?.querySelector(".pl");
    const box = area?.getBoundingClientRect();
    if (!chart || !area || !box || x < box.left - 8 || x > box.right + 8) {
      hide();
      return;
    }
    const plot = plotOf(chart);
    const drawing = area.querySelector("svg");
    const view = drawing?.getAttribute("viewBox")?.split(" ").map(Number) ?? [];
    const [from = 0, , width = 1, height = 1] = view;
    // Zoomed, the view is a part of this.
    const whole = Number(drawing?.getAttribute("data-w") ?? width);
    const wanted = from + ((x - box.left) / box.width) * width;
    let at = -1;
    let below = plot.h;
    const found: [string, string, string, number][] = [];
    area.querySelectorAll(".ln").forEach((line, i) => {
      const points = within(pointsOf(line.getAttribute("d") ?? ""), from, from + width);
      const k = nearest(points, at < 0 ? wanted : at);
      const px = points[k];
      const py = points[k + 1];
      if (px === undefined || py === undefined) return;
      if (at < 0) at = px;
      // A line that has a gap here says nothing.
      if (Math.abs(px - at) > width / 100) return;
      const units = plot.z ? below - py : plot.h - py;
      below = py;
      found.push([plot.s[i] ?? "", sayValue(plot, units), line.parentElement?.getAttribute("class") ?? "", py]);
    });
    if (found.length === 0) {
      hide();
      return;
    }
    add(sayPlace(plot, whole > 0 ? at / whole : 0), "", null);
    rule.replaceChildren();
    for (const [name, value, colour, py] of found) {
      add(name, value, colour);
      const dot = Object.assign(page.createElement("i"), { className: colour });
      dot.style.top = `${String((py / height) * 100)}%`;
      rule.append(dot);
    }
    const part = (at - from) / width;
    rule.style.left = `${String(part * 100)}%`;
    area.append(rule);
    place(box.left + part * box.width, Math.max(y, box.top + 24));
  };

  const move = (e: PointerEvent): void => {
    const view = page.defaultView;
    if (!view) return;
    view.cancelAnimationFrame(frame);
    const { target, clientX, clientY } = e;
    frame = view.requestAnimationFrame(() => {
      if (target instanceof view.Element) show(target, clientX, clientY);
    });
  };
  const leave = (e: Event): void => {
    if (e.type === "scroll" || e.target === page.documentElement) hide();
  };
  const ears = new AbortController();
  const { signal } = ears;
  page.addEventListener("pointermove", move, { signal });
  page.addEventListener("pointerdown", move, { signal });
  page.documentElement.addEventListener("pointerleave", leave, { signal });
  page.addEventListener("scroll", leave, { passive: true, capture: true, signal });
  return {
    refresh() {
      if (over?.target.isConnected) show(over.target, over.x, over.y);
      else hide();
    },
    stop() {
      page.defaultView?.cancelAnimationFrame(frame);
      ears.abort();
      hide();
    },
  };
}
