import { expect, test } from "vitest";
import { checkSlug, finished, slugify } from "./slug";

test.each([
  ["Team Status", "team-status"],
  ["  --Team__status!!", "team-status-"],
  ["Ärger & Größe", "arger-grosse"],
  ["a--b", "a-b"],
  ["ＡＢＣ", "abc"],
  ["x".repeat(80), "x".repeat(64)],
  ["東京", ""],
])("S2 %j becomes a name as it is typed", (typed, slug) => {
  expect(slugify(typed)).toBe(slug);
});

test("S2 a name is sent without the hyphen somebody stopped at", () => {
  expect(finished("team-")).toBe("team");
});

test.each([
  ["ab", false],
  ["ab-", false],
  ["abc", true],
])("S2 %j is checked before it is sent", (slug, good) => {
  expect(checkSlug(slug) === "").toBe(good);
});
