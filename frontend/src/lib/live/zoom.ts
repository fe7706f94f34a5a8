/** Zooming along the line and area charts of lib/draw: a part of what is drawn, in the whole width. */
import { plotOf, pointsOf, sayPlace, within } from "./readout";
import type { Plot } from "./readout";
import { headingOf } from "./table";

/** A stretch of a chart, in what its data is measured in along it. */
export interface Zoom {
  readonly from: number;
  readonly to: number;
  /** Reaches to the end, and goes on to do so as data is added. */
  readonly end: boolean;
}

/** A stretch as parts of the chart, from 0 to 1; null if that is all of it, or nothing of it. */
export function partOf(plot: Plot, z: Zoom): readonly [number, number] | null {
  const span = plot.b - plot.a;
  const shift = z.end ? plot.b - z.to : 0;
  const from = Math.max(0, (z.from + shift - plot.a) / span);
  const to = Math.min(1, (z.to + shift - plot.a) / span);
  return to > from && (from > 0 || to < 1) ? [from, to] : null;
}

/** The stretch between two parts of a chart, moved to lie within it. */
export function stretch(plot: Plot, from: number, to: number): Zoom {
  const size = Math.min(1, to - from);
  const start = Math.min(1 - size, Math.max(0, from));
  const at = (part: number): number => plot.a + (plot.b - plot.a) * part;
  const end = start + size > 1 - 1e-9;
  return { from: at(start), to: end ? plot.b : at(start + size), end };
}

/** How wide a chart is in the units of its drawing, zoomed or not. */
export function widthOf(svg: Element): number {
  const view = svg.getAttribute("viewBox")?.split(" ") ?? [];
  return Number(svg.getAttribute("data-w") ?? view[2] ?? 1);
}

/** Whether a stretch holds at least two points of a line, so that there is something to see in it. */
export function worth(chart: Element, from: number, to: number): boolean {
  const svg = chart.querySelector(".pl .st");
  if (!svg) return false;
  const width = widthOf(svg);
  return [...svg.querySelectorAll(".ln")].some(
    (line) => within(pointsOf(line.getAttribute("d") ?? ""), from * width, to * width).length > 2,
  );
}

/**
 * Makes the chart in a card that was just drawn zoomable and shows the stretch that somebody chose. False if the chart has
 * nothing to show there any more.
 */
export function magnify(card: Element, zoom: Zoom | null): boolean {
  const chart = card.querySelector(".ch[data-p]");
  const svg = chart?.querySelector(".pl .st");
  if (!chart || !svg) return zoom === null;
  chart.setAttribute("tabindex", "0");
  chart.setAttribute("aria-keyshortcuts", "+ - ArrowLeft ArrowRight Escape");
  if (!zoom) return true;
  const plot = plotOf(chart);
  const part = partOf(plot, zoom);
  if (!part || !worth(chart, ...part)) return false;
  const [from, to] = part;
  const page = card.ownerDocument;
  const width = widthOf(svg);
  const height = svg.getAttribute("viewBox")?.split(" ")[3] ?? "1";
  svg.setAttribute("viewBox", `${String(from * width)} 0 ${String((to - from) * width)} ${height}`);
  svg.setAttribute("data-w", String(width));
  svg.parentElement?.classList.add("zm");
  // The dots stand at the last points, which are the end of the chart.
  if (to < 1) chart.querySelector(".pl .ov")?.replaceChildren();
  const labels = [
    ["s", "0%", from],
    ["m", "50%", (from + to) / 2],
    ["e", "100%", to],
  ] as const;
  chart.querySelector(".xa")?.replaceChildren(
    ...labels.map(([side, x, at]) => {
      const text = page.createElementNS("http://www.w3.org/2000/svg", "text");
      text.setAttribute("class", side);
      text.setAttribute("x", x);
      text.setAttribute("y", "1em");
      text.textContent = sayPlace(plot, at);
      return text;
    }),
  );
  headingOf(card).append(
    Object.assign(page.createElement("button"), { type: "button", className: "bk", textContent: "Reset zoom" }),
  );
  return true;
}
