import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const server = "https://pub.example.org";
const add = window.addEventListener.bind(window);

describe("the script for pages that embed", () => {
  let scripts: AbortController[] = [];
  beforeEach(() => {
    scripts = [];
    document.body.replaceChildren();
  });
  afterEach(() => {
    for (const s of scripts) s.abort();
    vi.restoreAllMocks();
  });

  /** Runs the script as if it came from that address. */
  async function load(src: string | null = `${server}/embed.js`): Promise<void> {
    const own = new AbortController();
    scripts.push(own);
    vi.resetModules();
    const script = src === null ? null : Object.assign(document.createElement("script"), { src });
    vi.spyOn(document, "currentScript", "get").mockReturnValue(script);
    vi.spyOn(globalThis, "addEventListener").mockImplementation(((type: string, ear: EventListener) => {
      add(type, ear, { signal: own.signal });
    }) as typeof addEventListener);
    await import("./embed");
  }

  function frame(src: string): HTMLIFrameElement {
    const f = document.createElement("iframe");
    document.body.append(f);
    // No page is loaded here; only the address counts.
    Object.defineProperty(f, "src", { value: src });
    return f;
  }

  function hear(from: HTMLIFrameElement | Window | null, origin: string, data: unknown): void {
    const source = from instanceof HTMLIFrameElement ? from.contentWindow : from;
    window.dispatchEvent(Object.assign(new Event("message"), { source, origin, data }));
  }

  const told = (height: unknown): unknown => ({ source: "widgets.pro", height });

  test("E6 makes the frame that told its height as high, growing and shrinking, and no other", async () => {
    const one = frame(`${server}/share/shr_a?embed=true`);
    const other = frame(`${server}/s/abc`);
    await load();
    hear(one, server, told(700));
    expect(one.style.height).toBe("700px");
    expect(other.style.height).toBe("");
    hear(other, server, told(90.4));
    hear(one, server, told(120));
    expect([one.style.height, other.style.height]).toEqual(["120px", "91px"]);
    const late = frame(`${server}/share/shr_b`);
    hear(late, server, told(50));
    expect(late.style.height).toBe("50px");
  });

  test("E6 leaves room for the frame's own border", async () => {
    const f = frame(`${server}/share/shr_a`);
    f.style.boxSizing = "border-box";
    vi.spyOn(f, "offsetHeight", "get").mockReturnValue(154);
    vi.spyOn(f, "clientHeight", "get").mockReturnValue(150);
    await load();
    hear(f, server, told(200));
    expect(f.style.height).toBe("204px");
  });

  test("E6 B1 takes nothing from others, and nothing that is no height", async () => {
    const f = frame(`${server}/share/shr_a`);
    const foreign = frame("https://ads.example.net/");
    await load();
    hear(f, "https://ads.example.net", told(10));
    hear(f, "null", told(10));
    hear(foreign, server, told(10));
    hear(foreign, "https://ads.example.net", told(10));
    hear(window, server, told(10));
    hear(null, server, told(10));
    for (const h of [0, -1, 20_001, NaN, Infinity, "300", null, undefined, {}]) hear(f, server, told(h));
    for (const d of [null, 5, "x", {}, { height: 5 }, { source: "widgets.pro" }, { source: "x", height: 5 }])
      hear(f, server, d);
    expect([f.style.height, foreign.style.height]).toEqual(["", ""]);
    hear(f, server, told(20_000));
    expect(f.style.height).toBe("20000px");
  });

  test("E6 asks the frames that were there first, and no others", async () => {
    const f = frame(`${server}/share/shr_a`);
    const foreign = frame("https://ads.example.net/");
    const asked = vi.spyOn(f.contentWindow as Window, "postMessage");
    const spared = vi.spyOn(foreign.contentWindow as Window, "postMessage");
    await load();
    expect(asked).toHaveBeenCalledExactlyOnceWith({ source: "widgets.pro", ask: "height" }, "*");
    expect(spared).not.toHaveBeenCalled();
  });

  test("E6 loaded twice does the same, and leaves nothing on the page's window", async () => {
    const before = Object.keys(globalThis).length;
    const f = frame(`${server}/share/shr_a`);
    await load();
    await load();
    hear(f, server, told(80));
    expect(f.style.height).toBe("80px");
    expect(Object.keys(globalThis)).toHaveLength(before);
  });

  test.each([null, "", "about:blank"])(
    "E6 does nothing when it does not know where it comes from (%s)",
    async (src) => {
      const f = frame("about:blank");
      const g = frame(`${server}/share/shr_a`);
      await load(src);
      for (const e of [f, g]) for (const origin of ["null", server, ""]) hear(e, origin, told(80));
      expect([f.style.height, g.style.height]).toEqual(["", ""]);
    },
  );
});
