import type { HistoryChange, HistoryItem, WidgetId, WidgetView } from "../../lib/backend/types";
import { count, listing } from "../../lib/words";
import { calendarDay } from "../share/times";
import { kinds, kindSpec, type OptionSpec } from "../widget/kinds";

/** How a history is told: what kind a widget is or was, and which one is called "it" because the list is of it alone. */
export interface Telling {
  readonly kindOf: (widget: WidgetId) => string | undefined;
  readonly it: WidgetId | null;
}

const longest = 60; // characters of a value in a sentence
const named = 3; // widgets that one sentence names

/** The name of who made a change. */
export function whose(change: Pick<HistoryChange, "by" | "mine">): string {
  return change.mine ? "You" : change.by || "Somebody who has left";
}

/** "Today", "Yesterday", "Mon 30 Nov". */
export function dayName(at: number, now: number): string {
  const day = calendarDay(at, now);
  if (day === calendarDay(now, now)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  return day === calendarDay(yesterday.getTime(), now) ? "Yesterday" : day;
}

/** Changes by the day on which they were made, in the order they come in. */
export function byDay(
  changes: readonly HistoryChange[],
  now: number,
): readonly { day: string; changes: readonly HistoryChange[] }[] {
  const days: { day: string; changes: HistoryChange[] }[] = [];
  for (const change of changes) {
    const day = dayName(change.at, now);
    const last = days.at(-1);
    if (last?.day === day) last.changes.push(change);
    else days.push({ day, changes: [change] });
  }
  return days;
}

/** What was changed, a sentence each. Widgets that the same was done to share one. */
export function sentences(items: readonly HistoryItem[], telling: Telling): readonly string[] {
  const out: string[] = [];
  const told = new Set<string>();
  for (const item of items) {
    const verb = together(item);
    if (!verb) out.push(sentence(item, telling));
    else if (!told.has(verb)) {
      told.add(verb);
      const same = items.filter((i) => together(i) === verb);
      out.push(same.length > 1 ? `${verb} ${several(same, telling)}` : sentence(item, telling));
    }
  }
  return [...new Set(out)];
}

/** The sentences that there is room for, and how many more there are. */
export function folded(all: readonly string[], room: number): { shown: readonly string[]; more: number } {
  if (all.length <= room + 1) return { shown: all, more: 0 };
  return { shown: all.slice(0, room), more: all.length - room };
}

/** What is done to several widgets in one go, and told in one sentence. */
function together(item: HistoryItem): string | null {
  switch (item.what) {
    case "added":
      return item.rows > 0 ? null : "Added";
    case "removed":
      return "Removed";
    case "back":
      return "Brought back";
    case "set":
      return item.field === "layout" ? "Moved" : null;
    case "trashed":
    case "untrashed":
    case "appended":
    case "replaced":
    case "trimmed":
    case "buried":
      return null;
  }
}

function several(items: readonly HistoryItem[], telling: Telling): string {
  if (items.length > named + 1) return count(items.length, "widget");
  return listing(items.map((i) => widgetName(i, telling)));
}

function sentence(item: HistoryItem, telling: Telling): string {
  const name = widgetName(item, telling);
  switch (item.what) {
    case "added":
      return item.rows > 0 ? `Added ${name}, with ${count(item.rows, "row")}` : `Added ${name}`;
    case "removed":
      return `Removed ${name}`;
    case "back":
      return `Brought back ${name}`;
    case "trashed":
      return "Moved the dashboard to the trash";
    case "untrashed":
      return "Took the dashboard out of the trash";
    case "appended":
      return `Added ${count(item.rows, "row")} to ${name}`;
    case "replaced":
      return item.rows > 0
        ? `Replaced the data of ${name} (${count(item.rows, "row")})`
        : `Emptied the data of ${name}`;
    case "trimmed":
      return `Removed the oldest rows of ${name}`;
    case "buried":
      return `Removed ${name} for good`;
    case "set":
      return item.widget === "" ? headSentence(item) : setSentence(item, name, telling);
  }
}

function headSentence({ field, value }: HistoryItem): string {
  switch (field) {
    case "title":
      return text(value) ? `Called the dashboard ${quoted(text(value))}` : "Took the title off the dashboard";
    case "description":
      return text(value) ? `Described the dashboard as ${quoted(text(value))}` : "Removed the description";
    case "theme":
      return value === "light" || value === "dark"
        ? `Made the shared page ${value}`
        : "Let the shared page follow the viewer’s system";
    default:
      return "Changed the dashboard";
  }
}

function setSentence(item: HistoryItem, name: string, telling: Telling): string {
  const { field, value } = item;
  if (field === "layout") return `Moved ${name}`;
  if (field === "kind") return `Made ${name} a ${(kindSpec(text(value))?.name ?? "new kind of widget").toLowerCase()}`;
  if (field === "title") {
    if (text(value) === "") return `Took the title off ${name}`;
    if (name === "it") return `Called it ${quoted(text(value))}`;
    return text(value) === item.title
      ? `Called a widget ${quoted(text(value))}`
      : `Gave ${name} the title ${quoted(text(value))}`;
  }
  const option = field.startsWith("opt.")
    ? optionSpec(field.slice(4), telling.kindOf(item.widget as WidgetId))
    : undefined;
  if (field === "opt.text") return `Changed the text of ${name}`;
  if (!option) return `Changed the settings of ${name}`;
  const whole = name === "it"; // the list is of this widget alone
  if (typeof value === "boolean")
    return `Turned “${option.label}” ${value ? "on" : "off"}${whole ? "" : ` for ${name}`}`;
  return `Set “${option.label}”${whole ? "" : ` of ${name}`} to ${optionValue(option, value)}`;
}

/** An option by its name, as the kind has it, or any kind where that is not known. */
function optionSpec(name: string, kind: string | undefined): OptionSpec | undefined {
  const own = kindSpec(kind ?? "")?.options.find((o) => o.name === name);
  return own ?? kinds.flatMap((k) => k.options).find((o) => o.name === name);
}

function optionValue(option: OptionSpec, value: unknown): string {
  if (value === null || value === undefined) return "automatic";
  if (value === "") return "nothing";
  if (Array.isArray(value)) {
    const names = value.filter((v): v is string => typeof v === "string").map((v) => quoted(v));
    return names.length === 0 ? "nothing" : names.length > named ? count(names.length, "column") : listing(names);
  }
  if (typeof value === "string") return quoted(option.choices?.find(([v]) => v === value)?.[1] ?? value);
  return typeof value === "number" ? String(value) : "something else";
}

function widgetName(item: Pick<HistoryItem, "widget" | "title">, { it, kindOf }: Telling): string {
  if (item.widget === it) return "it";
  if (item.title.trim()) return quoted(item.title);
  const kind = item.widget === "" ? undefined : kindSpec(kindOf(item.widget) ?? "");
  return kind ? quoted(kind.name) : "a widget";
}

/** In one line, not too long, between quotation marks. */
function quoted(value: string): string {
  const letters = Array.from(value.replace(/\s+/g, " ").trim());
  return `“${
    letters.length > longest
      ? `${letters
          .slice(0, longest - 1)
          .join("")
          .trimEnd()}…`
      : letters.join("")
  }”`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

/** What was done to a widget in a change, in a word or two, for a mark on it; null if nothing was. */
export function mark(change: HistoryChange, widget: WidgetId): string | null {
  const done = new Set(change.items.filter((i) => i.widget === widget).map(doing));
  return done.has("Added") ? "Added" : done.size > 1 ? "Changed" : ([...done][0] ?? null);
}

function doing(item: HistoryItem): string {
  switch (item.what) {
    case "added":
      return "Added";
    case "back":
      return "Brought back";
    case "appended":
    case "replaced":
    case "trimmed":
      return "Data";
    case "set":
      return { title: "Title", layout: "Moved", kind: "Kind", "opt.text": "Text" }[item.field] ?? "Settings";
    case "removed":
    case "trashed":
    case "untrashed":
    case "buried":
      return "Changed";
  }
}

/** What of the dashboard's head was set in a change. */
export function headFields(change: HistoryChange): ReadonlySet<string> {
  return new Set(change.items.filter((i) => i.widget === "" && i.what === "set").map((i) => i.field));
}

/** What a lost change would restore: a field of a widget or of the head. Null where a change cannot be taken by itself. */
export function lostField(change: HistoryChange): { widget: WidgetId | "board"; field: string } | null {
  const [item] = change.items;
  if (!change.lost || !item) return null;
  const widget = item.widget || "board";
  if (item.what === "set") return { widget, field: item.field };
  return item.what === "replaced" ? { widget, field: "rows" } : null;
}

/** What widgets are or were called, by id: as the dashboard has them now. */
export function kindsOf(widgets: readonly Pick<WidgetView, "id" | "kind">[]): (widget: WidgetId) => string | undefined {
  const known = new Map(widgets.map((w) => [w.id, w.kind]));
  return (widget) => known.get(widget);
}
