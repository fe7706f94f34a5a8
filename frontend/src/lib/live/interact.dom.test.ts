import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { drawSection } from "../draw";
import type { Cell, DrawWidget } from "../draw";
import { widget } from "../draw/test/widgets";
import { interact } from "./interact";
import type { Interaction } from "./interact";
import { morph } from "./morph";

const hour = 3_600_000;
const t0 = Date.UTC(2026, 2, 1);

describe("interaction", () => {
  let hands: Interaction;
  beforeEach(() => {
    vi.spyOn(window, "requestAnimationFrame").mockImplementation((f) => {
      f(0);
      return 1;
    });
    vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue(new DOMRect(100, 50, 400, 200));
    hands = interact();
  });
  afterEach(() => {
    hands.stop();
    vi.restoreAllMocks();
    document.body.replaceChildren();
  });

  function card(w: DrawWidget): Element {
    const t = document.createElement("template");
    t.innerHTML = drawSection(w);
    const e = t.content.firstElementChild;
    if (!e) throw new Error("no card");
    hands.dress(e);
    return e;
  }
  /** Shows a widget, or changes it live. */
  function show(w: DrawWidget): void {
    const there = document.getElementById(`w-${w.id}`);
    if (there) morph(there, card(w));
    else document.body.append(card(w));
    hands.refresh();
  }
  function find(selector: string): HTMLElement {
    const e = document.querySelector(selector);
    // An SVG's attributes are all that is asked of it here.
    if (!(e instanceof Element)) throw new Error(`no ${selector}`);
    return e as HTMLElement;
  }
  const field = (): HTMLInputElement => find(".tf") as HTMLInputElement;
  const texts = (selector: string): (string | null)[] =>
    [...document.querySelectorAll(selector)].map((e) => e.textContent);
  const column = (n: number): (string | null)[] => texts(`tbody td:nth-child(${String(n)})`);
  const said = (): string | undefined => document.querySelector("[role=status]")?.textContent;
  const key = (e: HTMLElement, name: string, more: KeyboardEventInit = {}): boolean =>
    e.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
  function type(words: string): void {
    field().focus();
    field().value = words;
    field().dispatchEvent(new Event("input", { bubbles: true }));
  }
  function point(name: string, x: number, more: MouseEventInit = {}): void {
    const e = new MouseEvent(name, { bubbles: true, clientX: x, clientY: 100, buttons: 1, ...more });
    find(".pl").dispatchEvent(Object.assign(e, { isPrimary: true }));
  }
  function drag(from: number, to: number): void {
    point("pointerdown", from);
    point("pointermove", to);
    point("pointerup", to);
  }

  describe("with a table", () => {
    const cities = (more: readonly (readonly Cell[])[] = [], title = "Cities"): DrawWidget =>
      widget(
        "table",
        ["city:text", "since:time", "people"],
        [["Ulm", t0, 1200], ["Åland", t0 - 90 * 24 * hour, 30], ["Rom", t0 + 24 * hour, -4], ["Bonn", null, null], ...more],
        {},
        { title },
      ); // prettier-ignore
    const many = (n: number, options = {}): DrawWidget =>
      widget(
        "table",
        ["n:text", "v"],
        Array.from({ length: n }, (_, i) => [`row ${String(i)}`, i * 1111]),
        options,
      );

    test("E3 a heading sorts up, down, and not at all, by value", () => {
      show(cities());
      const th = (n: number): HTMLElement => find(`th:nth-child(${String(n)})`);
      const press = (n: number): void => {
        find(`th:nth-child(${String(n)}) button`).click();
      };
      expect(th(3).getAttribute("aria-sort")).toBeNull();
      press(3);
      expect(column(3)).toEqual(["−4", "30", "1,200", ""]);
      expect(th(3).getAttribute("aria-sort")).toBe("ascending");
      expect(said()).toBe("Sorted by people, ascending");
      press(3);
      expect(column(3)).toEqual(["1,200", "30", "−4", ""]);
      expect(th(3).getAttribute("aria-sort")).toBe("descending");
      press(2);
      expect(column(1)).toEqual(["Åland", "Ulm", "Rom", "Bonn"]);
      expect(document.querySelectorAll("[aria-sort]")).toHaveLength(1);
      press(1);
      expect(column(1)).toEqual(["Åland", "Bonn", "Rom", "Ulm"]);
      press(1);
      press(1);
      expect(column(1)).toEqual(["Ulm", "Åland", "Rom", "Bonn"]);
      expect(document.querySelectorAll("[aria-sort]")).toHaveLength(0);
      expect(said()).toBe("Not sorted");
      // A button is what keyboards can press, and what it stands for is still the column's heading.
      expect(find("th button").getAttribute("type")).toBe("button");
      expect(texts("th")).toEqual(["city", "since", "people"]);
    });

    test("E3 a long table can be filtered; case, accents and commas do not matter", () => {
      show(many(11));
      const before = find(".tf");
      type("ROW 1");
      expect(column(1)).toEqual(["row 1", "row 10"]);
      expect(texts(".ft")).toEqual(["2 of 11 rows"]);
      expect(said()).toBe("2 of 11 rows");
      type("11110");
      expect(column(1)).toEqual(["row 10"]);
      type(" 4,444 ");
      expect(column(1)).toEqual(["row 4"]);
      type("nothing");
      expect(texts("tbody tr")).toEqual(["No row says that."]);
      expect(texts(".ft")).toEqual(["0 of 11 rows"]);
      expect(find(".tf")).toBe(before);
      expect(document.activeElement).toBe(before);
      key(find(".tf"), "Escape");
      expect(field().value).toBe("");
      expect(column(1)).toHaveLength(11);
      expect(texts(".ft")).toEqual([]);
      expect(find(".tf").getAttribute("aria-label")).toBe("Filter rows of A title");
    });

    test("E3 accents do not matter", () => {
      show(cities(Array.from({ length: 10 }, () => ["Köln", t0, 1])));
      type("aland");
      expect(column(1)).toEqual(["Åland"]);
    });

    test("E3 a short table has no field, and one without a title gets a heading for it", () => {
      show(many(10));
      expect(document.querySelector(".tf")).toBeNull();
      show({ ...many(12), title: "" });
      expect(find(".w-h .tf").getAttribute("aria-label")).toBe("Filter rows");
    });

    test("E3 it says when only what is shown is sorted and filtered", () => {
      show(many(50, { limit: 20, newestFirst: false }));
      expect(texts(".ft")).toEqual(["Showing 20 of 50 rows"]);
      find("th button").click();
      expect(texts(".ft")).toEqual(["Showing 20 of 50 rows. Only these are sorted."]);
      expect(said()).toBe("Sorted by n, ascending. Showing 20 of 50 rows. Only these are sorted.");
      type("row 1");
      expect(texts(".ft")).toEqual(["11 of 20 rows. Showing 20 of 50 rows. Only these are sorted and filtered."]);
    });

    test("E3 live changes keep sorting, filter, field, focus and scroll; the field stays while it is used", () => {
      show(cities(Array.from({ length: 10 }, (_, i) => [`Köln ${String(i)}`, t0, i])));
      find("th:nth-child(3) button").click();
      find("th:nth-child(3) button").click();
      type("köln");
      const [before, table] = [field(), find(".tb")];
      table.scrollTop = 30;
      show(cities([["Köln 77", t0, 77], ["Kölnisch", t0, 5]])); // prettier-ignore
      expect(column(3)).toEqual(["77", "5"]);
      expect(find("th:nth-child(3)").getAttribute("aria-sort")).toBe("descending");
      expect(field()).toBe(before);
      expect(field().value).toBe("köln");
      expect(document.activeElement).toBe(before);
      expect(find(".tb")).toBe(table);
      expect(table.scrollTop).toBe(30);
    });

    test("E3 the column is found again by its name, and forgotten by nobody while it is away", () => {
      const w = (cols: readonly string[], rows: readonly (readonly Cell[])[]): DrawWidget =>
        widget("table", cols, rows);
      show(w(["a", "b"], [[1, 9], [2, 8]])); // prettier-ignore
      find("th:nth-child(2) button").click();
      expect(column(2)).toEqual(["8", "9"]);
      show(w(["b", "a"], [[9, 1], [8, 2], [7, 3]])); // prettier-ignore
      expect(column(1)).toEqual(["7", "8", "9"]);
      expect(find("th:nth-child(1)").getAttribute("aria-sort")).toBe("ascending");
      show(w(["a"], [[3], [1]]));
      expect(column(1)).toEqual(["3", "1"]);
      expect(document.querySelector("[aria-sort]")).toBeNull();
      show(w(["a", "b"], [[3, 2], [1, 1]])); // prettier-ignore
      expect(column(2)).toEqual(["1", "2"]);
    });

    test("E3 of columns with one name the one that was pressed sorts", () => {
      show(widget("table", ["v", "v"], [[1, 6], [2, 5]])); // prettier-ignore
      find("th:nth-child(2) button").click();
      expect(column(2)).toEqual(["5", "6"]);
    });

    test("V1 what was seen is forgotten with its card", () => {
      show(many(12));
      type("row 3");
      hands.drop(find("section").id);
      document.body.replaceChildren();
      show(many(12));
      expect(column(1)).toHaveLength(12);
      type("row 3");
      hands.keep([]);
      document.body.replaceChildren();
      show(many(12));
      expect(column(1)).toHaveLength(12);
    });
  });

  describe("with a chart", () => {
    const days = (n: number, from = 0): DrawWidget =>
      widget(
        "line",
        ["t:time", "v"],
        Array.from({ length: n }, (_, i) => [t0 + (from + i) * 24 * hour, i % 7]),
      );
    const view = (): number[] => (find(".st").getAttribute("viewBox") ?? "").split(" ").map(Number);
    const shown = (): (string | null)[] => texts(".xa text");
    const chart = (): HTMLElement => find(".ch");

    test("E3 dragging shows the span in the whole width; a double click, a button or Escape shows all", () => {
      show(days(101));
      const all = view();
      const labels = shown();
      point("pointerdown", 200);
      point("pointermove", 300);
      expect(find(".pl .span").style.left).toBe("25%");
      expect(find(".pl .span").style.width).toBe("25%");
      point("pointerup", 300);
      expect(document.querySelector(".span")).toBeNull();
      expect(view()).toEqual([(all[2] ?? 0) / 4, 0, (all[2] ?? 0) / 4, all[3]]);
      expect(shown()).toEqual(["26 Mar 2026", "8 Apr 2026", "20 Apr 2026"]);
      expect(said()).toBe("26 Mar 2026 to 20 Apr 2026");
      expect(document.querySelector(".ov circle")).toBeNull();

      // Dragged from the right and beyond the edge, within what is shown.
      drag(300, 20);
      expect(shown()[0]).toBe("26 Mar 2026");
      expect(view()[2]).toBeCloseTo((all[2] ?? 0) / 8);

      const back = [
        (): void => void find(".pl").dispatchEvent(new MouseEvent("dblclick", { bubbles: true })),
        (): void => {
          find(".bk").click();
        },
        (): void => void key(chart(), "Escape"),
      ];
      for (const act of back) {
        drag(200, 300);
        expect(view()).not.toEqual(all);
        act();
        expect(view()).toEqual(all);
        expect(shown()).toEqual(labels);
        expect(document.querySelector(".bk, .zm, .sel")).toBeNull();
        expect(said()).toBe("All is shown");
      }
    });

    test("E3 a click, another button, and a span without two points do nothing", () => {
      show(days(11));
      const all = view();
      drag(200, 204);
      point("pointerdown", 200, { button: 2 });
      point("pointermove", 300);
      point("pointerup", 300);
      drag(210, 225);
      point("pointerdown", 200);
      point("pointermove", 300);
      point("pointercancel", 300);
      point("pointerdown", 200);
      point("pointermove", 300);
      key(chart(), "Escape");
      point("pointerup", 300);
      point("pointerdown", 200);
      point("pointermove", 300, { buttons: 0 });
      point("pointerup", 300);
      expect(view()).toEqual(all);
      expect(document.querySelector(".span, .bk")).toBeNull();
    });

    test("E3 the keyboard does the same", () => {
      show(days(101));
      const width = view()[2] ?? 0;
      const part = (): number[] => [(view()[0] ?? 0) / width, (view()[2] ?? 0) / width];
      expect(chart().tabIndex).toBe(0);
      expect(chart().getAttribute("aria-keyshortcuts")).toBe("+ - ArrowLeft ArrowRight Escape");
      expect(key(chart(), "ArrowLeft")).toBe(true);
      expect(key(chart(), "+")).toBe(false);
      expect(part()).toEqual([0.25, 0.5]);
      key(chart(), "ArrowRight");
      expect(part()).toEqual([0.375, 0.5]);
      for (let i = 0; i < 9; i++) key(chart(), "ArrowRight");
      expect(part()).toEqual([0.5, 0.5]);
      key(chart(), "=");
      expect(part()).toEqual([0.75, 0.25]);
      for (let i = 0; i < 20; i++) key(chart(), "+");
      expect(document.querySelectorAll(".st")).toHaveLength(1);
      expect(part()[1]).toBeGreaterThan(0.01);
      for (let i = 0; i < 20; i++) key(chart(), "-");
      expect(part()).toEqual([0, 1]);
      expect(key(chart(), "+", { ctrlKey: true })).toBe(true);
      expect(part()).toEqual([0, 1]);
    });

    test("E3 who presses the button goes on at the chart", () => {
      show(days(101));
      key(chart(), "+");
      find(".bk").focus();
      find(".bk").click();
      expect(document.activeElement).toBe(chart());
    });

    test("E3 the values under the pointer are those of what is shown", () => {
      show(days(101));
      drag(200, 300);
      point("pointermove", 300, { buttons: 0 });
      expect(texts(".tip div")).toEqual(["7 Apr 2026", "2"]);
      expect(find(".rule").style.left).toBe("48%");
      point("pointermove", 100, { buttons: 0 });
      expect(texts(".tip div")[0]).toBe("26 Mar 2026");
    });

    test("E3 live changes keep the span, the focus and what is said under the pointer", () => {
      show(days(101));
      drag(200, 300);
      chart().focus();
      point("pointermove", 300, { buttons: 0 });
      show({ ...days(101), title: "Another" });
      expect(shown()).toEqual(["26 Mar 2026", "8 Apr 2026", "20 Apr 2026"]);
      expect(document.activeElement).toBe(chart());
      expect(texts(".tip div")).toEqual(["7 Apr 2026", "2"]);
      expect(find(".pl .rule").style.left).toBe("48%");
      show(days(141, -20));
      expect(shown()).toEqual(["26 Mar 2026", "8 Apr 2026", "20 Apr 2026"]);
    });

    test("E3 a span that reaches to the end goes with it, and one that is left behind is given up", () => {
      show(days(101));
      drag(400, 600);
      expect(shown()[2]).toBe("9 Jun 2026");
      expect(document.querySelector(".ov circle")).not.toBeNull();
      show(days(101, 10));
      expect(shown()[2]).toBe("19 Jun 2026");
      key(chart(), "Escape");
      drag(100, 200);
      show(days(101, 90));
      expect(document.querySelector(".bk")).toBeNull();
      expect(shown().length).toBeGreaterThan(3);
      show(days(101));
      expect(document.querySelector(".bk")).toBeNull();
    });

    test("E3 a change while a span is being dragged does not end it", () => {
      show(days(101));
      point("pointerdown", 200);
      point("pointermove", 250);
      show({ ...days(101), title: "Another" });
      point("pointermove", 300);
      expect(find(".pl .span").style.width).toBe("25%");
      point("pointerup", 300);
      expect(shown()[0]).toBe("26 Mar 2026");
    });

    test("E3 names along the chart are those of the rows; areas and stacks zoom too", () => {
      const rows = Array.from({ length: 9 }, (_, i): Cell[] => [`<i>${String(i)}</i>`, i, 9 - i]);
      show(widget("line", ["n:text", "a", "b"], rows, { stack: true, x: "n" }));
      drag(200, 400);
      expect(shown()).toEqual(["<i>2</i>", "<i>4</i>", "<i>6</i>"]);
      expect(document.querySelector(".xa i")).toBeNull();
      point("pointermove", 300, { buttons: 0 });
      expect(texts(".tip div")).toEqual(["<i>4</i>", "a4", "b5"]);
    });
  });

  test("E3 other cards and what lies between them are left alone", () => {
    show(widget("bar", ["n:text", "v"], [["a", 1], ["b", 2]], { horizontal: false })); // prettier-ignore
    const before = find("section").outerHTML;
    drag(200, 300);
    find(".pl").click();
    document.dispatchEvent(new Event("click"));
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
    expect(find("section").outerHTML).toBe(before);
  });

  test("after the end nothing answers any more", () => {
    show(widget("table", ["v"], [[2], [1]]));
    hands.stop();
    find("th button").click();
    expect(column(1)).toEqual(["2", "1"]);
  });
});
