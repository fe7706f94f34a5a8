import { describe, expect, test } from "vitest";
import { niceScale } from "./scale";
import { dice } from "./test/widgets";

describe("scales", () => {
  test.each([
    [0, 97, [0, 25, 50, 75, 100]],
    [0, 1, [0, 0.25, 0.5, 0.75, 1]],
    [-9, 15, [-10, -5, 0, 5, 10, 15]],
    [5, 5, [4.5, 5, 5.5]],
    [0, 0, [0, 0.25, 0.5, 0.75, 1]],
  ])("from %d to %d are round", (lo, hi, ticks) => {
    const s = niceScale(lo, hi, 4);
    expect(s.ticks[0]).toBeLessThanOrEqual(lo);
    expect(s.ticks[s.ticks.length - 1]).toBeGreaterThanOrEqual(hi);
    expect(s.ticks.length).toBeLessThanOrEqual(ticks.length + 3);
    if (lo !== hi) expect(s.ticks).toEqual(ticks);
  });

  test("hold whatever they are given, in few steps", () => {
    const roll = dice(5);
    for (let i = 0; i < 3000; i++) {
      const size = 10 ** Math.floor(roll() * 540 - 260);
      const a = (roll() - 0.5) * size;
      const b = a + (roll() - 0.2) * size * 10 ** -Math.floor(roll() * 14);
      const count = 2 + Math.floor(roll() * 4);
      const s = niceScale(a, b, count);
      const slack = Math.max(Math.abs(a), Math.abs(b)) * 1e-6;
      expect(s.lo).toBeLessThanOrEqual(Math.min(a, b) + slack);
      expect(s.hi).toBeGreaterThanOrEqual(Math.max(a, b) - slack);
      expect(s.hi).toBeGreaterThan(s.lo);
      expect(s.ticks.length).toBeGreaterThanOrEqual(2);
      expect(s.ticks.length).toBeLessThanOrEqual(10);
      expect(s.ticks.every(Number.isFinite)).toBe(true);
    }
  });
});
