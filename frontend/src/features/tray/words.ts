import type { Tray, TrayChange } from "../../lib/backend/types";
import { count } from "../../lib/words";
import { kinds } from "../widget/kinds";

const names: Readonly<Record<string, string>> = Object.fromEntries(kinds.map((k) => [k.kind, k.name]));
const options: Readonly<Record<string, string>> = {
  text: "Text",
  ...Object.fromEntries(kinds.flatMap((k) => k.options.map((o) => [`${k.kind}.${o.name}`, o.label]))),
};

/** What a refused change is about. */
export function where(c: TrayChange): string {
  if (c.board) return "This dashboard";
  return c.widget || names[c.kind] || "A widget";
}

/** What it changed, as the end of a line that begins with where. */
export function what(c: TrayChange): string {
  switch (c.change) {
    case "title":
      return `title: ${quoted(c.value)}`;
    case "description":
      return `description: ${quoted(c.value)}`;
    case "theme":
      return `theme: ${c.value}`;
    case "trash":
      return "moved to the trash";
    case "restore":
      return c.board ? "taken out of the trash" : "brought back";
    case "add":
      return `new ${(names[c.kind] ?? "widget").toLowerCase()}${c.rows > 0 ? ` with ${count(c.rows, "row")}` : ""}`;
    case "remove":
      return "removed";
    case "kind":
      return `shown as ${(names[c.value] ?? c.value).toLowerCase()}`;
    case "layout":
      return "moved or resized";
    case "option":
      return `${(options[`${c.kind}.${c.option}`] ?? options[c.option] ?? c.option).toLowerCase()}: ${c.value ? quoted(c.value) : "automatic"}`;
    case "rows":
      return `data replaced by ${count(c.rows, "row")}`;
    case "append":
      return `${count(c.rows, "row")} added`;
    case "trim":
      return "oldest rows removed";
    case "other":
      return "a change that this version cannot name";
  }
}

/** An empty text is told as such. */
function quoted(text: string): string {
  return text === "" ? "none" : `“${text}”`;
}

/** The one reason for which everything was refused, or nothing if there are several. */
export function reason(tray: Tray): string {
  const all = new Set(tray.changes.map((c) => c.why));
  return all.size === 1 ? ([...all][0] ?? "") : "";
}
