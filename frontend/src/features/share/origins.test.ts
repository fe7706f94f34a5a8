import { expect, test } from "vitest";
import { parseOrigin, readOrigins } from "./origins";

test.each([
  ["example.org", "https://example.org"],
  [" HTTPS://Example.ORG/path?x ", "https://example.org"],
  ["http://localhost:3000", "http://localhost:3000"],
  ["https://example.org:443", "https://example.org"],
  ["http://example.org:80/", "http://example.org"],
  ["*.example.org", "https://*.example.org"],
  ["https://example.org:8443", "https://example.org:8443"],
  ["10.0.0.1", "https://10.0.0.1"],
])("E5 %j is the site %j", (text, origin) => {
  expect(parseOrigin(text)).toBe(origin);
});

test.each([
  "",
  "ftp://example.org",
  "https://",
  "exa mple.org",
  "example..org",
  "-a.org",
  "a-.org",
  "*",
  "*.*.org",
  "a.*.org",
  "example.org:0",
  "example.org:080",
  "example.org:65536",
  "example.org:x",
  "user@example.org",
  "münchen.de",
  "'self'",
  "https://example.org; script-src *",
  `${"a".repeat(64)}.org`,
])("E5 %j is none", (text) => {
  expect(parseOrigin(text)).toBeNull();
});

test("E5 a pasted list gives the good ones once and names the bad ones", () => {
  expect(readOrigins("example.org, https://example.org\nintra;net:x  b.example")).toEqual({
    good: ["https://example.org", "https://intra", "https://b.example"],
    bad: ["net:x"],
  });
});
