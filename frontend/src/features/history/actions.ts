import { tick } from "svelte";
import type { HistoryChange, WidgetId } from "../../lib/backend/types";
import type { AppStore } from "../../lib/state/app.svelte";
import type { HistoryStore } from "../../lib/state/history.svelte";
import { offerUndo, reveal } from "../board/actions";

/** Restores what is named of an earlier state, or all of it, without a question before and with a way back after. */
export async function restore(
  app: AppStore,
  history: HistoryStore,
  change: HistoryChange,
  widget?: WidgetId | "board",
  field?: string,
): Promise<void> {
  const done = await history.restore(change, widget, field);
  if (done === "same") app.toasts.show("info", "It is like that already.");
  if (done !== "restored") return;
  offerUndo(app, history.board, "success", "Restored.", "Undo");
  await toNow(history);
  if (covers()) app.closeHistory();
  if (widget && widget !== "board") reveal(widget, false);
}

/** Whether the list lies over the dashboard, as on a phone: what was done is seen once it is closed. */
export function covers(): boolean {
  return matchMedia("(max-width: 720px)").matches;
}

/** Shows the dashboard as it is now; the keyboard stays on the change that was looked at. */
export async function toNow(history: HistoryStore): Promise<void> {
  const at = history.selected;
  history.select(null);
  await tick();
  if (document.activeElement === document.body || document.activeElement === null) focusChange(at);
}

/** Puts the keyboard on a change in the list, or on the first line of it. */
function focusChange(change: HistoryChange | null): void {
  const all = [...document.querySelectorAll<HTMLElement>("[data-change]")];
  const found = all.find((e) => e.dataset.change === change?.position) ?? all[0];
  found?.focus({ preventScroll: true });
  found?.scrollIntoView({ block: "nearest" });
}
