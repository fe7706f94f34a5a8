import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");

function token(name: string, theme: "light" | "dark"): string {
  const m = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  const colour = m?.[theme === "light" ? 1 : 2];
  if (colour === undefined) throw new Error(`no colour ${name}`);
  return colour;
}

type Triple = readonly [number, number, number];

function linear(hex: string): Triple {
  const part = (i: number): number => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

/** WCAG 2 contrast of two colours. */
function contrast(a: string, b: string): number {
  const [x, y] = [a, b].map((h) => {
    const [r, g, bl] = linear(h);
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  }) as [number, number];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, severity 1: what people see who lack one kind of cone. */
const eyes: Readonly<Record<string, readonly number[]>> = {
  full: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

/** Oklab of a colour as those eyes see it, times 100. */
function seen(hex: string, m: readonly number[]): Triple {
  const v = linear(hex);
  const row = (i: number): number =>
    Math.min(1, Math.max(0, (m[i] ?? 0) * v[0] + (m[i + 1] ?? 0) * v[1] + (m[i + 2] ?? 0) * v[2]));
  const [r, g, b] = [row(0), row(3), row(6)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const n = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    100 * (0.2104542553 * l + 0.793617785 * n - 0.0040720468 * s),
    100 * (1.9779984951 * l - 2.428592205 * n + 0.4505937099 * s),
    100 * (0.0259040371 * l + 0.7827717662 * n - 0.808675766 * s),
  ];
}

describe.each(["light", "dark"] as const)("%s colours", (theme) => {
  const surfaces = ["page", "card", "raised", "sunken", "hover"];

  test.each(["text", "text-2", "text-3"])("%s is readable on every surface", (name) => {
    for (const s of surfaces) expect(contrast(token(name, theme), token(s, theme))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["ok", "warn", "down"])("%s is readable on a card and on its own ground", (name) => {
    for (const s of ["card", "page", `${name}-soft`]) {
      expect(contrast(token(name, theme), token(s, theme))).toBeGreaterThanOrEqual(4.5);
    }
  });

  test("the accent can be read, read upon, and seen", () => {
    for (const s of [...surfaces, "accent-soft"]) {
      expect(contrast(token("accent", theme), token(s, theme))).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(token("on-accent", theme), token("accent", theme))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(token("line-strong", theme), token("card", theme))).toBeGreaterThanOrEqual(3);
    expect(contrast(token("line-strong", theme), token("page", theme))).toBeGreaterThanOrEqual(3);
  });

  const series = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => token(`c${String(i)}`, theme));

  test("series stand out from a card", () => {
    for (const c of series) expect(contrast(c, token("card", theme))).toBeGreaterThanOrEqual(3);
  });

  test.each(Object.keys(eyes))("series differ for %s eyes", (kind) => {
    const lab = series.map((c) => seen(c, eyes[kind] ?? []));
    lab.forEach((a, i) => {
      for (const b of lab.slice(i + 1)) {
        expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeGreaterThanOrEqual(7);
      }
    });
  });
});
