import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { drawSection } from "../lib/draw";
import { widget } from "../lib/draw/test/widgets";
import { all, find, input, last, order, patch, Socket, stat, text, World } from "./test/page";

const refusal =
  "This link does not workThere is no dashboard to see here." +
  "The link may have been mistyped, switched off or replaced. Ask whoever sent it to you for the present one.";
const board = { title: "Old", description: "About", widgets: [stat("a", 1), stat("b", 2, 2)] };

describe("share page", () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.board(board);
  });
  afterEach(() => {
    world.end();
  });

  test("connects with the version it shows, and says quietly that it is live", () => {
    expect(last().url).toBe("ws://localhost:3000/share/shr_abc/live?v=7&open=1");
    expect(last().protocols).toEqual(["widgets.view"]);
    expect(text("#live")).toBe("");
    last().say({ t: "hello", v: 7 });
    expect(text("#live")).toBe("Live");
    expect(document.querySelector("[aria-live], [role=status], [role=alert]")).toBeNull();
  });

  test("L7 counts as opened once, however often it connects", () => {
    last().drop();
    vi.advanceTimersByTime(500);
    expect(last().url).toContain("&open=1");
    last().say({ t: "hello", v: 7 });
    last().drop();
    vi.advanceTimersByTime(500);
    expect(Socket.all).toHaveLength(3);
    expect(last().url).toBe("ws://localhost:3000/share/shr_abc/live?v=7");
  });

  test("L2 takes patches: values, titles, themes, order, new and removed widgets", () => {
    last().say({ t: "hello", v: 7 });
    const card = document.getElementById("w-a");
    last().say({
      t: "patch",
      v: 8,
      from: 7,
      title: "New <b>",
      theme: "dark",
      css: "",
      order: ["c", "a"],
      widgets: { a: drawSection(stat("a", 42)), b: null, c: drawSection(stat("c", 3)) },
    });
    expect(order()).toEqual(["w-c", "w-a"]);
    expect(document.getElementById("w-a")).toBe(card);
    expect(text("#w-a .big")).toBe("42");
    expect(text("h1")).toBe("New <b>");
    expect(document.title).toBe("New <b>");
    expect(document.documentElement.dataset["theme"]).toBe("dark");
    expect(text("#live")).toBe("Live, updated just now");
    vi.advanceTimersByTime(30_000);
    expect(text("#live")).toBe("Live, updated 30 s ago");
    vi.advanceTimersByTime(5 * 60_000);
    expect(text("#live")).toBe("Live, updated 5 min ago");
  });

  test("a patch that does not follow leads to a new connection from the version that is shown", () => {
    last().say({ t: "hello", v: 7 });
    last().say({ t: "patch", v: 10, from: 9, widgets: { a: null } });
    expect(order()).toEqual(["w-a", "w-b"]);
    expect(text("#live")).toBe("Reconnecting…");
    vi.advanceTimersByTime(1_000);
    expect(Socket.all).toHaveLength(2);
    expect(last().url).toContain("v=7");
    last().say(all({ title: "All", widgets: [stat("b", 9)] }, 10));
    expect(order()).toEqual(["w-b"]);
    expect(text(".about")).toBeUndefined();
    expect(text("#live")).toBe("Live, updated just now");
  });

  test("B1 what is no message leads to a new connection and changes nothing", () => {
    last().say({ t: "hello", v: 7 });
    for (const bad of ["{", "null", '"x"', "[]", '{"t":"other"}']) {
      const before = Socket.all.length;
      last().say(bad);
      vi.advanceTimersByTime(1_000);
      expect(Socket.all).toHaveLength(before + 1);
      last().say({ t: "hello", v: 7 });
    }
    expect(order()).toEqual(["w-a", "w-b"]);
  });

  test("waits longer after each failure, and comes back at once with the network", async () => {
    const tries: number[] = [];
    for (let i = 0; i < 8; i++) {
      last().drop();
      const before = Socket.all.length;
      let waited = 0;
      while (Socket.all.length === before) {
        await vi.advanceTimersByTimeAsync(100);
        waited += 100;
      }
      tries.push(waited);
    }
    expect(tries).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    last().drop();
    window.dispatchEvent(new Event("online"));
    expect(Socket.all).toHaveLength(10);
  });

  test("says when it is not up to date, calmly and in words, and marks the page for frames", () => {
    last().say({ t: "hello", v: 7 });
    const root = document.documentElement;
    expect(root.dataset["off"]).toBeUndefined();
    last().say(patch(7, stat("a", 2)));
    last().drop();
    expect(text("#live")).toBe("Reconnecting…");
    expect(find("#live").className).toBe("live off");
    expect(root.dataset["off"]).toBe("");
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    vi.advanceTimersByTime(120_000);
    expect(text("#live")).toBe("Offline, updated 2 min ago");
    last().say({ t: "hello", v: 8 });
    expect(text("#live")).toBe("Live, updated 2 min ago");
    expect(root.dataset["off"]).toBeUndefined();
  });

  describe.each([
    ["the server says so", { t: "gone", why: "gone", reason: "The link was switched off." }],
    ["an older server says so", { t: "gone", reason: "The link was switched off." }],
    ["the connection closes with that code", 4003],
  ])("V1 A5 when %s", (_, news) => {
    test("nothing of the dashboard stays, and the page says what the server's says", () => {
      last().say({ t: "hello", v: 7 });
      if (typeof news === "number") last().drop(news, "The link was switched off.");
      else last().say(news);
      expect(text("body")).toBe(refusal);
      expect(document.title).toBe("This link does not work · widgets.pro");
      // Whoever does not see it hears it.
      expect(document.body.getAttribute("aria-live")).toBe("assertive");
      expect(document.head.innerHTML).toBe('<link rel="icon" href="data:,"><style>body{}</style>' + titleOf());
      expect(document.documentElement.dataset["v"]).toBeUndefined();
      vi.advanceTimersByTime(3_600_000);
      window.dispatchEvent(new Event("online"));
      document.dispatchEvent(new Event("visibilitychange"));
      last().say(patch(7, stat("a", 3)));
      expect(Socket.all).toHaveLength(1);
      expect(text("body")).toBe(refusal);
      expect(world.went).toEqual([]);
    });
  });

  test.each([404, 410, 403])("V1 nothing stays when the link died while nobody was connected (%d)", async (status) => {
    last().say({ t: "hello", v: 7 });
    world.answers["HEAD"] = { status };
    last().drop();
    await vi.advanceTimersByTimeAsync(600);
    last().drop();
    await vi.advanceTimersByTimeAsync(1);
    expect(text("body")).toBe(refusal);
    const tried = Socket.all.length;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(Socket.all).toHaveLength(tried);
  });

  test.each([{ status: 429 }, { status: 503 }, { status: 500 }, new Error("offline")])(
    "keeps what it shows and keeps trying while a refusal says nothing about the link (%o)",
    async (answer) => {
      last().say({ t: "hello", v: 7 });
      world.answers["HEAD"] = answer;
      for (let i = 0; i < 4; i++) {
        last().drop();
        await vi.advanceTimersByTimeAsync(40_000);
      }
      expect(Socket.all).toHaveLength(5);
      expect(order()).toEqual(["w-a", "w-b"]);
    },
  );

  test("P4 V1 a password that was set takes the content away at once and asks the server anew, once", async () => {
    await vi.advanceTimersByTimeAsync(10_000);
    last().say({ t: "hello", v: 7 });
    sessionStorage.setItem("widgets:session:/share/shr_abc", "old");
    last().say({ t: "gone", why: "locked", reason: "x" });
    expect(text("body")).toBe("One moment…");
    expect(document.documentElement.outerHTML).not.toMatch(/Old|About|w-a/);
    expect(sessionStorage.length).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.went).toEqual(["http://localhost:3000/share/shr_abc?theme=dark"]);
    expect(Socket.all).toHaveLength(1);
  });

  test("P4 so does a refused connection to a page that asks for a password", async () => {
    world.answers["HEAD"] = { status: 401 };
    last().drop();
    await vi.advanceTimersByTimeAsync(1);
    expect(text("body")).toBe("One moment…");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(world.went).toHaveLength(1);
  });

  test("loads itself anew when told, a little later and not as if somebody opened it", async () => {
    await vi.advanceTimersByTimeAsync(10_000);
    last().say({ t: "hello", v: 7 });
    last().say({ t: "reload" });
    expect(order()).toEqual(["w-a", "w-b"]);
    await vi.advanceTimersByTimeAsync(1_499 / 2);
    expect(world.went).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(world.went).toEqual(["http://localhost:3000/share/shr_abc?theme=dark"]);
    expect(Socket.all).toHaveLength(1);
    vi.resetModules();
    await import("./share");
    expect(last().url).toBe("ws://localhost:3000/share/shr_abc/live?v=7");
    expect(sessionStorage.length).toBe(0);
  });

  test("an emptied dashboard says so, and a first widget replaces that", () => {
    last().say({ t: "patch", v: 8, from: 7, widgets: { a: null, b: null } });
    expect(text("#board")).toBe("This dashboard is empty.");
    last().say({ t: "patch", v: 9, from: 8, widgets: { a: drawSection(stat("a", 1)) } });
    expect(document.querySelector("#board > p")).toBeNull();
    expect(order()).toEqual(["w-a"]);
  });
});

