import type { ShareView } from "../../lib/backend/types";
import { count } from "../../lib/words";
import { dayWords } from "./times";

const day = 86_400_000;
const shown = 30;

/** A day (UTC, its beginning) and how often the link was opened on it. */
export interface Day {
  readonly at: number;
  readonly opened: number;
}

/** The last 30 days (UTC), today last. What the server told lies where its days were, so a late answer is not today's. */
export function lastDays(views: NonNullable<ShareView["views"]>, now: number): readonly Day[] {
  const today = Math.floor(now / day) * day;
  const told = Date.parse(`${views.day}T00:00:00Z`);
  return Array.from({ length: shown }, (_, i) => {
    const at = today - (shown - 1 - i) * day;
    const back = Math.round((told - at) / day);
    return { at, opened: (back >= 0 ? views.days[views.days.length - 1 - back] : 0) ?? 0 };
  });
}

/** The bars in words, for whoever does not see them. */
export function barWords(days: readonly Day[]): string {
  const sum = days.reduce((n, d) => n + d.opened, 0);
  if (sum === 0) return "Not opened in the last 30 days.";
  const most = days.reduce((a, b) => (b.opened > a.opened ? b : a));
  return `Opened ${count(sum, "time")} in the last 30 days; most often on ${dayWords(most.at)}, ${count(most.opened, "time")}.`;
}
