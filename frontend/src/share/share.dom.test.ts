import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { drawBoard, drawSection } from "../lib/draw";
import { widget } from "../lib/draw/test/widgets";

class Socket {
  static all: Socket[] = [];
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    Socket.all.push(this);
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  drop(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.drop(1000);
  }
}

const stat = (id: string, value: number, y = 0): ReturnType<typeof widget> =>
  widget("stat", ["v"], [[value]], {}, { id, title: id, layout: { x: 0, y, w: 3, h: 2 } });

function last(): Socket {
  const s = Socket.all[Socket.all.length - 1];
  if (!s) throw new Error("nothing connected");
  return s;
}

const text = (selector: string): string | undefined => document.querySelector(selector)?.textContent;
const order = (): string[] => [...document.querySelectorAll("#board section")].map((s) => s.id);

describe("share page", () => {
  let status = 200;
  beforeEach(async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.resetModules();
    Socket.all = [];
    status = 200;
    vi.stubGlobal("WebSocket", Socket);
    vi.stubGlobal("fetch", () => Promise.resolve({ status }));
    document.documentElement.dataset["v"] = "7";
    document.documentElement.dataset["theme"] = "system";
    document.body.innerHTML = drawBoard({
      title: "Old",
      description: "About",
      widgets: [stat("a", 1), stat("b", 2, 2)],
    }).body;
    await import("./share");
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  test("connects with the version it shows, and says quietly that it is live", () => {
    expect(last().url).toBe("ws://localhost:3000/live?v=7");
    expect(text("#live")).toBe("");
    last().say({ t: "hello", v: 7 });
    expect(text("#live")).toBe("Live");
    expect(document.querySelector("[aria-live], [role=status], [role=alert]")).toBeNull();
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
    const b = drawBoard({ title: "All", widgets: [stat("b", 9)] });
    last().say({ t: "all", v: 10, title: b.title, theme: "light", body: b.body, css: b.css });
    expect(order()).toEqual(["w-b"]);
    expect(text(".about")).toBeUndefined();
    expect(text("#live")).toBe("Live, updated just now");
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

  test.each([
    [
      "says so",
      (): void => {
        last().say({ t: "gone", reason: "The link was switched off." });
      },
    ],
    [
      "closes with that code",
      (): void => {
        last().drop(4003, "The link was switched off.");
      },
    ],
  ])("V1 leaves nothing on the page when the server %s", (_, act) => {
    last().say({ t: "hello", v: 7 });
    act();
    expect(text("body")).toBe("This dashboard is not available" + "The link was switched off.");
    expect(document.title).toBe("Not available");
    vi.advanceTimersByTime(3_600_000);
    window.dispatchEvent(new Event("online"));
    expect(Socket.all).toHaveLength(1);
  });

  test("V1 leaves nothing on the page when the link died while nobody was connected", async () => {
    last().say({ t: "hello", v: 7 });
    status = 404;
    last().drop();
    await vi.advanceTimersByTimeAsync(600);
    last().drop();
    await vi.advanceTimersByTimeAsync(1);
    expect(text("h1")).toBe("This dashboard is not available");
    expect(order()).toEqual([]);
    const tried = Socket.all.length;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(Socket.all).toHaveLength(tried);
  });

  test("an emptied dashboard says so, and a first widget replaces that", () => {
    last().say({ t: "patch", v: 8, from: 7, widgets: { a: null, b: null } });
    expect(text("#board")).toBe("This dashboard is empty.");
    last().say({ t: "patch", v: 9, from: 8, widgets: { a: drawSection(stat("a", 1)) } });
    expect(document.querySelector("#board > p")).toBeNull();
    expect(order()).toEqual(["w-a"]);
  });
});