function titleOf(): string {
  return `<title>${document.title}</title>`;
}

describe("share page, as the address asks for it", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => {
    world.end();
  });
  const log = widget("table", ["n:text", "v"], [["x", 1], ["y", 2]], {}, { id: "t", title: "Log" }); // prettier-ignore
  const line = widget("line", ["v"], [[1], [2], [3]], {}, { id: "l", title: "Course" });
  const words = widget("markdown", [], [], { text: "[notes](https://example.org/)" }, { id: "m", title: "Words" });

  test("E2 no live change overrides a theme that the address fixed", async () => {
    document.documentElement.dataset["theme"] = "dark";
    await world.board(board, ["fixed"]);
    last().say({ t: "patch", v: 8, from: 7, theme: "light", widgets: {} });
    last().say(all(board));
    expect(document.documentElement.dataset["theme"]).toBe("dark");
  });

  test("E3 without interaction nothing answers, also not in what comes live", async () => {
    await world.board({ title: "Still", widgets: [log, line, words] }, ["still"]);
    const nothing = (): void => {
      expect(document.querySelectorAll("a[href], a[title], button, input, [data-p][tabindex]")).toHaveLength(0);
      find("#w-l .pl").dispatchEvent(new MouseEvent("pointermove", { bubbles: true, clientX: 5 }));
      vi.advanceTimersByTime(100);
      expect(document.querySelector(".tip, .rule")).toBeNull();
      // What scrolls can still be reached by keyboard.
      expect(find("#w-t .tb").tabIndex).toBe(0);
    };
    nothing();
    last().say(patch(7, log, line, words));
    nothing();
    last().say(all({ title: "Still", widgets: [log, line, words] }));
    expect(text(".made a")).toBe("widgets.pro");
    nothing();
  });

  test("E3 with it tables sort, charts zoom and links lead on, also in what comes live", async () => {
    await world.board({ title: "Lively", widgets: [log, line] });
    last().say(patch(7, words));
    for (const s of ["#w-t th button", "#w-l .ch[tabindex]", "#w-m a[href]"]) find(s);
    last().say(all({ title: "Lively", widgets: [log, line, words] }));
    for (const s of ["#w-t th button", "#w-l .ch[tabindex]", "#w-m a[href]"]) find(s);
  });

  test("E3 live changes keep sorting and focus; a gone widget is forgotten", async () => {
    await world.board({ title: "Lively", widgets: [log] });
    const cells = (): string[] => [...document.querySelectorAll("#w-t td:first-child")].map((c) => c.textContent);
    const button = find("#w-t th button");
    button.focus();
    button.click();
    button.click();
    expect(cells()).toEqual(["y", "x"]);
    last().say(patch(7, { ...log, rows: [["x", 1], ["z", 5], ["y", 2]] })); // prettier-ignore
    expect(cells()).toEqual(["z", "y", "x"]);
    expect(document.activeElement).toBe(button);
    last().say(all({ title: "Lively", widgets: [log] }));
    expect(cells()).toEqual(["y", "x"]);
    last().say({ t: "patch", v: 10, from: 9, widgets: { t: null } });
    last().say(patch(10, log));
    expect(cells()).toEqual(["x", "y"]);
  });

  test("B2 texts that look like markup stay texts, wherever they come from", async () => {
    const evil = `"><img src=x onerror=alert(1)>'</style><script>alert(2)</script>`;
    const of = (id: string): ReturnType<typeof widget> =>
      widget(
        "table",
        [`${evil}:text`],
        Array.from({ length: 20 }, () => [evil]),
        {},
        { id, title: evil },
      );
    await world.board({ title: evil, widgets: [of("a")] });
    find("th button").click();
    const field = input(".tf");
    field.value = evil;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    last().say({ ...(patch(7, of("b")) as object), title: evil });
    last().say(all({ title: evil, description: evil, widgets: [of("a"), of("c")] }));
    expect(document.querySelectorAll("script, img, [onerror]")).toHaveLength(0);
    expect(document.title).toBe(evil);
    expect(text("#title")).toBe(evil);
    expect(text("#w-a tbody td")).toBe(evil);
    expect(text("#w-a .so")).toMatch(/^"><img src=x onerror=alert\(1\)>'<\/style><script>/);
    last().say({ t: "gone", why: evil, reason: evil });
    expect(text("body")).toBe(refusal);
  });

  test("B2 markup passes one place only, by the policy that the server may ask for", async () => {
    const made: string[] = [];
    vi.stubGlobal("trustedTypes", {
      createPolicy: (name: string, rules: { createHTML: (s: string) => string }) => {
        made.push(name);
        return rules;
      },
    });
    await world.board(board);
    last().say(patch(7, stat("a", 5)));
    expect(made).toEqual(["widgets"]);
    expect(text("#w-a .big")).toBe("5");
  });

  test("connects when it is first seen", async () => {
    const seen = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    await world.board(board);
    vi.advanceTimersByTime(60_000);
    expect(Socket.all).toHaveLength(0);
    seen.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(last().url).toContain("&open=1");
  });
});

