import { createContext, runInContext } from "node:vm";
import { brotliCompressSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { build } from "vite";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { drawBoard, drawSection } from "../src/lib/draw";
import type { Cell, DrawBoard, DrawWidget } from "../src/lib/draw";
import { dice, faults } from "../src/lib/draw/test/widgets";
import { parts } from "../vite.parts.mjs";

const day = 86_400_000;
const t0 = Date.UTC(2026, 2, 1);

/** 4 numbers, 4 line charts of 500 points, 2 bar charts, a table of 50 rows and a text. */
function reference(): DrawBoard {
  const roll = dice(7);
  const wave = (n: number, base: number, step: number, digits: number): Cell[][] =>
    Array.from({ length: n }, (_, i) => [
      t0 + i * step,
      Number((base * (1 + 0.2 * Math.sin(i / 60) + 0.1 * Math.sin(i / 7) + 0.1 * roll())).toFixed(digits)),
    ]);
  let n = 0;
  const make = (
    kind: string,
    x: number,
    y: number,
    w: number,
    h: number,
    cols: string[],
    rows: Cell[][],
    options = {},
  ): DrawWidget => ({
    id: `wgt_01JD00000000000000000000${String(10 + n++)}`,
    kind,
    title: `Widget number ${String(n)}`,
    layout: { x, y, w, h },
    options,
    columns: cols.map((c, i) => ({ name: c, type: c === "at" ? "time" : i === 0 || c === "name" ? "text" : "number" })),
    rows,
  });
  const names = ["Ada Brown", "Lin Wei", "Marta Díaz", "Jonas Weber", "Aisha Khan"];
  return {
    title: "Shop, operations",
    description: "Sales, health of services and the latest orders.",
    widgets: [
      ...[12_400, 320, 182, 0.42].map((base, i) =>
        make("stat", i * 3, 0, 3, 2, ["at", "value"], wave(60, base, day, 2), { better: "up" }),
      ),
      ...[820, 82, 18, 40].map((base, i) =>
        make("line", (i % 2) * 6, 2 + 4 * Math.floor(i / 2), 6, 4, ["at", "value"], wave(500, base, 3_600_000, 1)),
      ),
      make(
        "bar",
        0,
        10,
        4,
        4,
        ["region", "revenue"],
        ["North", "South", "East", "West"].map((r, i) => [r, 30_000 + i * 7001]),
        { prefix: "€" },
      ),
      make(
        "bar",
        4,
        10,
        4,
        4,
        ["month", "new", "returning"],
        ["Jan", "Feb", "Mar", "Apr"].map((m, i) => [m, 120 + i * 22, 80 + ((i * 37) % 60)]),
      ),
      make(
        "table",
        0,
        14,
        12,
        6,
        ["at", "name", "items", "total"],
        Array.from({ length: 50 }, (_, i) => [
          t0 + i * 2_220_000,
          names[Math.floor(roll() * 5)] ?? "",
          Math.floor(roll() * 6),
          Number((roll() * 300).toFixed(2)),
        ]),
      ),
      make("markdown", 8, 10, 4, 4, [], [], {
        text: "## This week\n\nThe **checkout** went out on *Tuesday*.\n\n- p95 below 250 ms\n- [x] tell the warehouse\n",
      }),
    ],
  };
}

const built = new URL("../node_modules/.test-dist/", import.meta.url);

describe("the built bundles", () => {
  let render = "";
  let share = "";
  let embed = "";
  let styles = "";
  beforeAll(async () => {
    vi.stubEnv("NODE_ENV", "production");
    for (const name of ["render", "share", "embed"] as const) {
      await build({ ...parts[name], build: { ...parts[name].build, outDir: `node_modules/.test-dist/${name}` } });
    }
    const read = (name: string): string => readFileSync(new URL(name, built), "utf8");
    render = read("render/render.js");
    share = read("share/share.js");
    embed = read("embed/embed.js");
    styles = read("share/share.css");
    vi.unstubAllEnvs();
  }, 120_000);

  /** The server's engine has the language and nothing else. */
  function call(name: string, arg: string): unknown {
    const world = createContext(Object.create(null) as object, { codeGeneration: { strings: false, wasm: false } });
    runInContext(
      "for (const k of ['console','Intl','WebAssembly','SharedArrayBuffer','Atomics','escape','unescape']) delete globalThis[k];",
      world,
    );
    runInContext(render, world);
    return runInContext(`widgets.${name}(${JSON.stringify(arg)})`, world);
  }

  test("draw in an engine without host objects what is drawn here", () => {
    const board = reference();
    expect(JSON.parse(call("board", JSON.stringify(board)) as string)).toEqual({ ...drawBoard(board) });
    for (const w of board.widgets) {
      expect(call("widget", JSON.stringify(w))).toBe(drawSection(w));
    }
    expect(faults(drawBoard(board).body)).toEqual([]);
  });

  test("make a share page of 12 widgets in few bytes", () => {
    const { title, body, css } = drawBoard(reference());
    const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${styles}</style><style>${css}</style></head><body>${body}</body></html>`;
    const page = brotliCompressSync(html).length;
    const script = brotliCompressSync(share).length;
    expect(page).toBeLessThan(12_500);
    expect(script).toBeLessThan(8_000);
  });

  test("E6 make a script for pages around a frame that is small, alone and leaves no name behind", () => {
    expect(brotliCompressSync(embed).length).toBeLessThan(600);
    expect(embed).toMatch(/^\(function\(\)\{[^]*\}\)\(\);\s*$/);
    expect(embed).not.toMatch(/\bimport\b|\bexport\b|globalThis|innerHTML/);
  });

  test("hold nothing that the page's policy forbids", () => {
    expect(styles).not.toMatch(/<\/|@import|url\(/);
    for (const script of [share, embed]) {
      expect(script).not.toMatch(/\beval\b|new Function|import\(|document\.write|insertAdjacentHTML|\.outerHTML/);
      expect(script).not.toMatch(/setAttribute\(.(style|on)|console/);
    }
    // Markup is made in one place, which the policy "widgets" guards.
    expect(share.match(/innerHTML/g)).toHaveLength(1);
    expect(share.match(/createPolicy\(.widgets./g)).toHaveLength(1);
    expect(styles).not.toContain("light-dark(");
  });
});
