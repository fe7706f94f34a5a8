/** What a share page does once its script runs: it stays up to date, and says the values under the pointer. */
import { morph } from "../lib/live/morph";
import { readouts } from "../lib/live/readout";
import { connect } from "./link";
import type { Frame } from "./link";

const root = document.documentElement;
let version = Number(root.dataset["v"] ?? 0);
let changed = 0;
let live = false;

function parse(html: string): DocumentFragment {
  const t = document.createElement("template");
  t.innerHTML = html;
  return t.content;
}

/** Places cards anew. A sheet made here comes after those of the page, so its rules win. */
let sheet: CSSStyleSheet | null = null;
function place(css: string): void {
  try {
    sheet ??= new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
  } catch {
    // Safari before 16.4 has no sheets of its own to adopt.
    const last = document.styleSheets[document.styleSheets.length - 1];
    if (css !== "") last?.insertRule(css, last.cssRules.length);
  }
}

function frameOf(f: { title?: string; theme?: string; css?: string }): void {
  if (f.title !== undefined) document.title = f.title;
  if (f.theme !== undefined) root.dataset["theme"] = f.theme;
  if (f.css !== undefined) place(f.css);
}

function whole(f: Extract<Frame, { t: "all" }>): void {
  frameOf(f);
  const place = document.getElementById("board")?.parentElement ?? document.body;
  const page = place.cloneNode() as Element;
  page.append(parse(f.body));
  morph(place, page);
}

function patch(f: Extract<Frame, { t: "patch" }>): boolean {
  const board = document.getElementById("board");
  if (f.from !== version || !board) return false;
  frameOf(f);
  const heading = document.getElementById("title");
  if (heading && f.title !== undefined) heading.textContent = f.title;
  for (const [id, html] of Object.entries(f.widgets ?? {})) {
    const card = document.getElementById(`w-${id}`);
    if (html === null) {
      card?.remove();
      continue;
    }
    const fresh = parse(html).firstElementChild;
    if (!fresh) continue;
    if (card) morph(card, fresh);
    else board.append(fresh);
    flash(card ?? fresh);
  }
  let before: Element | null = null;
  for (const id of f.order ?? []) {
    const card = document.getElementById(`w-${id}`);
    const next: Element | null = before ? before.nextElementSibling : board.firstElementChild;
    if (card && card !== next) board.insertBefore(card, next);
    before = card ?? before;
  }
  const empty = !board.querySelector("section");
  board.classList.toggle("none", empty);
  const words = board.querySelector(":scope > p");
  if (!empty) words?.remove();
  else if (!words) board.append(parse("<p>This dashboard is empty.</p>"));
  return true;
}

function flash(card: Element): void {
  card.classList.add("fresh");
  setTimeout(() => {
    card.classList.remove("fresh");
  }, 1600);
}

function mark(): void {
  const at = document.getElementById("live");
  if (!at) return;
  const age = Math.round((Date.now() - changed) / 1000);
  const when =
    changed === 0
      ? ""
      : age < 5
        ? ", updated just now"
        : age < 60
          ? `, updated ${String(age)} s ago`
          : `, updated ${ago(age)}`;
  const dot = document.createElement("i");
  const words = live ? `Live${when}` : "Reconnecting…";
  if (at.textContent === words) return;
  at.className = live ? "live" : "live off";
  at.replaceChildren(dot, words);
}

function ago(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${String(minutes)} min ago` : `${String(Math.floor(minutes / 60))} h ago`;
}

function refuse(reason: string): void {
  document.title = "Not available";
  place("");
  const main = document.createElement("main");
  main.className = "gone";
  const h1 = document.createElement("h1");
  h1.textContent = "This dashboard is not available";
  const p = document.createElement("p");
  p.textContent =
    reason === "" ? "The link may have been switched off or replaced. Ask whoever sent it for a new one." : reason;
  main.append(h1, p);
  document.body.replaceChildren(main);
}

readouts();
connect({
  version: () => version,
  show(f) {
    if (f.t === "all") whole(f);
    if (f.t === "patch" && !patch(f)) return false;
    version = f.v;
    if (f.t !== "hello") changed = Date.now();
    mark();
    return true;
  },
  state(up) {
    live = up;
    mark();
  },
  gone(reason) {
    clearInterval(clock);
    refuse(reason);
  },
});
const clock = setInterval(mark, 5_000);
