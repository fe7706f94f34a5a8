import { allColumns, optionBool, optionColumns, optionInt, toNumber, toTime } from "./columns";
import type { Picked } from "./columns";
import { clip, esc } from "./html";
import { decimalsOf, formatNumber } from "./number";
import { formatTime, precisionOf } from "./time";
import type { Cell, DrawWidget, Row } from "./types";

const defaultLimit = 100;
/** Characters of a cell that are drawn. */
const maxShown = 240;

/** Rows and columns, numbers aligned at the point, scrolling inside the card. */
export function drawTable(w: DrawWidget): string {
  const columns = optionColumns(w, "columns") ?? allColumns(w);
  const limit = optionInt(w.options, "limit", 1, 1000) ?? defaultLimit;
  const total = w.rows.length;
  const newest = optionBool(w.options, "newestFirst") ?? (total > limit && grows(w));
  const rows = newest ? w.rows.slice(-limit).reverse() : w.rows.slice(0, limit);
  const write = columns.map((c) => writer(c, rows));
  const head = columns.map((c) => `<th scope="col"${align(c)}>${esc(clip(c.name, 60))}</th>`).join("");
  const body = rows.map(
    (r) => `<tr>${columns.map((c, i) => cell(c, write[i]?.(r[c.index] ?? null) ?? "")).join("")}</tr>`,
  );
  const foot =
    total > rows.length
      ? `<p class="ft">Showing ${newest ? "the newest " : ""}${formatNumber(rows.length)} of ${formatNumber(total)} rows</p>`
      : "";
  const name = esc(w.title === "" ? "Table" : w.title);
  return (
    `<div class="w-b"><div class="tb" tabindex="0" role="group" aria-label="${name}, table">` +
    `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>${foot}</div>`
  );
}

/** Whether the rows are a log: their first time only grows. */
function grows(w: DrawWidget): boolean {
  const time = allColumns(w).find((c) => c.type === "time");
  if (!time) return false;
  let last = -Infinity;
  for (const r of w.rows) {
    const t = toTime(r[time.index]);
    if (t === null || t < last) return false;
    last = t;
  }
  return true;
}

function align(c: Picked): string {
  return c.type === "number" ? ' class="n"' : "";
}

function cell(c: Picked, text: string): string {
  return `<td${c.type === "text" ? "" : ` class="${c.type === "number" ? "n" : "d"}"`}>${esc(text)}</td>`;
}

/** How the cells of a column are written: all numbers with the same digits after the point, all times as precisely. */
function writer(c: Picked, rows: readonly Row[]): (cell: Cell) => string {
  if (c.type === "number") {
    const numbers = rows.map((r) => toNumber(r[c.index])).filter((v) => v !== null);
    const decimals = decimalsOf(
      numbers.filter((v) => Math.abs(v) < 1e9),
      numbers.some((v) => Math.abs(v) >= 1) ? 3 : 6,
    );
    return (v) => {
      const n = typeof v === "boolean" ? null : toNumber(v);
      return n === null ? plain(v) : formatNumber(n, { decimals });
    };
  }
  if (c.type === "time") {
    const precision = precisionOf(rows.map((r) => toTime(r[c.index])).filter((v) => v !== null));
    return (v) => {
      const t = toTime(v);
      return t === null ? plain(v) : formatTime(t, precision);
    };
  }
  return plain;
}

function plain(v: Cell): string {
  if (v === null) return "";
  if (typeof v === "boolean") return v ? "Yes" : "No";
  return typeof v === "number" ? formatNumber(v) : clip(v, maxShown);
}
