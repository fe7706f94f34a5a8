import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { drawWidget } from "../draw";
import { widget } from "../draw/test/widgets";
import type { Cell, DrawWidget } from "../draw";
import { readouts, sayPlace, sayValue } from "./readout";

const hour = 3_600_000;
const t0 = Date.UTC(2026, 2, 1);

describe("readouts", () => {
  let stop: () => void;

  beforeEach(() => {
    vi.spyOn(window, "requestAnimationFrame").mockImplementation((f) => {
      f(0);
      return 1;
    });
    vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue(new DOMRect(100, 50, 400, 200));
    ({ stop } = readouts());
  });
  afterEach(() => {
    stop();
    vi.restoreAllMocks();
    document.body.replaceChildren();
  });

  function point(w: DrawWidget, selector: string, x: number): string | null {
    const t = document.createElement("template");
    t.innerHTML = drawWidget(w);
    document.body.replaceChildren(t.content);
    const target = document.querySelector(selector);
    if (!target) throw new Error(`no ${selector}`);
    target.dispatchEvent(Object.assign(new Event("pointermove", { bubbles: true }), { clientX: x, clientY: 100 }));
    const rows = [...document.querySelectorAll(".tip > div")].map((d) => d.textContent);
    return rows.length === 0 ? null : rows.join(" | ");
  }

  const rows = Array.from({ length: 101 }, (_, i): Cell[] => [t0 + i * hour, 1000 + i * 2.5, i % 2 === 0 ? -i : null]);

  test("give back a line's very values and times", () => {
    const w = widget("line", ["t:time", "a"], rows, { unit: "ms", prefix: "~" });
    expect(point(w, ".pl", 300)).toBe("3 Mar 2026, 02:00 | ~1,125\u00a0ms");
    expect(point(w, ".pl", 100)).toBe("1 Mar 2026, 00:00 | ~1,000\u00a0ms");
    expect(point(w, ".pl", 501)).toBe("5 Mar 2026, 04:00 | ~1,250\u00a0ms");
    expect(point(w, ".pl", 40)).toBeNull();
  });

  test("name several lines, and leave out one that has a gap there", () => {
    const w = widget(
      "line",
      ["t:time", "a", "b"],
      rows.map((r, i) => [r[0] ?? 0, i, i > 40 && i < 60 ? null : -i]),
    );
    expect(point(w, ".pl", 200)).toBe("2 Mar 2026, 01:00 | a25 | b−25");
    expect(point(w, ".pl", 300)).toBe("3 Mar 2026, 02:00 | a50");
  });

  test("say each part of a stack", () => {
    const w = widget(
      "line",
      ["t:time", "a", "b"],
      rows.map((r, i) => [r[0] ?? 0, i, 7]),
      { stack: true },
    );
    expect(point(w, ".pl", 200)).toBe("2 Mar 2026, 01:00 | a25 | b7");
  });

  test("name the row where there is no scale along", () => {
    expect(
      point(
        widget(
          "line",
          ["m:text", "v"],
          [
            ["Jan", 1],
            ["Feb", 5],
            ["Mar", 2],
          ],
        ),
        ".pl",
        320,
      ),
    ).toBe("Feb | 5");
  });

  test("round days that are not evenly spaced to the very day", () => {
    const days = [0, 1, 5, 6, 13, 400, 700].map((d): Cell[] => [t0 + d * 24 * hour, d]);
    expect(point(widget("line", ["t:time", "v"], days), ".pl", 100 + (400 * 400) / 700)).toBe("5 Apr 2027 | 400");
  });

  test("say what a bar stands for, as text and never as markup", () => {
    const w = widget("bar", ["n:text", "a", "<b>x</b>"], [["<i>Jan</i>", 1, -2]], {
      unit: "per hour",
      horizontal: false,
    });
    expect(point(w, ".br rect", 200)).toBe("<i>Jan</i> | a1\u00a0per hour | <b>x</b>−2\u00a0per hour");
    expect(document.querySelector(".tip b b, .tip div i i")).toBeNull();
  });

  test("go when the pointer leaves, the page scrolls, or the place is empty", () => {
    const w = widget("line", ["t:time", "a"], rows);
    expect(point(w, ".pl", 300)).not.toBeNull();
    document.documentElement.dispatchEvent(new Event("pointerleave"));
    expect(document.querySelector(".tip, .rule")).toBeNull();
  });

  test("write numbers and places", () => {
    const plot = { k: "n", a: 0, b: 10, h: 5, e: -2, s: [""] } as const;
    expect(sayValue(plot, 123456)).toBe("1,234.56");
    expect(sayValue({ ...plot, u: "%", d: 0 }, -150)).toBe("−2%");
    expect(sayValue({ ...plot, e: 290 }, 5)).toBe("5.00e290");
    expect(sayPlace(plot, 0.25)).toBe("2.5");
    expect(sayPlace({ ...plot, k: "t", b: 1e20 }, 0.5)).toBe("");
  });
});
