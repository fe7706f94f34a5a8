import { describe, expect, test } from "vitest";
import { formatTime, precisionOf, timeTicks } from "./time";

const at = (...p: [number, number, number?, number?, number?, number?]): number => Date.UTC(...p);

describe("times", () => {
  test("are written in UTC, as precisely as asked", () => {
    const t = at(2026, 2, 3, 14, 5, 9);
    expect(formatTime(t, "date")).toBe("3 Mar 2026");
    expect(formatTime(t)).toBe("3 Mar 2026, 14:05");
    expect(formatTime(t, "second")).toBe("3 Mar 2026, 14:05:09");
    expect(formatTime(NaN)).toBe("–");
    expect(formatTime(9e15)).toBe("–");
  });

  test("need as much precision as they have", () => {
    expect(precisionOf([at(2026, 0, 1), at(2026, 0, 2)])).toBe("date");
    expect(precisionOf([at(2026, 0, 1), at(2026, 0, 1, 8, 30)])).toBe("minute");
    expect(precisionOf([at(2026, 0, 1, 8, 30, 1)])).toBe("second");
  });

  test.each([
    ["hours", at(2026, 2, 3), at(2026, 2, 3, 12), ["3 Mar", "02:00", "04:00", "06:00", "08:00", "10:00", "12:00"]],
    ["over midnight", at(2026, 2, 3, 18), at(2026, 2, 4, 9), ["18:00", "21:00", "4 Mar", "03:00", "06:00", "09:00"]],
    ["days", at(2026, 1, 26), at(2026, 2, 2), ["26 Feb", "27 Feb", "28 Feb", "1 Mar", "2 Mar"]],
    ["months", at(2025, 9, 15), at(2026, 3, 10), ["Nov", "Dec", "2026", "Feb", "Mar", "Apr"]],
    ["years", at(2016, 5, 1), at(2026, 5, 1), ["2018", "2020", "2022", "2024", "2026"]],
  ])("get round ticks: %s", (_, from, to, labels) => {
    expect(timeTicks(from, to, 6).map((t) => t.label)).toEqual(labels);
  });

  test("ticks lie within, and are never many, for any range", () => {
    for (let span = 1; span < 1e15; span *= 1.7) {
      const ticks = timeTicks(1e9, 1e9 + span, 8);
      expect(ticks.length).toBeLessThanOrEqual(12);
      expect(ticks.every((t) => t.at >= 1e9 && t.at <= 1e9 + span)).toBe(true);
    }
  });
});
