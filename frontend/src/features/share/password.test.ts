import { describe, expect, test } from "vitest";
import { checkPassword, generatePassword, normalise } from "./password";

describe("P2 a generated password", () => {
  test("P2 has four groups of four letters and digits that nobody mistakes", () => {
    for (let i = 0; i < 200; i++) {
      const password = generatePassword();
      expect(password).toMatch(/^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){3}$/);
      expect(password).not.toMatch(/[01ilo]/);
    }
    expect(new Set(Array.from({ length: 50 }, () => generatePassword())).size).toBe(50);
  });

  test("P2 favours no letter: bytes that would are thrown away", () => {
    let next = 0;
    const seen = new Map<string, number>();
    // Every byte once, a password each: then every letter comes equally often.
    const every = (bytes: Uint8Array): void => {
      bytes.fill(next++);
    };
    while (next < 248) {
      const [letter = ""] = generatePassword(every);
      seen.set(letter, (seen.get(letter) ?? 0) + 1);
    }
    expect(seen.size).toBe(31);
    expect(new Set(seen.values())).toEqual(new Set([8]));
    const wasted = (bytes: Uint8Array): void => {
      bytes.fill(255);
      bytes[0] = 247;
    };
    expect(generatePassword(wasted)).toBe("9999-9999-9999-9999");
  });
});

describe("P7 the length of a password", () => {
  test.each([
    ["12345", false],
    ["123456", true],
    ["äöü", true], // six bytes
    ["x".repeat(1024), true],
    ["x".repeat(1025), false],
    ["€".repeat(342), false], // 1,026 bytes
  ])("P7 %#", (password, good) => {
    expect(checkPassword(password) === "").toBe(good);
  });
});

test("P2 a password is the same from every keyboard", () => {
  expect(normalise("cafe\u0301 noir")).toBe("caf\u00e9 noir");
});
