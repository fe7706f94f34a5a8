import type { Cell, Column, ColumnType, Row } from "../../lib/backend/types";

/** The most rows and columns a widget holds (shared/board, shared/replica). */
export const maxRows = 20_000;
export const maxColumns = 64;

/** A cell as text to edit. Times are shown as they are stored, in UTC. */
export function cellText(cell: Cell | undefined, type: ColumnType): string {
  if (cell === null || cell === undefined) return "";
  if (type === "time" && typeof cell === "number") return timeText(cell);
  if (typeof cell === "boolean") return cell ? "true" : "false";
  return String(cell);
}

/** Milliseconds since 1970 as 2026-03-01, with hours and minutes when there are any, and so on. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(ms);
  const iso = date.toISOString();
  if (ms % 86_400_000 === 0) return iso.slice(0, 10);
  if (ms % 60_000 === 0) return `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
  return `${iso.slice(0, 10)} ${iso.slice(11, ms % 1000 === 0 ? 19 : 23)}`;
}

/**
 * Typed or pasted text as a cell of the column's type. What cannot be read stays the text that was typed, so that nothing
 * is lost; `misfit` then says so on screen.
 */
export function parseCell(text: string, type: ColumnType): Cell {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  switch (type) {
    case "text":
      return text;
    case "number":
      return parseNumber(trimmed) ?? text;
    case "time":
      return parseTime(trimmed) ?? text;
  }
}

/** Whether a cell is not of its column's type, and is therefore left out of charts. */
export function misfit(cell: Cell | undefined, type: ColumnType): boolean {
  return type !== "text" && cell !== null && cell !== undefined && typeof cell !== "number";
}

/** A number as people write it: 1234.5, 1,234.5, 1.234,5, 1 234, 12 %. Null when it is none. */
export function parseNumber(text: string): number | null {
  const bare = text.replace(/[\s\u00a0\u202f']/g, "").replace(/%$/, "");
  if (/^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(bare)) return finite(bare.replaceAll(",", ""));
  if (/^[-+]?\d{1,3}(\.\d{3}){2,}(,\d+)?$|^[-+]?\d{1,3}(\.\d{3})+,\d+$/.test(bare))
    return finite(bare.replaceAll(".", "").replace(",", "."));
  if (/^[-+]?\d+,\d+$/.test(bare)) return finite(bare.replace(",", "."));
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(bare)) return finite(bare);
  return null;
}

function finite(text: string): number | null {
  const n = Number(text);
  return Number.isFinite(n) ? n : null;
}

/** A date or a date and a time in ISO order, or day first with dots; read as UTC. Null when it is none. */
export function parseTime(text: string): number | null {
  const iso =
    /^(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?(?:Z|\+00:?00)?)?)?$/.exec(
      text,
    );
  if (iso) return utc(iso[1], iso[2], iso[3] ?? "1", iso[4], iso[5], iso[6], iso[7]);
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (dotted) return utc(dotted[3], dotted[2], dotted[1], dotted[4], dotted[5], dotted[6], undefined);
  return null;
}

function utc(...parts: (string | undefined)[]): number | null {
  const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = parts.slice(0, 6).map((p) => Number(p ?? 0));
  const ms = Number((parts[6] ?? "0").padEnd(3, "0"));
  const at = Date.UTC(y, mo - 1, d, h, mi, s, ms);
  const back = new Date(at);
  return back.getUTCMonth() === mo - 1 && back.getUTCDate() === d && h < 24 && mi < 60 && s < 60 ? at : null;
}

/** The rows with a column turned into another type. */
export function retype(rows: readonly Row[], at: number, from: ColumnType, to: ColumnType): readonly Row[] {
  return rows.map((row) => row.map((cell, i) => (i === at ? parseCell(cellText(cell, from), to) : cell)));
}

/** The text of a spreadsheet's clipboard: rows by line, cells by tab, quoted where they hold either. */
export function parseTabbed(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const body = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let i = 0; i < body.length; i++) {
    const c = body.charAt(i);
    if (quoted) {
      if (c !== '"') cell += c;
      else if (body.charAt(i + 1) === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === "\t" || c === "\n") {
      row.push(cell);
      cell = "";
      if (c === "\n") {
        rows.push(row);
        row = [];
      }
    } else cell += c;
  }
  row.push(cell);
  rows.push(row);
  return rows;
}

/** Cells as a spreadsheet takes them. */
export function toTabbed(rows: readonly Row[], columns: readonly Column[]): string {
  return rows
    .map((row) =>
      columns
        .map((c, i) => {
          const text = cellText(row[i], c.type);
          return /[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        })
        .join("\t"),
    )
    .join("\n");
}

/**
 * The table after pasting cells with their top left corner at (row, column): it grows downwards and to the right as
 * needed, within the limits.
 */
export function paste(
  table: { columns: readonly Column[]; rows: readonly Row[] },
  at: { row: number; column: number },
  cells: readonly (readonly string[])[],
): { columns: readonly Column[]; rows: readonly Row[] } {
  const width = Math.min(
    maxColumns,
    Math.max(table.columns.length, at.column + Math.max(...cells.map((c) => c.length))),
  );
  const columns = [...table.columns];
  while (columns.length < width) {
    const i = columns.length - at.column;
    const column = cells.map((r) => r[i] ?? "").filter((t) => t.trim() !== "");
    columns.push({ name: freshName(columns), type: guessType(column) });
  }
  const rows = table.rows.slice();
  cells.slice(0, Math.max(0, maxRows - at.row)).forEach((line, i) => {
    const old = rows[at.row + i] ?? [];
    const row: Cell[] = columns.map((_, c) => old[c] ?? null);
    line.forEach((text, j) => {
      const column = columns[at.column + j];
      if (column) row[at.column + j] = parseCell(text, column.type);
    });
    rows[at.row + i] = row;
  });
  return { columns, rows };
}

/** The type that all given texts have. */
export function guessType(texts: readonly string[]): ColumnType {
  if (texts.length === 0) return "text";
  if (texts.every((t) => parseNumber(t.trim()) !== null)) return "number";
  if (texts.every((t) => parseTime(t.trim()) !== null)) return "time";
  return "text";
}

/** A name no column has yet. */
export function freshName(columns: readonly Column[]): string {
  for (let n = columns.length + 1; ; n++) {
    const name = `Column ${String(n)}`;
    if (!columns.some((c) => c.name === name)) return name;
  }
}

/** Whether pasted text looks like a table or JSON data rather than a sentence. */
export function looksLikeData(text: string): boolean {
  const trimmed = text.trim();
  if (/^[[{]/.test(trimmed)) return true;
  const lines = trimmed.split("\n").slice(0, 5);
  return lines.length > 1 && lines.every((l) => /[\t;,|]/.test(l));
}
