import { vi } from "vitest";
import { drawBoard, drawSection } from "../../lib/draw";
import type { DrawBoard, DrawWidget } from "../../lib/draw";
import { widget } from "../../lib/draw/test/widgets";

/** Stands in for the server's end of a websocket. */
export class Socket {
  static all: Socket[] = [];
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  closed = false;
  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {
    Socket.all.push(this);
  }
  say(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
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

export interface Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer of the server; what is left out is a plain 200. */
export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What surrounds a share page's script: the server and the address. Time is that of vi's fake timers. */
export class World {
  /** What the next requests are answered with, by method; an error is a network that is not there. */
  answers: Record<string, Answer | Error> = { HEAD: {}, POST: { status: 401 } };
  readonly requests: Request[] = [];
  /** Where the page was sent. */
  readonly went: string[] = [];

  constructor(address = "http://localhost:3000/share/shr_abc?theme=dark#x") {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.resetModules();
    sessionStorage.clear();
    Socket.all = [];
    vi.stubGlobal("WebSocket", Socket);
    const u = new URL(address);
    vi.stubGlobal("location", {
      href: u.href,
      pathname: u.pathname,
      search: u.search,
      replace: (to: string) => this.went.push(to),
    });
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      const method = init.method ?? "GET";
      const body = init.body instanceof URLSearchParams ? init.body.toString() : "";
      this.requests.push({ url, method, headers: (init.headers ?? {}) as Record<string, string>, body });
      const a = this.answers[method] ?? {};
      if (a instanceof Error) return Promise.reject(a);
      const text = typeof a.body === "string" ? a.body : JSON.stringify(a.body ?? null);
      return Promise.resolve(new Response(method === "HEAD" ? null : text, { status: 200, ...a }));
    });
    const root = document.documentElement;
    for (const name of Object.keys(root.dataset)) root.removeAttribute(`data-${name}`);
    root.dataset["theme"] = "system";
    document.head.innerHTML =
      '<meta name="description" content="About"><meta property="og:title" content="Old"><link rel="alternate" title="Old">' +
      '<link rel="icon" href="data:,"><style>body{}</style><style>#w-a{}</style>';
  }

  /** A page with a dashboard. */
  async board(b: DrawBoard, attributes: readonly string[] = []): Promise<void> {
    const root = document.documentElement;
    root.dataset["v"] = "7";
    for (const name of attributes) root.dataset[name] = "";
    document.title = b.title;
    document.body.innerHTML = drawBoard(b).body;
    await import("../share");
  }

  /** A page that asks for the password, as the server writes it. */
  async prompt(attributes: readonly string[] = []): Promise<void> {
    const root = document.documentElement;
    for (const name of ["locked", ...attributes]) root.dataset[name] = "";
    document.title = "Password";
    document.body.innerHTML =
      '<main class="prompt" id="prompt"><h1>This dashboard is protected</h1><p>Enter its password.</p>' +
      '<form id="unlock" method="post" action="/share/shr_abc?theme=dark"><label for="password">Password</label>' +
      '<input id="password" name="password" type="password" required><p class="problem" id="problem" role="alert"></p>' +
      '<button class="button">Open dashboard</button></form></main>';
    await import("../share");
  }

  /** Ends the page: what its script still waits for happens to nobody. */
  end(): void {
    for (const s of Socket.all) s.say({ t: "gone" });
    vi.clearAllTimers();
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    document.body.replaceChildren();
  }
}

export function last(): Socket {
  const s = Socket.all[Socket.all.length - 1];
  if (!s) throw new Error("nothing connected");
  return s;
}

export const stat = (id: string, value: number, y = 0): DrawWidget =>
  widget("stat", ["v"], [[value]], {}, { id, title: id, layout: { x: 0, y, w: 3, h: 2 } });

/** A frame that brings a whole dashboard. */
export function all(b: DrawBoard, v = 9): unknown {
  const d = drawBoard(b);
  return { t: "all", v, title: d.title, theme: "light", body: d.body, css: d.css };
}

/** A frame that changes these widgets. */
export function patch(from: number, ...widgets: readonly DrawWidget[]): unknown {
  return { t: "patch", v: from + 1, from, widgets: Object.fromEntries(widgets.map((w) => [w.id, drawSection(w)])) };
}

export const text = (selector: string): string | undefined => document.querySelector(selector)?.textContent;
export const order = (): string[] => [...document.querySelectorAll("#board section")].map((s) => s.id);

export function find(selector: string): HTMLElement {
  const e = document.querySelector(selector);
  if (!(e instanceof HTMLElement)) throw new Error(`no ${selector}`);
  return e;
}

export function input(selector: string): HTMLInputElement {
  const e = find(selector);
  if (!(e instanceof HTMLInputElement)) throw new Error(`no field ${selector}`);
  return e;
}
