import { parse } from "./html";
import { forget, remember } from "./memory";
import { place } from "./place";

const root = document.documentElement;

// The words and the drawing of the page that the server sends for a link that does not work.
const refusal =
  '<main class="gone"><svg class="mark" viewBox="0 0 64 64" aria-hidden="true">' +
  '<rect x="4" y="10" width="56" height="44" rx="7"/><path d="M16 42v-8M26 42V26M36 42v-4M46 42V22"/>' +
  '<path class="gap" d="M10 58 54 6"/>' +
  '<path class="accent" d="M10 58 54 6"/></svg><h1>This link does not work</h1><p>There is no dashboard to see here.</p>' +
  '<p class="quiet">The link may have been mistyped, switched off or replaced. ' +
  "Ask whoever sent it to you for the present one.</p></main>";

/** Takes the dashboard off the page, at once and altogether: text, title, description, layout and version. */
function clear(title: string, body: string): void {
  document.title = title;
  place("");
  for (const e of document.querySelectorAll(
    "head :is(meta[property], meta[name=description], link:not([rel=icon]), style ~ style)",
  )) {
    e.remove();
  }
  root.removeAttribute("data-v");
  root.removeAttribute("data-off");
  // Whoever does not see that everything is gone hears it. The focus is left where it is: this may be a frame.
  document.body.setAttribute("aria-live", "assertive");
  document.body.replaceChildren(parse(body));
}

/** The page of a link that does not work (any more). */
export function refuse(): void {
  forget("session");
  clear("This link does not work · widgets.pro", refusal);
}

/** The password was set or changed: what was shown goes, and the page is asked for anew, which brings the prompt. */
export function lock(): void {
  forget("session");
  clear("widgets.pro", '<main class="gone"><p>One moment…</p></main>');
  load(0);
}

/** Loads the page anew, with what else changed about it; viewers do not all come back at once. */
export function reload(): void {
  remember("again", "1");
  load(Math.random() * 1500);
}

/** A page that has just been loaded waits a little, so that a server which contradicts itself is not besieged. */
function load(wait: number): void {
  setTimeout(
    () => {
      location.replace(location.href.replace(/#.*$/, ""));
    },
    Math.max(wait, 1500 - performance.now()),
  );
}
