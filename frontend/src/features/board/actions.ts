import type { Edit, WidgetId, WidgetKind, WidgetView } from "../../lib/backend/types";
import { pack } from "../../lib/draw/pack";
import type { AppStore } from "../../lib/state/app.svelte";
import type { BoardStore } from "../../lib/state/board.svelte";
import { kindSpec } from "../widget/kinds";
import { firstFree, tidy, writes, type Placed } from "./grid";

/** What a widget without a title is called in sentences. */
export function nameOf(widget: Pick<WidgetView, "title" | "kind">): string {
  return widget.title.trim() || (kindSpec(widget.kind)?.name ?? "Widget");
}

/** Where the widgets are on screen, in reading order. */
export function placed(widgets: readonly Pick<WidgetView, "id" | "layout">[]): readonly Placed[] {
  return [...pack(widgets)].map(([id, layout]) => ({ id: id as WidgetId, layout }));
}

/** Writes new places as one edit. */
export async function writePlaces(board: BoardStore, after: readonly Placed[], label: string): Promise<void> {
  const widgets = board.shown?.widgets ?? [];
  const edits = writes(widgets, placed(widgets), after, pack).map((p): Edit => ({
    do: "layout",
    widget: p.id,
    value: p.layout,
  }));
  if (edits.length > 0) await board.edit(edits, label);
}

export async function tidyBoard(board: BoardStore): Promise<void> {
  await writePlaces(board, tidy(placed(board.shown?.widgets ?? [])), "Close gaps");
}

/** Adds a widget of a kind with its example data, and opens its panel. */
export async function addWidget(app: AppStore, board: BoardStore, kind: WidgetKind): Promise<void> {
  const spec = kindSpec(kind);
  if (!spec) return;
  const layout = firstFree(placed(board.shown?.widgets ?? []), spec.size.w, spec.size.h);
  const { title, options, columns, rows } = spec.sample;
  const added = await board.edit(
    [{ do: "add", kind, title, layout, options, columns, rows }],
    `Add ${spec.name.toLowerCase()}`,
  );
  const id = added?.[0];
  if (!id) return;
  app.panel = { widget: id, tab: "settings" };
  reveal(id, false);
}

export async function duplicateWidget(app: AppStore, board: BoardStore, id: WidgetId): Promise<void> {
  const added = await board.edit([{ do: "duplicate", widget: id }], "Duplicate widget");
  const copy = added?.[0];
  if (copy) reveal(copy);
  if (copy && app.panel) app.panel = { ...app.panel, widget: copy };
}

/** Removes a widget, with a way back instead of a question before. */
export async function removeWidget(app: AppStore, board: BoardStore, id: WidgetId): Promise<void> {
  const widget = board.widget(id);
  if (!widget) return;
  if (app.panel?.widget === id) app.panel = null;
  const done = await board.edit([{ do: "remove", widget: id }], `Remove ${nameOf(widget)}`);
  if (!done) return;
  offerUndo(app, board, "info", `“${nameOf(widget)}” was removed.`, "Put back");
}

/** Scrolls a widget into view and, unless something else is to have the keyboard, puts the keyboard on it. */
export function reveal(id: WidgetId, focus = true): void {
  requestAnimationFrame(() => {
    const card = document.getElementById(`card-${id}`);
    card?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    if (focus) card?.querySelector<HTMLElement>(".handle")?.focus({ preventScroll: true });
  });
}

/** Tells what was done, with a way to undo it for as long as nothing else was done. */
export function offerUndo(
  app: AppStore,
  board: BoardStore,
  tone: "info" | "success",
  message: string,
  label: string,
): void {
  const id = app.toasts.show(tone, message, { action: { label, run: () => void board.undo() } });
  board.untilNextWrite(() => {
    app.toasts.dismiss(id);
  });
}
