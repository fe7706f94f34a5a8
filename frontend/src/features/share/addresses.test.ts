import { expect, test } from "vitest";
import { isEnded, readAddresses } from "./addresses";

test.each<[string, readonly string[], readonly string[]]>([
  ["a@example.org", ["a@example.org"], []],
  ["a@example.org,b@example.org;c@example.org\nd@example.org e@example.org", ["a", "b", "c", "d", "e"], []],
  ['Ann Lee <Ann@Example.org>, "Lee, Bob" <bob@example.org>', ["ann", "bob"], []],
  ["a@example.org Bob Ross <b@example.org>", ["a", "b"], []],
  ["a@example.org, A@EXAMPLE.ORG", ["a"], []],
  ["a@, b@example.org, c", ["b"], ["a@", "c"]],
  ["<script>@example.org, @example.org, a@@example.org", [], ["<script>", "@example.org", "a@@example.org"]],
  ["a@.org a@b..c", [], ["a@.org", "a@b..c"]],
  [`${"a".repeat(250)}@example.org`, [], [`${"a".repeat(250)}@example.org`]],
  [" , ;\n ", [], []],
])("I1 B1 addresses in %j", (text, good, bad) => {
  expect(readAddresses(text)).toEqual({
    good: good.map((g) => (g.includes("@") ? g : `${g}@example.org`)),
    bad,
  });
});

test.each<[string, boolean]>([
  ["a@example.org", false],
  ["a@example.org,", true],
  ["a@example.org ", true],
  ["Ann Lee ", false],
  ["Ann <a@example.org>", true],
  ["a@b ", false],
])("I1 an address is taken when it is ended: %j", (text, ended) => {
  expect(isEnded(text)).toBe(ended);
});
