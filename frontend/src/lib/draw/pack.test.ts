import { describe, expect, test } from "vitest";
import { gridColumns, overlap, pack } from "./pack";
import { dice } from "./test/widgets";

type Widget = Parameters<typeof pack>[0][number];

function shuffled(list: readonly Widget[], roll: () => number): Widget[] {
  return list
    .map((w) => ({ w, k: roll() }))
    .sort((a, b) => a.k - b.k)
    .map((p) => p.w);
}

describe("packing", () => {
  test("leaves what does not overlap where it is", () => {
    const a = { id: "a", layout: { x: 0, y: 0, w: 6, h: 2 } };
    const b = { id: "b", layout: { x: 6, y: 5, w: 6, h: 2 } };
    expect([...pack([b, a])]).toEqual([
      ["a", a.layout],
      ["b", b.layout],
    ]);
  });

  test("moves the later of two down to the first free place", () => {
    const at = pack([
      { id: "b", layout: { x: 0, y: 1, w: 4, h: 2 } },
      { id: "a", layout: { x: 0, y: 0, w: 4, h: 2 } },
      { id: "c", layout: { x: 2, y: 1, w: 4, h: 1 } },
    ]);
    expect(at.get("a")?.y).toBe(0);
    expect(at.get("b")?.y).toBe(2);
    expect(at.get("c")?.y).toBe(4);
  });

  test("brings back what lies off the grid or holds nonsense", () => {
    const at = pack([{ id: "a", layout: { x: 40, y: -3, w: 99, h: NaN } }]).get("a");
    expect(at).toEqual({ x: 0, y: 0, w: 12, h: 1 });
  });

  test("never overlaps, does not depend on the order given, and changes nothing a second time", () => {
    const roll = dice(11);
    const int = (n: number): number => Math.floor(roll() * n);
    for (let round = 0; round < 300; round++) {
      const widgets: Widget[] = Array.from({ length: 1 + int(25) }, (_, i) => {
        const w = 1 + int(gridColumns);
        return { id: `w${String(i)}`, layout: { x: int(gridColumns - w + 1), y: int(12), w, h: 1 + int(5) } };
      });
      const once = pack(widgets);
      const places = [...once.values()];
      places.forEach((p, i) => {
        expect(places.slice(i + 1).some((q) => overlap(p, q))).toBe(false);
        expect(p.x + p.w).toBeLessThanOrEqual(gridColumns);
      });
      expect([...pack(shuffled(widgets, roll))]).toEqual([...once]);
      expect([...pack([...once].map(([id, layout]) => ({ id, layout })))]).toEqual([...once]);
    }
  });

  test("iterates in reading order", () => {
    const ids = [
      ...pack([
        { id: "c", layout: { x: 0, y: 2, w: 1, h: 1 } },
        { id: "b", layout: { x: 4, y: 0, w: 1, h: 1 } },
        { id: "a", layout: { x: 0, y: 0, w: 1, h: 1 } },
      ]).keys(),
    ];
    expect(ids).toEqual(["a", "b", "c"]);
  });
});
