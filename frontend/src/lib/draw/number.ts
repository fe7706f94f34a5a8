/** How numbers are written: 1,234.5 in full and 12.3k compact, with a true minus sign, the same in every engine. */
export interface NumberStyle {
  /** Digits after the point, exactly; null chooses by size and drops trailing zeros. */
  readonly decimals?: number | null;
  /** From 10,000 on, write 12.3k, 4.5M, 6.7B, 8.9T. */
  readonly compact?: boolean;
  /** Written before the digits, such as a currency sign. */
  readonly prefix?: string;
  /** Written after the digits, such as ms or %. */
  readonly unit?: string;
}

const minus = "\u2212";
const space = "\u00a0";

/** A number as text; "–" for what is no number. */
export function formatNumber(value: number, style: NumberStyle = {}): string {
  const p = numberParts(value, style);
  return p.sign + p.before + p.digits + p.after;
}

/** The same in pieces, for whoever sets the unit smaller than the digits. */
export function numberParts(
  value: number,
  style: NumberStyle = {},
): { sign: string; before: string; digits: string; after: string } {
  if (!Number.isFinite(value)) return { sign: "", before: "", digits: "–", after: "" };
  const digits = unsigned(Math.abs(value), style);
  const prefix = style.prefix ?? "";
  const unit = style.unit ?? "";
  return {
    sign: value < 0 && /[1-9]/.test(digits) ? minus : "",
    before: prefix + (/\p{L}$/u.test(prefix) && prefix.length > 1 ? space : ""),
    digits,
    after: unit === "" ? "" : (/^[%‰°′″]/.test(unit) && unit !== "°C" && unit !== "°F" ? "" : space) + unit,
  };
}

function unsigned(v: number, style: NumberStyle): string {
  if (v >= 1e15) return scientific(v);
  if (style.compact === true && v >= 9_999.5) return compact(v);
  if (style.decimals !== undefined && style.decimals !== null) return group(v.toFixed(style.decimals));
  if (v === 0) return "0";
  if (v < 1e-6) return scientific(v);
  const decimals = v >= 10_000 ? 0 : v >= 1_000 ? 1 : v >= 1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(v)));
  return group(trim(v.toFixed(decimals)));
}

function compact(v: number): string {
  let scaled = v / 1e3;
  let i = 0;
  while (i < 3 && Number(scaled.toPrecision(3)) >= 1000) {
    scaled /= 1e3;
    i++;
  }
  return trim(scaled.toFixed(scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)) + ("kMBT"[i] ?? "");
}

function scientific(v: number): string {
  const [digits = "", exponent = "0"] = v.toExponential(2).split("e");
  return `${trim(digits)}e${exponent.replace("+", "")}`;
}

function trim(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function group(digits: string): string {
  const [whole = "", rest] = digits.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest === undefined ? "" : "." + rest);
}

/** How many digits after the point the values need to be told apart, at most `max`. */
export function decimalsOf(values: Iterable<number>, max: number): number {
  let most = 0;
  let power = 1;
  for (const v of values) {
    if (Number.isInteger(v)) continue;
    const slack = 1e-6 * Math.max(1, Math.abs(v));
    while (most < max && Math.abs(v * power - Math.round(v * power)) > slack) {
      most++;
      power *= 10;
    }
    if (most === max) break;
  }
  return most;
}
