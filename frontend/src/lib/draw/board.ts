import { clip, esc, safeId } from "./html";
import { pack } from "./pack";
import type { DrawBoard, DrawWidget } from "./types";
import { drawSection } from "./widget";

/** A dashboard as the share page shows it. */
export interface DrawnBoard {
  /** The title as plain text, for the window. */
  readonly title: string;
  /** Header, grid and footer. */
  readonly body: string;
  /** Where each widget lies. */
  readonly css: string;
}

/** The whole dashboard: every widget drawn, in reading order. */
export function drawBoard(b: DrawBoard): DrawnBoard {
  const title = b.title.trim() === "" ? "Untitled dashboard" : b.title;
  const byId = new Map(b.widgets.map((w) => [w.id, w]));
  const sections = [...pack(b.widgets)].map(([id, layout]) => {
    const w = byId.get(id);
    return w ? drawSection({ ...w, layout }) : "";
  });
  const about = (b.description ?? "").trim();
  const grid =
    sections.length > 0
      ? `<main class="board" id="board">${sections.join("")}</main>`
      : '<main class="board none" id="board"><p>This dashboard is empty.</p></main>';
  const body =
    `<header class="top"><div><h1 id="title">${esc(clip(title, 200))}</h1>` +
    `${about === "" ? "" : `<p class="about">${esc(about)}</p>`}</div><p class="live" id="live"></p></header>` +
    `${grid}<footer class="made">Made with <a href="https://widgets.pro" target="_blank" rel="noopener">widgets.pro</a></footer>`;
  return { title, body, css: drawLayout(b.widgets) };
}

/** The style sheet that places each card on the grid of 12 columns; on a phone they follow each other instead. */
export function drawLayout(widgets: readonly Pick<DrawWidget, "id" | "layout">[]): string {
  const rules = [...pack(widgets)].map(
    ([id, l]) =>
      `#w-${safeId(id)}{grid-area:${String(l.y + 1)}/${String(l.x + 1)}/span ${String(l.h)}/span ${String(l.w)}}`,
  );
  return rules.length === 0 ? "" : `@media(min-width:640px){${rules.join("")}}`;
}
