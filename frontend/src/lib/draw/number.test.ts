import { describe, expect, test } from "vitest";
import { decimalsOf, formatNumber } from "./number";

describe("numbers", () => {
  test.each([
    [0, "0"],
    [-0, "0"],
    [7, "7"],
    [1234.5, "1,234.5"],
    [1234567, "1,234,567"],
    [-1234.56, "−1,234.6"],
    [0.5, "0.5"],
    [0.000123, "0.000123"],
    [1.001e-8, "1e-8"],
    [-0.001, "−0.001"],
    [3e20, "3e20"],
    [-1.5e300, "−1.5e300"],
    [NaN, "–"],
    [Infinity, "–"],
  ])("%d in full is %s", (v, text) => {
    expect(formatNumber(v)).toBe(text);
  });

  test.each([
    [9999, "9,999"],
    [12345, "12.3k"],
    [99949, "99.9k"],
    [99950, "100k"],
    [999499, "999k"],
    [999500, "1M"],
    [-4.56e9, "−4.56B"],
    [7.1e12, "7.1T"],
    [9.9e14, "990T"],
  ])("%d compact is %s", (v, text) => {
    expect(formatNumber(v, { compact: true })).toBe(text);
  });

  test("take a unit, a prefix and fixed decimals", () => {
    expect(formatNumber(-1234, { prefix: "€", decimals: 2 })).toBe("−€1,234.00");
    expect(formatNumber(12, { unit: "ms" })).toBe("12\u00a0ms");
    expect(formatNumber(12, { unit: "%" })).toBe("12%");
    expect(formatNumber(12, { prefix: "EUR" })).toBe("EUR\u00a012");
    expect(formatNumber(-0.001, { decimals: 2 })).toBe("0.00");
  });

  test("know how many decimals tell values apart", () => {
    expect(decimalsOf([1, 2, 3], 4)).toBe(0);
    expect(decimalsOf([1.5, 2.25], 4)).toBe(2);
    expect(decimalsOf([1 / 3], 4)).toBe(4);
    expect(decimalsOf([0.1 + 0.2], 6)).toBe(1);
  });
});
