import { drawBar } from "./bar";
import { Unfit } from "./columns";
import { clip, esc, safeId } from "./html";
import { drawLine } from "./line";
import { drawMarkdown, markdownText } from "./markdown";
import { drawStat } from "./stat";
import { drawStatus } from "./status";
import { drawTable } from "./table";
import type { DrawOptions, DrawWidget } from "./types";

/** The inside of a widget's card: its heading and its body. Never throws: what cannot be drawn says so in words. */
export function drawWidget(w: DrawWidget, options: DrawOptions = {}): string {
  try {
    const { head, body } = inside(w, options);
    return heading(w, head) + body;
  } catch (e) {
    const unfit = e instanceof Unfit ? e : new Unfit("This widget could not be drawn.", "Its data may be damaged.");
    return heading(w, "") + notice(unfit.message, unfit.hint);
  }
}

/** The whole card, as the share page's grid holds it. */
export function drawSection(w: DrawWidget, options: DrawOptions = {}): string {
  return `<section class="w ${kindClass(w.kind)}" id="w-${safeId(w.id)}">${drawWidget(w, options)}</section>`;
}

/** The class of a card by its widget's kind; it sets the height on a phone. */
export function kindClass(kind: string): string {
  return known(kind) ? `k-${kind}` : "k-other";
}

type Kind = "stat" | "line" | "bar" | "table" | "markdown" | "status";

function known(kind: string): kind is Kind {
  return ["stat", "line", "bar", "table", "markdown", "status"].includes(kind);
}

function inside(w: DrawWidget, o: DrawOptions): { head: string; body: string } {
  if (!known(w.kind)) {
    return {
      head: "",
      body: notice(
        "This kind of widget is not known here.",
        `It is called “${clip(w.kind, 40)}” and needs a newer version.`,
      ),
    };
  }
  if (w.kind === "markdown") {
    const text = markdownText(w.options);
    if (text.trim() === "") return { head: "", body: notice("No text yet", "") };
    return {
      head: "",
      body: `<div class="w-b md" tabindex="0" role="group"${label(w)}>${drawMarkdown(text, w.title === "" ? 2 : 3)}</div>`,
    };
  }
  if (w.rows.length === 0) return { head: "", body: notice("No data yet", "") };
  switch (w.kind) {
    case "stat":
      return { head: "", body: drawStat(w) };
    case "line":
      return drawLine(w, o);
    case "bar":
      return { head: "", body: drawBar(w, o) };
    case "table":
      return { head: "", body: drawTable(w) };
    case "status":
      return drawStatus(w);
  }
}

function label(w: DrawWidget): string {
  return w.title === "" ? "" : ` aria-label="${esc(clip(w.title, 200))}"`;
}

function heading(w: DrawWidget, value: string): string {
  if (w.title === "" && value === "") return "";
  const title =
    w.title === ""
      ? "<span></span>"
      : `<h2${w.title.length > 30 ? ` title="${esc(clip(w.title, 200))}"` : ""}>${esc(clip(w.title, 200))}</h2>`;
  return `<div class="w-h">${title}${value === "" ? "" : `<span class="w-v">${value}</span>`}</div>`;
}

function notice(message: string, hint: string): string {
  return `<div class="w-b w-e"><p>${esc(message)}</p>${hint === "" ? "" : `<p>${esc(hint)}</p>`}</div>`;
}
