/**
 * What pointer and keyboard do to cards (rule E3): values under the pointer, sorting and filtering of tables, zooming of
 * charts. How each card is looked at is kept here, beside the card as it was drawn: a new drawing is arranged in the same
 * way before it is shown, so live changes take nothing from whoever is looking.
 */
import { morph } from "./morph";
import { plotOf, readouts } from "./readout";
import { arrange } from "./table";
import type { Arrangement } from "./table";
import { magnify, partOf, stretch, worth } from "./zoom";
import type { Zoom } from "./zoom";

export interface Interaction {
  /** Arranges a card that was just drawn, before it is shown or morphed into the one that is. */
  dress: (card: Element) => void;
  /** Forgets a card. */
  drop(id: string): void;
  /** Forgets all cards but these. */
  keep(ids: readonly string[]): void;
  /** To be called after the page changed: what is shown under the pointer is said anew. */
  refresh: () => void;
  /** Ends it, and forgets everything. */
  stop(): void;
}

interface Look {
  /** The card as it was drawn. */
  readonly drawn: Element;
  table: Arrangement;
  zoom: Zoom | null;
}

/** Pixels that the pointer moves before it is a span and not a click. */
const least = 8;

/** Lets people work with the cards of a page. Cards are sections with an id; each has to be dressed. */
export function interact(page: Document = document): Interaction {
  const looks = new Map<string, Look>();
  const readout = readouts(page);
  let status: HTMLElement | null = null;

  /** Says what just happened to those who do not see it. */
  const say = (words: string): void => {
    if (!status?.isConnected) {
      status = Object.assign(page.createElement("div"), { className: "sr" });
      status.setAttribute("role", "status");
      page.body.append(status);
    }
    status.textContent = words;
  };

  const dress = (card: Element): void => {
    if (!card.querySelector(".tb, .ch[data-p]")) {
      looks.delete(card.id);
      return;
    }
    const old = looks.get(card.id);
    const look: Look = {
      drawn: card.cloneNode(true) as Element,
      table: old?.table ?? { sort: null, filter: "" },
      zoom: old?.zoom ?? null,
    };
    looks.set(card.id, look);
    arrange(card, look.table);
    if (!magnify(card, look.zoom)) look.zoom = null;
  };

  const find = (e: Event): { card: Element; look: Look; target: Element } | null => {
    const target = e.target;
    if (!(target instanceof Element)) return null;
    const card = target.closest("section[id]");
    const look = card && looks.get(card.id);
    return look ? { card, look, target } : null;
  };
  const redraw = (card: Element, look: Look): void => {
    const fresh = look.drawn.cloneNode(true) as Element;
    arrange(fresh, look.table);
    if (!magnify(fresh, look.zoom)) look.zoom = null;
    morph(card, fresh);
    readout.refresh();
  };
  const zoomTo = (card: Element, look: Look, zoom: Zoom | null): void => {
    const chart = card.querySelector<HTMLElement>(".ch[data-p]");
    if (!chart || (zoom === null && look.zoom === null)) return;
    const lost = zoom === null && page.activeElement?.classList.contains("bk");
    const plot = plotOf(chart);
    const part = zoom && partOf(plot, zoom);
    if (part && !worth(chart, ...part)) return;
    look.zoom = part ? zoom : null;
    redraw(card, look);
    if (lost) chart.focus({ preventScroll: true });
    say(part ? [...card.querySelectorAll(".xa .s, .xa .e")].map((t) => t.textContent).join(" to ") : "All is shown");
  };

  const click = (e: Event): void => {
    const at = find(e);
    if (!at) return;
    const { card, look, target } = at;
    if (target.closest(".bk")) zoomTo(card, look, null);
    const th = target.closest(".so")?.parentElement;
    if (!th) return;
    const name = th.textContent;
    const place = [...(th.parentElement?.children ?? [])].indexOf(th);
    const was = th.getAttribute("aria-sort");
    const sort = was === "descending" ? null : { name, at: place, down: was === "ascending" };
    look.table = { ...look.table, sort };
    redraw(card, look);
    const order = sort === null ? "Not sorted" : `Sorted by ${name}, ${sort.down ? "descending" : "ascending"}`;
    say([order, card.querySelector(".ft")?.textContent ?? ""].filter(Boolean).join(". "));
  };

  const filter = (card: Element, look: Look, text: string): void => {
    look.table = { ...look.table, filter: text };
    redraw(card, look);
    say(card.querySelector(".ft")?.textContent ?? "All rows");
  };
  const input = (e: Event): void => {
    const at = find(e);
    if (at?.target instanceof HTMLInputElement && at.target.className === "tf")
      filter(at.card, at.look, at.target.value);
  };

  const keydown = (e: KeyboardEvent): void => {
    if (e.key === "Escape") span = endSpan();
    const at = find(e);
    if (!at || e.altKey || e.ctrlKey || e.metaKey) return;
    const { card, look, target } = at;
    if (e.key === "Escape" && target instanceof HTMLInputElement && target.value !== "") {
      target.value = "";
      filter(card, look, "");
      return;
    }
    if (e.key === "Escape" && look.zoom) zoomTo(card, look, null);
    if (!target.matches(".ch[data-p]")) return;
    const plot = plotOf(target);
    const [from, to] = (look.zoom && partOf(plot, look.zoom)) ?? [0, 1];
    const size = to - from;
    // Closer looks at the middle, and at the end if that is what is looked at, since that is where news comes in.
    const middle = to === 1 && from > 0 ? 1 : (from + to) / 2;
    const sized = (s: number): Zoom => stretch(plot, Math.min(1 - s, middle - s / 2), Math.min(1, middle + s / 2));
    const moved = (by: number): Zoom => {
      const start = Math.min(1 - size, Math.max(0, from + by * size));
      return stretch(plot, start, start + size);
    };
    const keys: Readonly<Record<string, () => Zoom | null>> = {
      "+": () => sized(size / 2),
      "=": () => sized(size / 2),
      "-": () => (size * 2 < 1 ? sized(size * 2) : null),
      ArrowLeft: () => moved(-0.25),
      ArrowRight: () => moved(0.25),
    };
    const act = keys[e.key];
    if (!act || (!look.zoom && e.key.startsWith("Arrow"))) return;
    e.preventDefault();
    zoomTo(card, look, act());
  };

  // A span that is being dragged across a chart.
  interface Span {
    readonly card: Element;
    readonly look: Look;
    readonly area: Element;
    readonly x: number;
    readonly mark: HTMLElement;
  }
  let span: Span | null = null;
  const endSpan = (): null => {
    span?.mark.remove();
    return null;
  };
  const down = (e: PointerEvent): void => {
    span = endSpan();
    const at = e.isPrimary && e.button === 0 ? find(e) : null;
    const area = at?.target.closest(".ch[data-p]")?.querySelector(".pl");
    if (!at || !area) return;
    const mark = Object.assign(page.createElement("div"), { className: "span" });
    span = { card: at.card, look: at.look, area, x: e.clientX, mark };
  };
  /** The dragged span in parts of the area. */
  const dragged = ({ area, x }: Span, to: number): readonly [number, number] => {
    const box = area.getBoundingClientRect();
    const part = (at: number): number => Math.min(1, Math.max(0, (at - box.left) / box.width));
    return x < to ? [part(x), part(to)] : [part(to), part(x)];
  };
  const move = (e: PointerEvent): void => {
    if (!span || !e.isPrimary) return;
    if (e.buttons === 0) {
      span = endSpan();
      return;
    }
    if (Math.abs(e.clientX - span.x) < least) return;
    const [from, to] = dragged(span, e.clientX);
    span.mark.style.left = `${String(from * 100)}%`;
    span.mark.style.width = `${String((to - from) * 100)}%`;
    // A live change may have taken it away.
    if (!span.mark.isConnected) span.area.append(span.mark);
  };
  const up = (e: PointerEvent): void => {
    const done = span;
    span = endSpan();
    const chart = done?.area.closest(".ch[data-p]");
    const look = done && looks.get(done.card.id);
    if (!done || !chart || !look || e.type !== "pointerup" || Math.abs(e.clientX - done.x) < least) return;
    const plot = plotOf(chart);
    const [from, to] = (look.zoom && partOf(plot, look.zoom)) ?? [0, 1];
    const [a, b] = dragged(done, e.clientX);
    zoomTo(done.card, look, stretch(plot, from + (to - from) * a, from + (to - from) * b));
  };
  const twice = (e: Event): void => {
    const at = find(e);
    if (at?.target.closest(".ch[data-p]")) zoomTo(at.card, at.look, null);
  };

  const ears = new AbortController();
  const { signal } = ears;
  page.addEventListener("click", click, { signal });
  page.addEventListener("input", input, { signal });
  page.addEventListener("keydown", keydown, { signal });
  page.addEventListener("dblclick", twice, { signal });
  page.addEventListener("pointerdown", down, { signal });
  page.addEventListener("pointermove", move, { signal });
  page.addEventListener("pointerup", up, { signal });
  page.addEventListener("pointercancel", up, { signal });

  return {
    dress,
    drop: (id) => looks.delete(id),
    keep(ids) {
      for (const id of looks.keys()) if (!ids.includes(id)) looks.delete(id);
    },
    refresh: readout.refresh,
    stop() {
      ears.abort();
      span = endSpan();
      looks.clear();
      readout.stop();
    },
  };
}
