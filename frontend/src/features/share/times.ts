import { count } from "../../lib/words";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** The furthest end of a link, in milliseconds from now: ten years of 365 days. */
export const furthest = 10 * 365 * day;

/** The ends that are one choice away. Days are those of the calendar: the same time of day, clocks put forward or not. */
export const presets = [
  ["hour", "In 1 hour"],
  ["day", "Tomorrow, at this time"],
  ["week", "In 7 days"],
  ["month", "In 30 days"],
] as const;
export type Preset = (typeof presets)[number][0];

/** When a preset ends, chosen now. */
export function endOf(preset: Preset, now: number): number {
  if (preset === "hour") return now + hour;
  const at = new Date(now);
  at.setDate(at.getDate() + { day: 1, week: 7, month: 30 }[preset]);
  return at.getTime();
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** "Mon 30 Nov, 14:00", here; with the year when it is another one. */
export function moment(at: number, now: number): string {
  return `${calendarDay(at, now)}, ${clock(at)}`;
}

/** "Mon 30 Nov", here; with the year when it is another one. */
export function calendarDay(at: number, now: number): string {
  const d = new Date(at);
  const year = d.getFullYear() === new Date(now).getFullYear() ? "" : ` ${String(d.getFullYear())}`;
  return `${weekdays[d.getDay()] ?? ""} ${String(d.getDate())} ${months[d.getMonth()] ?? ""}${year}`;
}

/** "14:00", here. */
export function clock(at: number): string {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** "in 3 days", "in 50 minutes". */
export function ahead(at: number, now: number): string {
  const left = at - now;
  if (left < minute) return "in less than a minute";
  const minutes = Math.round(left / minute);
  if (minutes < 60) return `in ${count(minutes, "minute")}`;
  if (left < 36 * hour) return `in ${count(Math.round(left / hour), "hour")}`;
  return `in ${count(Math.round(left / day), "day")}`;
}

/** The same in as little room as a button has: "3 h", "50 min". */
export function left(at: number, now: number): string {
  const minutes = Math.max(1, Math.round((at - now) / minute));
  return minutes < 60 ? `${String(minutes)} min` : `${String(Math.round(minutes / 60))} h`;
}

/** A moment as a datetime-local field has it, in local time. */
export function toField(at: number): string {
  const d = new Date(at);
  return `${String(d.getFullYear())}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** The moment that a datetime-local field holds, or null. */
export function fromField(text: string): number | null {
  const at = new Date(text).getTime(); // without a zone, so local time
  return text === "" || Number.isNaN(at) ? null : at;
}

/** A day (UTC) as "12 Mar". */
export function dayWords(at: number): string {
  const d = new Date(at);
  return `${String(d.getUTCDate())} ${months[d.getUTCMonth()] ?? ""}`;
}
