import { BackendError } from "../lib/backend/backend";
import type {
  BoardId,
  BoardView,
  History,
  HistoryChange,
  HistoryItem,
  HistoryWhat,
  Then,
  WidgetId,
  WidgetView,
} from "../lib/backend/types";

type Content = Pick<BoardView, "title" | "description" | "theme" | "widgets">;

/** What happened to the dashboards in memory: each change, with the state after it. */
export class FakeHistory {
  /** How many changes a page has. */
  page = 20;
  /** What is said of the changes before the oldest one. */
  missing = "";
  /** Whether the rows of earlier states are kept. */
  rows = true;
  #all = new Map<BoardId, { change: HistoryChange; then: Then }[]>(); // newest first
  #ids = 0;

  /** Remembers a change, if there was one. What is not said of it is that it was made now, by this account. */
  record(
    id: BoardId,
    before: Content,
    after: Content,
    to: Partial<Omit<HistoryChange, "position" | "items">> = {},
  ): void {
    const items = itemsOf(before, after);
    if (items.length === 0) return;
    const position = to.waiting ? `device-${String(++this.#ids)}` : String(++this.#ids);
    const change = { at: Date.now(), by: "", mine: true, waiting: false, lost: false, ...to, position, items };
    const { title, description, theme, widgets } = after;
    const then: Then = { position, title, description, theme, widgets, rows: this.rows };
    this.#all.set(id, [{ change, then }, ...(this.#all.get(id) ?? [])]);
  }

  list(id: BoardId, before: string | undefined, widget: WidgetId | undefined): History {
    const all = (this.#all.get(id) ?? [])
      .map(({ change }) => change)
      .flatMap((c) => {
        const items = widget ? c.items.filter((i) => i.widget === widget) : c.items;
        return items.length > 0 ? [{ ...c, items }] : [];
      });
    const from = before ? all.findIndex((c) => c.position === before) + 1 : 0;
    const changes = all.slice(from, from + this.page);
    const more = from + this.page < all.length;
    return { changes, next: more ? (changes.at(-1)?.position ?? "") : "", missing: more ? "" : this.missing };
  }

  then(id: BoardId, position: string): Then {
    const found = (this.#all.get(id) ?? []).find((p) => p.then.position === position);
    if (!found) throw new BackendError({ kind: "not_found", message: "That far back nothing is known." });
    return { ...found.then, rows: this.rows };
  }
}

/** The dashboard with what is named of it as it was, or whole. */
export function restored(now: BoardView, then: Then, widget?: WidgetId | "board", field?: string): Content {
  const { title, description, theme, widgets } = then;
  if (!widget) return { title, description, theme, widgets };
  if (widget === "board")
    return { ...now, ...(field ? { [field]: then[field as "title"] } : { title, description, theme }) };
  const was = widgets.find((w) => w.id === widget);
  if (!was) throw new BackendError({ kind: "not_found", message: "This widget was not on the dashboard then." });
  const is = now.widgets.find((w) => w.id === widget);
  if (!is) return { ...now, widgets: [...now.widgets, was] };
  const next = field ? oneField(is, was, field) : was;
  return { ...now, widgets: now.widgets.map((w) => (w.id === widget ? next : w)) };
}

function oneField(is: WidgetView, was: WidgetView, field: string): WidgetView {
  if (field === "rows") return { ...is, columns: was.columns, rows: was.rows };
  const option = /^opt\.(.+)$/.exec(field)?.[1];
  if (option) return { ...is, options: { ...is.options, [option]: was.options[option] ?? null } };
  return { ...is, [field]: was[field as "title"] };
}

/** What is different between two states, the way that a history tells it. */
export function itemsOf(before: Content, after: Content): HistoryItem[] {
  const out: HistoryItem[] = [];
  const add = (what: HistoryWhat, w: WidgetView | null, to: Partial<HistoryItem> = {}): void => {
    out.push({ what, widget: w?.id ?? "", title: w?.title ?? "", field: "", rows: 0, ...to });
  };
  for (const field of ["title", "description", "theme"] as const)
    if (before[field] !== after[field]) add("set", null, { field, value: after[field] });
  for (const w of after.widgets) {
    const was = before.widgets.find((b) => b.id === w.id);
    if (!was) {
      add("added", w, { rows: w.rows.length });
      continue;
    }
    for (const field of ["title", "kind", "layout"] as const)
      if (!same(was[field], w[field])) add("set", w, { field, value: w[field] });
    for (const name of new Set([...Object.keys(was.options), ...Object.keys(w.options)]))
      if (!same(was.options[name] ?? null, w.options[name] ?? null))
        add("set", w, { field: `opt.${name}`, value: w.options[name] ?? null });
    const longer = w.rows.length - was.rows.length;
    if (longer > 0 && same(was.rows, w.rows.slice(0, was.rows.length))) add("appended", w, { rows: longer });
    else if (!same(was.rows, w.rows) || !same(was.columns, w.columns)) add("replaced", w, { rows: w.rows.length });
  }
  for (const w of before.widgets) if (!after.widgets.some((a) => a.id === w.id)) add("removed", w);
  return out;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
