import { toNow } from "../features/history/actions";
import { inText } from "../lib/keys";
import type { AppStore } from "../lib/state/app.svelte";
import { mayEdit } from "../lib/state/board.svelte";

/** The keys that work everywhere. Keys of the board are in features/board. */
export function shortcut(app: AppStore, event: KeyboardEvent): void {
  if (event.defaultPrevented || !app.state) return;
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (command && key === "k") {
    event.preventDefault();
    if (app.overlay?.show === "palette") app.overlay = null;
    else if (!app.overlay) app.overlay = { show: "palette" };
    return;
  }
  if (app.overlay || inText(event.target)) return;
  if (command && key === "z") {
    event.preventDefault();
    void (event.shiftKey ? app.redo() : app.undo());
  } else if (command && key === "y") {
    event.preventDefault();
    void app.redo();
  } else if (command && event.shiftKey && key === "h" && mayEdit(app.board?.shown)) {
    event.preventDefault();
    if (app.history) app.closeHistory();
    else app.openHistory();
  } else if (key === "escape" && app.panel) {
    event.preventDefault();
    app.panel = null;
  } else if (key === "escape" && app.history) {
    event.preventDefault();
    if (app.history.selected) void toNow(app.history);
    else app.closeHistory();
  } else if (key === "?" && !command) {
    event.preventDefault();
    app.overlay = { show: "shortcuts" };
  }
}