describe("height of a framed page", () => {
  let world: World;
  let height = 300.2;
  let changed: () => void = () => undefined;
  const told: unknown[][] = [];
  const host = { postMessage: (...args: unknown[]) => told.push(args) };
  beforeEach(() => {
    world = new World();
    told.length = 0;
    height = 300.2;
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(f: () => void) {
          changed = f;
        }
        observe(e: Element): void {
          expect(e).toBe(document.documentElement);
        }
      },
    );
    vi.spyOn(document.documentElement, "getBoundingClientRect").mockImplementation(
      () => new DOMRect(0, 0, 400, height),
    );
  });
  afterEach(() => {
    world.end();
  });
  const message = (n: number): unknown[] => [{ source: "widgets.pro", height: n }, "*"];

  test("E6 is told at the start and when it changes, growing and shrinking", async () => {
    vi.spyOn(window, "parent", "get").mockReturnValue(host as unknown as Window);
    await world.board(board);
    expect(told).toEqual([message(301)]);
    changed();
    expect(told).toHaveLength(1);
    for (height of [500, 120, 0]) changed();
    expect(told.slice(1)).toEqual([message(500), message(120)]);
    expect(document.documentElement.dataset["framed"]).toBe("");
  });

  test("E6 is told by the prompt, and after the end", async () => {
    vi.spyOn(window, "parent", "get").mockReturnValue(host as unknown as Window);
    await world.prompt();
    expect(told).toEqual([message(301)]);
    height = 90;
    changed();
    expect(told[1]).toEqual(message(90));
  });

  test("E6 is told again to the page around that asks, and to nobody else", async () => {
    vi.spyOn(window, "parent", "get").mockReturnValue(host as unknown as Window);
    await world.board(board);
    const ask = (data: unknown, source: unknown): void => {
      const e = new Event("message");
      Object.assign(e, { data, source });
      window.dispatchEvent(e);
    };
    for (const data of [null, 1, "height", {}, { source: "widgets.pro" }, { ask: "height" }]) ask(data, host);
    ask({ source: "widgets.pro", ask: "height" }, window);
    expect(told).toHaveLength(1);
    ask({ source: "widgets.pro", ask: "height" }, host);
    expect(told[1]).toEqual(message(301));
  });

  test("E6 a page of its own tells nothing", async () => {
    await world.board(board);
    expect(document.documentElement.dataset["framed"]).toBeUndefined();
    expect(told).toEqual([]);
  });
});
