import type { AppStore } from "../lib/state/app.svelte";

/**
 * Sends links that lead out of the app to the system's browser: followed inside the desktop window they would replace
 * the app. Links within it go on without another page.
 */
export function followLink(app: AppStore, event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link || event.defaultPrevented) return;
  const href = link.getAttribute("href") ?? "";
  if (href.startsWith("#")) return;
  const aside = event.ctrlKey || event.metaKey || event.shiftKey; // into a tab or window of its own, which browsers do
  if (aside && href.startsWith("/")) return;
  event.preventDefault();
  if (app.follow(href)) return;
  if (/^(https?|mailto):/i.test(href)) void app.run(() => app.backend.openExternal(href));
}
