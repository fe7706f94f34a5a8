import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { BoardId } from "../backend/types";
import { Looking } from "./looking";

const a = "dsh_A" as BoardId;
const b = "dsh_B" as BoardId;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watch(fail = false): { looking: Looking; told: (readonly [BoardId | null, boolean])[] } {
  const told: (readonly [BoardId | null, boolean])[] = [];
  const looking = new Looking({
    look: (id, editing) => {
      told.push([id, editing]);
      return fail ? Promise.reject(new Error("gone")) : Promise.resolve();
    },
  });
  return { looking, told };
}

test("presence is told at once and renewed before 20 seconds have passed", () => {
  const { looking, told } = watch();
  looking.at(a);
  looking.at(a);
  expect(told).toEqual([[a, false]]);
  vi.advanceTimersByTime(19_999);
  expect(told).toEqual([
    [a, false],
    [a, false],
  ]);
  looking.at(b);
  looking.stop();
  vi.advanceTimersByTime(60_000);
  expect(told.slice(2)).toEqual([
    [b, false],
    [null, false],
  ]);
});

test("presence: that it is changed is told once for many changes, and taken back when they end", () => {
  const { looking, told } = watch();
  looking.at(a);
  looking.changed();
  looking.changed();
  expect(told).toEqual([
    [a, false],
    [a, true],
  ]);
  vi.advanceTimersByTime(15_000);
  vi.advanceTimersByTime(15_000);
  expect(told.slice(2)).toEqual([
    [a, true],
    [a, false],
  ]);
  looking.changed();
  expect(told.at(-1)).toEqual([a, true]);
});

test("presence: a page out of sight looks at nothing, whatever changes in it", () => {
  const { looking, told } = watch();
  looking.at(a);
  looking.hide(true);
  looking.changed();
  looking.at(b);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([
    [a, false],
    [null, false],
  ]);
  looking.hide(false);
  expect(told.at(-1)).toEqual([b, false]);
});

test("presence: a program that does not answer is told again", async () => {
  const { looking, told } = watch(true);
  looking.at(a);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(told).toHaveLength(2);
});
