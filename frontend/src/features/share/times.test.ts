import { expect, test } from "vitest";
import { ahead, endOf, fromField, left, moment, toField } from "./times";

const now = new Date(2026, 10, 27, 14, 0).getTime();
const minute = 60_000;
const hour = 60 * minute;

test("L5 an end is told by weekday, day and time here", () => {
  expect(moment(new Date(2026, 10, 30, 9, 5).getTime(), now)).toBe("Mon 30 Nov, 09:05");
  expect(moment(new Date(2027, 0, 2, 0, 0).getTime(), now)).toBe("Sat 2 Jan 2027, 00:00");
});

test.each([
  [30_000, "in less than a minute", "1 min"],
  [50 * minute, "in 50 minutes", "50 min"],
  [hour - 1, "in 1 hour", "1 h"],
  [3 * hour, "in 3 hours", "3 h"],
  [30 * hour, "in 30 hours", "30 h"],
  [72 * hour, "in 3 days", "72 h"],
])("L5 how far %d ms are", (ms, words, short) => {
  expect(ahead(now + ms, now)).toBe(words);
  expect(left(now + ms, now)).toBe(short);
});

test("L5 the presets keep the time of day", () => {
  expect(endOf("hour", now)).toBe(now + hour);
  expect(endOf("day", now)).toBe(new Date(2026, 10, 28, 14, 0).getTime());
  expect(endOf("week", now)).toBe(new Date(2026, 11, 4, 14, 0).getTime());
  expect(endOf("month", now)).toBe(new Date(2026, 11, 27, 14, 0).getTime());
});

test("L5 a date field holds local time", () => {
  expect(toField(now)).toBe("2026-11-27T14:00");
  expect(fromField("2026-11-27T14:00")).toBe(now);
  expect(fromField("")).toBeNull();
  expect(fromField("soon")).toBeNull();
});
