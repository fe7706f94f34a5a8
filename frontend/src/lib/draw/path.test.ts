import { describe, expect, test } from "vitest";
import { nearest, pointsOf } from "../live/readout";
import { areaPath, linePath, thin } from "./path";
import type { Point } from "./path";
import { dice } from "./test/widgets";

describe("paths", () => {
  test("are relative whole numbers, and a reader gets the points back", () => {
    const roll = dice(3);
    const points: Point[] = Array.from({ length: 200 }, (_, i) => ({
      x: i * 3,
      y: roll() < 0.1 ? null : Math.floor(roll() * 500),
    }));
    const back = pointsOf(linePath(points));
    expect(back).toEqual(points.flatMap((p) => (p.y === null ? [] : [p.x, p.y])));
  });

  test("break at gaps and keep a point alone visible", () => {
    expect(
      linePath([
        { x: 0, y: 5 },
        { x: 1, y: null },
        { x: 2, y: 7 },
        { x: 3, y: 4 },
      ]),
    ).toBe("M0 5h0M2 7l1-3");
    expect(linePath([{ x: 0, y: 5 }])).toBe("M0 5h0");
    expect(linePath([])).toBe("");
  });

  test("areas close on the ground or on the line below", () => {
    const top = [
      { x: 0, y: 1 },
      { x: 2, y: 3 },
    ];
    expect(areaPath(top, 9)).toBe("M0 1l2 2V9H0z");
    expect(
      areaPath(top, 9, [
        { x: 0, y: 8 },
        { x: 2, y: 6 },
      ]),
    ).toBe("M0 1l2 2 0 3-2 2z");
    expect(areaPath([{ x: 0, y: 1 }], 9)).toBe("");
  });

  test("thinning keeps the ends, every peak and the gaps", () => {
    const list: (number | null)[] = Array.from({ length: 20_000 }, (_, i) => Math.sin(i / 50));
    list[777] = 99;
    list[12_345] = -99;
    list[15_000] = null;
    const keep = thin(list, 300);
    expect(keep.length).toBeLessThanOrEqual(905);
    expect(keep).toEqual([...keep].sort((a, b) => a - b));
    expect(new Set(keep).size).toBe(keep.length);
    for (const i of [0, 777, 12_345, 15_000, 19_999]) expect(keep).toContain(i);
    expect(thin([1, 2, 3], 300)).toEqual([0, 1, 2]);
  });

  test("the nearest point to a place is found", () => {
    expect(nearest([0, 5, 10, 6, 20, 7], 14)).toBe(2);
    expect(nearest([], 14)).toBe(-1);
  });
});
