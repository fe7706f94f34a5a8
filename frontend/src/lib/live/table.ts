/**
 * Sorting and filtering the tables of lib/draw by what their cells say. Numbers and times are read back from their text;
 * lib/draw/table.ts writes them, so this knows how.
 */

/** How somebody looks at a table. */
export interface Arrangement {
  /** The column that rows are sorted by, and which of those with this name. */
  readonly sort: { readonly name: string; readonly at: number; readonly down: boolean } | null;
  /** What a cell of a row must say for the row to be shown. */
  readonly filter: string;
}

/** From this many rows on a table has a field to filter it. */
const manyRows = 11;

type Key = number | string | null;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const collator = new Intl.Collator(undefined, { numeric: true });

/** What a cell is sorted by: a number, a time in milliseconds or a text; null if it is empty. */
export function keyOf(text: string, kind: string): Key {
  const t = text.trim();
  if (t === "") return null;
  if (kind === "n") {
    const v = Number(t.replace(/,/g, "").replace("\u2212", "-"));
    return Number.isNaN(v) ? t : v;
  }
  const [, day, month = "", year, hour = 0, minute = 0, second = 0] =
    (kind === "d" && /^(\d+) (\w{3}) (-?\d+)(?:, (\d+):(\d+)(?::(\d+))?)?$/.exec(t)) || [];
  if (!months.includes(month)) return t;
  // Date.UTC takes years below 100 for those of the last century.
  return new Date(Date.UTC(2000, 0, 1, Number(hour), Number(minute), Number(second))).setUTCFullYear(
    Number(year),
    months.indexOf(month),
    Number(day),
  );
}

/** The order of two cells: numbers before texts, and whatever the direction, the empty ones last. */
export function compare(a: Key, b: Key, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order =
    typeof a === "number" ? (typeof b === "number" ? a - b : -1) : typeof b === "number" ? 1 : collator.compare(a, b);
  return down ? -order : order;
}

/** Text as it is searched in: without case, accents, and what groups digits. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/\u2212/g, "-")
    .replace(/(\d),(?=\d{3})/g, "$1")
    .toLowerCase();
}

/**
 * Makes the table in a card that was just drawn sortable, gives it a field to filter it if it is long, and arranges it as
 * somebody wants it. Says in words if what is arranged is not all there is.
 */
export function arrange(card: Element, how: Arrangement): void {
  const table = card.querySelector(".tb table");
  const body = table?.querySelector("tbody");
  if (!table || !body) return;
  const page = card.ownerDocument;
  const heads = [...table.querySelectorAll("thead th")];
  const by = how.sort ? columnOf(heads, how.sort) : -1;
  const down = how.sort?.down === true;
  heads.forEach((th, i) => {
    if (i === by) th.setAttribute("aria-sort", down ? "descending" : "ascending");
    const button = page.createElement("button");
    th.replaceChildren(Object.assign(button, { type: "button", className: "so", textContent: th.textContent }));
  });

  const all = [...body.rows];
  let rows = all;
  if (by >= 0) {
    rows = all
      .map((row) => {
        const cell = row.cells[by];
        return { row, key: keyOf(cell?.textContent ?? "", cell?.className ?? "") };
      })
      .sort((a, b) => compare(a.key, b.key, down))
      .map(({ row }) => row);
  }
  const wanted = plain(how.filter.trim());
  if (wanted !== "") {
    rows = rows.filter((row) => [...row.cells].some((c) => plain(c.textContent).includes(wanted)));
  }
  if (rows !== all) body.replaceChildren(...rows);
  if (all.length > 0 && rows.length === 0) {
    const cell = body.appendChild(page.createElement("tr")).appendChild(page.createElement("td"));
    Object.assign(cell, { className: "no", colSpan: heads.length, textContent: "No row says that." });
  }

  const title = card.querySelector("h2")?.textContent ?? "";
  if (all.length >= manyRows || how.filter !== "") {
    const field = headingOf(card).appendChild(page.createElement("input"));
    Object.assign(field, { className: "tf", type: "search", placeholder: "Filter", value: how.filter, maxLength: 100 });
    field.setAttribute("aria-label", title === "" ? "Filter rows" : `Filter rows of ${title}`);
    field.setAttribute("autocomplete", "off");
  }

  const foot = card.querySelector(".ft");
  const part = foot?.textContent ?? "";
  const count = `${said(rows.length)} of ${said(all.length)} rows`;
  const done = [by >= 0 ? "sorted" : "", wanted !== "" ? "filtered" : ""].filter(Boolean);
  const only = part !== "" && done.length > 0 ? `Only these are ${done.join(" and ")}` : "";
  const words = [wanted !== "" ? count : "", part, only].filter(Boolean);
  if (words.length === 0) return;
  const at = foot ?? page.createElement("p");
  at.className = "ft";
  at.textContent = words.length === 1 ? words.join("") : `${words.join(". ")}.`;
  if (!foot) card.querySelector(".w-b")?.append(at);
}

/** Where the column that somebody sorts by is now; -1 if it is gone. */
function columnOf(heads: readonly Element[], sort: { name: string; at: number }): number {
  const named = heads.flatMap((th, i) => (th.textContent === sort.name ? [i] : []));
  return named.includes(sort.at) ? sort.at : (named[0] ?? -1);
}

function said(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The card's heading, which is made if it has none. */
export function headingOf(card: Element): Element {
  const there = card.querySelector(".w-h");
  if (there) return there;
  const made = card.ownerDocument.createElement("div");
  made.className = "w-h";
  made.append(card.ownerDocument.createElement("span"));
  card.prepend(made);
  return made;
}
