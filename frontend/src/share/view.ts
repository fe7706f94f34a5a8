import { interact } from "../lib/live/interact";
import type { Interaction } from "../lib/live/interact";
import { morph } from "../lib/live/morph";
import { parse } from "./html";
import type { Frame, Link } from "./link";
import { place } from "./place";
import { still } from "./still";

const root = document.documentElement;

/** The dashboard on the page: shows what the connection brings and says how fresh it is. */
export interface View extends Pick<Link, "version" | "show" | "state"> {
  /** Forgets everything; nothing is shown from then on. */
  stop(): void;
}

/** Takes over what the page shows; a page that shows nothing yet gets its dashboard with the first frame. */
export function view(): View {
  let version = Number(root.dataset["v"] ?? 0);
  let changed = 0;
  let live = false;
  const hands: Interaction | null = root.dataset["still"] === undefined ? interact() : null;
  const cards = (from: ParentNode): Element[] => [...from.querySelectorAll("#board > section")];
  const mark = (): void => {
    if (live) root.removeAttribute("data-off");
    else if (changed > 0 || root.dataset["v"] !== undefined) root.dataset["off"] = "";
    const at = document.getElementById("live");
    if (!at) return;
    const words = (live ? "Live" : navigator.onLine ? "Reconnecting…" : "Offline") + age(changed, live);
    if (at.textContent === words) return;
    at.className = live ? "live" : "live off";
    at.replaceChildren(document.createElement("i"), words);
  };
  const clock = setInterval(mark, 5_000);
  if (hands) cards(document).forEach(hands.dress);
  else still(document);

  function header(f: { title?: string; theme?: string; css?: string }): void {
    if (f.title !== undefined) document.title = f.title;
    // The theme that the address asks for goes before the dashboard's own.
    if (f.theme !== undefined && root.dataset["fixed"] === undefined) root.dataset["theme"] = f.theme;
    if (f.css !== undefined) place(f.css);
  }

  function whole(f: Extract<Frame, { t: "all" }>): void {
    header(f);
    const fresh = parse(f.body);
    const board = document.getElementById("board");
    hands?.keep(cards(fresh).map((c) => c.id));
    if (hands) cards(fresh).forEach(hands.dress);
    else still(fresh);
    if (board?.parentElement) {
      const page = board.parentElement.cloneNode() as Element;
      page.append(fresh);
      morph(board.parentElement, page);
    } else {
      root.removeAttribute("data-locked");
      document.body.replaceChildren(fresh);
      // Whoever typed the password goes on from here; a frame that opens by itself takes nothing from the page around.
      const main = document.getElementById("board");
      main?.setAttribute("tabindex", "-1");
      if (document.hasFocus()) main?.focus({ preventScroll: true });
    }
  }

  function patch(f: Extract<Frame, { t: "patch" }>): boolean {
    const board = document.getElementById("board");
    if (f.from !== version || !board) return false;
    header(f);
    const heading = document.getElementById("title");
    if (heading && f.title !== undefined) heading.textContent = f.title;
    for (const [id, html] of Object.entries(f.widgets ?? {})) {
      const card = document.getElementById(`w-${id}`);
      if (html === null) {
        card?.remove();
        hands?.drop(`w-${id}`);
        continue;
      }
      const fresh = parse(html).firstElementChild;
      if (!fresh) continue;
      if (hands) hands.dress(fresh);
      else still(fresh);
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

  return {
    version: () => version,
    show(f) {
      if (f.t === "all") whole(f);
      if (f.t === "patch" && !patch(f)) return false;
      version = f.v;
      root.dataset["v"] = String(version);
      if (f.t !== "hello") {
        changed = Date.now();
        hands?.refresh();
      }
      mark();
      return true;
    },
    state(up) {
      live = up;
      mark();
    },
    stop() {
      clearInterval(clock);
      hands?.stop();
    },
  };
}

function flash(card: Element): void {
  card.classList.add("fresh");
  setTimeout(() => {
    card.classList.remove("fresh");
  }, 1600);
}

/** How long ago something changed; what is not live says it only once that is a while. */
function age(changed: number, live: boolean): string {
  const seconds = Math.round((Date.now() - changed) / 1000);
  if (changed === 0 || (!live && seconds < 60)) return "";
  const minutes = Math.floor(seconds / 60);
  const ago =
    seconds < 5
      ? "just now"
      : seconds < 60
        ? `${String(seconds)} s ago`
        : minutes < 60
          ? `${String(minutes)} min ago`
          : `${String(Math.floor(minutes / 60))} h ago`;
  return `, updated ${ago}`;
}
