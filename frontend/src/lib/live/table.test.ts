import { describe, expect, test } from "vitest";
import { formatNumber, formatTime } from "../draw";
import { compare, keyOf } from "./table";

describe("what a cell is sorted by", () => {
  test.each([0, 7, -1234.5, 1_234_567, 0.000012, 1e16, -2.5e20])("E3 the number that it shows: %d", (v) => {
    expect(keyOf(formatNumber(v, { decimals: null }), "n")).toBeCloseTo(v, 10 - Math.ceil(Math.log10(Math.abs(v) + 1)));
  });

  test.each(["1970-01-01T00:00:00Z", "2026-03-01T04:05:06Z", "1999-12-31T23:59:59Z", "0050-06-07T00:00:00Z"])(
    "E3 the time that it shows: %s",
    (iso) => {
      const ms = Date.parse(iso);
      expect(keyOf(formatTime(ms, "second"), "d")).toBe(ms);
      expect(keyOf(formatTime(ms, "minute"), "d")).toBe(
        ms - (ms % 60_000) - (ms < 0 && ms % 60_000 !== 0 ? 60_000 : 0),
      );
      expect(keyOf(formatTime(ms, "date"), "d")).toBe(Math.floor(ms / 86_400_000) * 86_400_000);
    },
  );

  test("E3 otherwise the text, and nothing if it is empty", () => {
    expect(keyOf(" 5 apples ", "")).toBe("5 apples");
    expect(keyOf("12", "")).toBe("12");
    expect(keyOf("n/a", "n")).toBe("n/a");
    expect(keyOf("some day", "d")).toBe("some day");
    expect(keyOf("4 Foo 2026", "d")).toBe("4 Foo 2026");
    expect(keyOf("", "n")).toBeNull();
    expect(keyOf("   ", "")).toBeNull();
  });
});

test("E3 numbers come before texts, names with numbers as people count, and what is empty last, up and down", () => {
  const keys = ["b10", null, 5, "B9", -2, "a", null];
  const sorted = (down: boolean): unknown[] => [...keys].sort((x, y) => compare(x, y, down));
  expect(sorted(false)).toEqual([-2, 5, "a", "B9", "b10", null, null]);
  expect(sorted(true)).toEqual(["b10", "B9", "a", 5, -2, null, null]);
});
