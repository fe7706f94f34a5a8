import type { AppStore } from "../lib/state/app.svelte";

/**
 * Sends links that lead out of the app to the system's browser: followed inside the desktop window they would replace
 * the app. Links within it (fragments) work as they are.
 */
export function followLink(app: AppStore, event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link || event.defaultPrevented) return;
  const href = link.getAttribute("href") ?? "";
  if (href.startsWith("#")) return;
  event.preventDefault();
  if (/^(https?|mailto):/i.test(href)) void app.run(() => app.backend.openExternal(href));
}
