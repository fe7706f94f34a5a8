import { expect, test } from "vitest";
import { progress } from "./progress";

const at = (queued: number, total = 10_000) => progress({ state: "syncing", queued, total });

test("Q1 a long queue says how much is left, a short one does not", () => {
  expect(at(6500)?.words).toBe("6,500 of 10,000 changes to go");
  expect(at(10_000)?.words).toBe("10,000 changes to go");
  expect(at(6500)?.sent).toBe(3500);
  expect(at(3, 12)).toBeNull();
  expect(at(0)).toBeNull();
  expect(progress({ state: "offline", queued: 6500, total: 10_000 })).toBeNull();
});

test("Q1 it is spoken a few times on the way, not for each number", () => {
  const spoken = new Set(Array.from({ length: 10_000 }, (_, i) => at(10_000 - i)?.spoken));
  expect([...spoken]).toEqual([
    "Sending 10,000 changes.",
    "A quarter of 10,000 changes is sent.",
    "Half of 10,000 changes is sent.",
    "Three quarters of 10,000 changes are sent.",
  ]);
});
