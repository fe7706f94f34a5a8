const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** How much of a time is written. */
export type TimePrecision = "date" | "minute" | "second";

/** A time in milliseconds, in UTC: "3 Mar 2026", "3 Mar 2026, 14:30" or with seconds; "–" for what is no time. */
export function formatTime(ms: number, precision: TimePrecision = "minute"): string {
  const d = new Date(ms);
  if (Number.isNaN(d.getTime())) return "–";
  const date = `${dayMonth(d)} ${String(d.getUTCFullYear())}`;
  if (precision === "date") return date;
  return `${date}, ${clock(d)}${precision === "second" ? ":" + two(d.getUTCSeconds()) : ""}`;
}

/** The least precision that tells the given times apart: dates if all are midnights. */
export function precisionOf(times: Iterable<number>): TimePrecision {
  let p: TimePrecision = "date";
  for (const t of times) {
    if (t % minute !== 0) return "second";
    if (t % day !== 0) p = "minute";
  }
  return p;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

const fixed = [1, 2, 5, 10, 15, 30]
  .map((n) => n * second)
  .concat(
    [1, 2, 5, 10, 15, 30].map((n) => n * minute),
    [1, 2, 3, 6, 12].map((n) => n * hour),
    [1, 2, 3, 7, 14].map((n) => n * day),
  );
const calendar = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 60000, 1200000];

/** Ticks on round times between two times, at most about `count`. */
export function timeTicks(from: number, to: number, count: number): Tick[] {
  if (!(to > from) || Number.isNaN(new Date(from).getTime()) || Number.isNaN(new Date(to).getTime())) return [];
  const want = (to - from) / Math.max(1, count);
  const step = fixed.find((s) => s >= want);
  if (step !== undefined && step < 28 * day) return fixedTicks(from, to, step);
  const n = calendar.find((m) => m * 30.44 * day >= want) ?? 1200000;
  return monthTicks(from, to, n);
}

function fixedTicks(from: number, to: number, step: number): Tick[] {
  // Weeks begin on Monday: 5 January 1970 was one.
  const origin = step >= 7 * day ? 4 * day : 0;
  const out: Tick[] = [];
  for (let at = origin + Math.ceil((from - origin) / step) * step; at <= to; at += step) {
    const d = new Date(at);
    const label =
      step >= day || at % day === 0 ? dayMonth(d) : step < minute ? `${clock(d)}:${two(d.getUTCSeconds())}` : clock(d);
    out.push({ at, label });
  }
  return out;
}

function monthTicks(from: number, to: number, n: number): Tick[] {
  const start = new Date(from);
  const out: Tick[] = [];
  for (let m = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / n) * n; ; m += n) {
    const at = monthStart(m);
    if (Number.isNaN(at) || at > to) return out;
    if (at < from) continue;
    const year = Math.floor(m / 12);
    const month = m - year * 12;
    out.push({ at, label: month === 0 || n >= 12 ? String(year) : (months[month] ?? "") });
  }
}

function monthStart(m: number): number {
  const d = new Date(0);
  const year = Math.floor(m / 12);
  return d.setUTCFullYear(year, m - year * 12, 1);
}

function dayMonth(d: Date): string {
  return `${String(d.getUTCDate())} ${months[d.getUTCMonth()] ?? ""}`;
}

function clock(d: Date): string {
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

function two(n: number): string {
  return n < 10 ? `0${String(n)}` : String(n);
}
