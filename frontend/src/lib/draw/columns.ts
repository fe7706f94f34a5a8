import type { Cell, Column, ColumnType, DrawWidget, Options } from "./types";

/** A data column by name, with its place in a row. */
export interface Picked {
  readonly index: number;
  readonly name: string;
  readonly type: ColumnType;
}

/** Thrown while drawing when a widget's settings and its data do not fit; the sentences are for people. */
export class Unfit extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

export function allColumns(w: DrawWidget): Picked[] {
  return w.columns.map((c: Column, index) => ({ index, name: c.name, type: c.type }));
}

/** The column that an option names, or null when the choice is automatic. */
export function optionColumn(w: DrawWidget, option: string): Picked | null {
  const name = w.options[option];
  return typeof name === "string" && name !== "" ? byName(w, name) : null;
}

/** The columns that an option names, or null when the choice is automatic. */
export function optionColumns(w: DrawWidget, option: string): Picked[] | null {
  const names = w.options[option];
  if (!Array.isArray(names)) return null;
  const picked = names.filter((n): n is string => typeof n === "string").map((n) => byName(w, n));
  return picked.length > 0 ? picked : null;
}

function byName(w: DrawWidget, name: string): Picked {
  const found = allColumns(w).find((c) => c.name === name);
  if (!found) throw new Unfit(`The data has no column “${name}”.`, "Its name may have changed. Choose another column.");
  return found;
}

export function optionText(o: Options, name: string): string {
  const v = o[name];
  return typeof v === "string" ? v : "";
}

export function optionBool(o: Options, name: string): boolean | null {
  const v = o[name];
  return typeof v === "boolean" ? v : null;
}

export function optionInt(o: Options, name: string, min: number, max: number): number | null {
  const v = o[name];
  return typeof v === "number" && Number.isFinite(v) ? Math.min(max, Math.max(min, Math.round(v))) : null;
}

/** A cell as a number: numbers, yes and no as 1 and 0, and texts that are plain numbers; null for all else. */
export function toNumber(cell: Cell | undefined): number | null {
  if (typeof cell === "number") return Number.isFinite(cell) ? Math.min(1e300, Math.max(-1e300, cell)) : null;
  if (typeof cell === "boolean") return cell ? 1 : 0;
  if (typeof cell === "string" && cell.length < 40 && /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(cell)) {
    const n = Number(cell);
    return Number.isFinite(n) ? Math.min(1e300, Math.max(-1e300, n)) : null;
  }
  return null;
}

/** A cell as a time in milliseconds; null for what is none. */
export function toTime(cell: Cell | undefined): number | null {
  return typeof cell === "number" && Math.abs(cell) <= 8.64e15 ? cell : null;
}
