import { expect, test } from "vitest";
import { barWords, lastDays } from "./visits";

const now = Date.UTC(2026, 10, 27, 23, 59);
const at = (day: number): number => Date.UTC(2026, 10, day);

test("L7 the last of 30 days is today, in UTC", () => {
  const days = lastDays({ last: now, day: "2026-11-27", days: [1, 2, 3] }, now);
  expect(days).toHaveLength(30);
  expect(days.slice(-3)).toEqual([
    { at: at(25), opened: 1 },
    { at: at(26), opened: 2 },
    { at: at(27), opened: 3 },
  ]);
  expect(days[0]).toEqual({ at: Date.UTC(2026, 9, 29), opened: 0 });
});

test("L7 numbers that were told days ago lie on their days", () => {
  const days = lastDays({ last: 0, day: "2026-11-25", days: [5, 6] }, now);
  expect(days.slice(-4).map((d) => d.opened)).toEqual([5, 6, 0, 0]);
});

test("L7 more days than are shown, and none", () => {
  const all = Array.from({ length: 90 }, (_, i) => i);
  expect(lastDays({ last: 0, day: "2026-11-27", days: all }, now).map((d) => d.opened)).toEqual(all.slice(-30));
  expect(lastDays({ last: 0, day: "", days: [] }, now).every((d) => d.opened === 0)).toBe(true);
});

test("L7 the bars in words", () => {
  const days = lastDays({ last: 0, day: "2026-11-27", days: [1, 9, 2] }, now);
  expect(barWords(days)).toBe("Opened 12 times in the last 30 days; most often on 26 Nov, 9 times.");
  expect(barWords(lastDays({ last: 0, day: "2026-11-27", days: [] }, now))).toBe("Not opened in the last 30 days.");
});
