import { allColumns, optionColumn, Unfit } from "./columns";
import type { Picked } from "./columns";
import { clip, esc } from "./html";
import { formatNumber } from "./number";
import { formatTime } from "./time";
import type { Cell, DrawWidget } from "./types";

export type State = "ok" | "warn" | "down" | "unknown";

const words: Readonly<Record<Exclude<State, "unknown">, string>> = {
  ok: "ok okay up online healthy green good pass passed passing success successful succeeded operational running active available normal ready done complete completed connected enabled live yes true on fine",
  warn: "warn warning degraded slow yellow amber orange partial limited pending maintenance unstable delayed attention busy paused retrying medium caution flaky",
  down: "down offline error errors fail failed failing failure critical red bad outage unavailable unreachable stopped dead broken disconnected disabled crashed timeout no false off high blocked",
};

const known = new Map<string, State>();
for (const state of ["ok", "warn", "down"] as const) for (const w of words[state].split(" ")) known.set(w, state);

/** What a state's word or number means: words in any case, yes and no, 1 and 0, HTTP statuses. */
export function stateOf(cell: Cell | undefined): State {
  if (typeof cell === "boolean") return cell ? "ok" : "down";
  if (typeof cell === "number")
    return cell === 1 || (cell >= 200 && cell < 400)
      ? "ok"
      : cell === 0 || (cell >= 400 && cell < 600)
        ? "down"
        : "unknown";
  if (typeof cell !== "string") return "unknown";
  const text = cell.trim().toLowerCase();
  if (/^\d{1,3}$/.test(text)) return stateOf(Number(text));
  return known.get(text) ?? known.get(/[a-z]+/.exec(text)?.[0] ?? "") ?? "unknown";
}

/** Each state has a shape of its own, so that colour is never needed to tell them apart. */
const icons: Readonly<Record<State, string>> = {
  ok: '<circle cx="8" cy="8" r="7"/><path d="m5 8.2 2.1 2.1L11 6.2"/>',
  warn: '<path class="f" d="M8 1.2 15.2 14.2H.8z"/><path d="M8 6v3.6M8 11.9v.2"/>',
  down: '<rect x="1.2" y="1.2" width="13.6" height="13.6" rx="3"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/>',
  unknown: '<circle class="h" cx="8" cy="8" r="6.2"/><path class="h" d="M5.4 8h5.2"/>',
};

const names: Readonly<Record<State, string>> = { ok: "OK", warn: "warning", down: "down", unknown: "unknown" };
const maxItems = 200;

interface Item {
  readonly label: string;
  readonly state: State;
  readonly word: string;
  readonly detail: string;
}

/** Things and their states. Where a label comes more than once its last row counts. */
export function drawStatus(w: DrawWidget): { head: string; body: string } {
  const { label, state, detail } = choose(w);
  const latest = new Map<string, Item>();
  w.rows.forEach((r, i) => {
    const name = label ? text(r[label.index] ?? null, label) : `Row ${String(i + 1)}`;
    const cell = r[state.index] ?? null;
    latest.set(name, {
      label: name,
      state: stateOf(cell),
      word: text(cell, state),
      detail: detail ? text(r[detail.index] ?? null, detail) : "",
    });
  });
  const items = [...latest.values()];
  const rows = items
    .slice(0, maxItems)
    .map(
      (i) =>
        `<li class="${i.state}"><svg viewBox="0 0 16 16" aria-hidden="true">${icons[i.state]}</svg>` +
        `<span class="nm">${esc(i.label === "" ? "–" : i.label)}</span>` +
        (i.detail === "" ? "" : `<span class="de">${esc(i.detail)}</span>`) +
        `<span class="wd">${esc(i.word === "" ? "unknown" : i.word)}</span></li>`,
    );
  const foot =
    items.length > maxItems ? `<p class="ft">Showing ${String(maxItems)} of ${formatNumber(items.length)}</p>` : "";
  const title = esc(w.title === "" ? "States" : w.title);
  return {
    head: count(items),
    body: `<div class="w-b"><ul class="sl" tabindex="0" role="list" aria-label="${title}">${rows.join("")}</ul>${foot}</div>`,
  };
}

function choose(w: DrawWidget): { label: Picked | null; state: Picked; detail: Picked | null } {
  const all = allColumns(w);
  const chosen = {
    label: optionColumn(w, "label"),
    state: optionColumn(w, "state"),
    detail: optionColumn(w, "detail"),
  };
  const taken = new Set([chosen.label?.index, chosen.state?.index, chosen.detail?.index]);
  const free = all.filter((c) => !taken.has(c.index));
  const state =
    chosen.state ??
    free.find((c) => /^(state|status|health|result)$/i.test(c.name)) ??
    free.find((c) => readable(w, c)) ??
    free.at(1) ??
    free.at(0);
  if (!state) throw new Unfit("This list needs a column of states.", "Its data has none yet.");
  const rest = free.filter((c) => c.index !== state.index);
  const label = chosen.label ?? rest.find((c) => c.type === "text") ?? rest[0] ?? null;
  const detail = chosen.detail ?? rest.find((c) => c.index !== label?.index) ?? null;
  return { label, state, detail };
}

/** Whether most cells of a column are words for states. */
function readable(w: DrawWidget, c: Picked): boolean {
  const some = w.rows.slice(0, 50);
  return some.filter((r) => stateOf(r[c.index]) !== "unknown").length * 2 > some.length;
}

function count(items: readonly Item[]): string {
  const n = (s: State): number => items.filter((i) => i.state === s).length;
  if (items.length > 0 && n("ok") === items.length) return `all ${formatNumber(items.length)} OK`;
  const worst = (["down", "warn", "unknown"] as const).filter((s) => n(s) > 0).slice(0, 2);
  return worst.map((s) => `${formatNumber(n(s))} ${names[s]}`).join(", ");
}

function text(cell: Cell, c: Picked): string {
  if (cell === null) return "";
  if (typeof cell === "boolean") return cell ? "Yes" : "No";
  if (typeof cell === "number") return c.type === "time" ? formatTime(cell) : formatNumber(cell);
  return clip(cell, 120);
}
