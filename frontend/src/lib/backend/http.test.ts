import { describe, expect, test } from "vitest";
import { BackendError } from "./backend";
import { HttpBackend, type Surroundings } from "./http";
import type { AppEvent, BoardId, OrganisationId, WidgetId } from "./types";

const board = "dsh_1" as BoardId;
const widget = "wgt_1" as WidgetId;

interface Call {
  method: string;
  path: string;
  body: unknown;
}

/** A page whose fetch answers from a script and keeps what it was asked. */
function around(answer: (call: Call, signal?: AbortSignal | null) => Response | Promise<Response>) {
  const calls: Call[] = [];
  const opened: string[] = [];
  const waits: number[] = [];
  const s: Surroundings & { calls: Call[]; opened: string[]; waits: number[] } = {
    calls,
    opened,
    waits,
    fetch: async (input, init) => {
      const call = { method: init?.method ?? "GET", path: input as string, body: init?.body };
      calls.push(call);
      return answer(call, init?.signal);
    },
    open: (url) => opened.push(url),
    copy: () => Promise.resolve(),
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => "me",
  };
  return s;
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

describe("calls", () => {
  const cases: [string, (b: HttpBackend) => Promise<unknown>, string, unknown][] = [
    ["state", (b) => b.state(), "GET /api/state", undefined],
    ["settings", (b) => b.settings({ theme: "dark" }), "PUT /api/settings", { theme: "dark" }],
    ["board", (b) => b.board(board), "GET /api/boards/dsh_1", undefined],
    ["boardSince", (b) => b.boardSince(board, 7), "GET /api/boards/dsh_1?have=7", undefined],
    ["create", (b) => b.create("A"), "POST /api/boards", { title: "A" }],
    ["duplicate", (b) => b.duplicate(board), "POST /api/boards/dsh_1/duplicate", undefined],
    ["trash", (b) => b.trash(board), "POST /api/boards/dsh_1/trash", undefined],
    ["restore", (b) => b.restore(board), "POST /api/boards/dsh_1/restore", undefined],
    ["destroy", (b) => b.destroy(board), "DELETE /api/boards/dsh_1", undefined],
    [
      "edit",
      (b) => b.edit(board, [{ do: "title", widget, value: "x" }], "rename"),
      "POST /api/boards/dsh_1/edits",
      { edits: [{ do: "title", widget: "wgt_1", value: "x" }], label: "rename" },
    ],
    ["undo", (b) => b.undo(board), "POST /api/boards/dsh_1/undo", undefined],
    ["redo", (b) => b.redo(board), "POST /api/boards/dsh_1/redo", undefined],
    ["exportBoard", (b) => b.exportBoard(board), "GET /api/boards/dsh_1/export", undefined],
    ["exportRows", (b) => b.exportRows(board, widget), "GET /api/boards/dsh_1/widgets/wgt_1/rows.csv", undefined],
    ["importBoard", (b) => b.importBoard('{"a":1}'), "POST /api/boards/import", { a: 1 }],
    ["reread", (b) => b.reread("imp_1", { header: true }), "POST /api/files/imp_1", { options: { header: true } }],
    [
      "applyImport to a widget",
      (b) => b.applyImport("imp_1", board, { widget }),
      "POST /api/files/imp_1/apply",
      { board: "dsh_1", widget: "wgt_1" },
    ],
    [
      "applyImport as a new one",
      (b) => b.applyImport("imp_1", board, { kind: "bar", title: "B" }),
      "POST /api/files/imp_1/apply",
      { board: "dsh_1", kind: "bar", title: "B" },
    ],
    ["share", (b) => b.share(board, { action: "rotate" }), "POST /api/boards/dsh_1/share", { action: "rotate" }],
    [
      "share with all that a change carries",
      (b) => b.share(board, { action: "origins", origins: ["https://example.org"] }),
      "POST /api/boards/dsh_1/share",
      { action: "origins", origins: ["https://example.org"] },
    ],
    ["qr", (b) => b.qr(board, "short", "svg"), "GET /api/boards/dsh_1/qr?of=short&format=svg", undefined],
    ["dismissRefusal", (b) => b.dismissRefusal(board), "POST /api/boards/dsh_1/share/dismiss", undefined],
    ["tray", (b) => b.tray(board), "GET /api/boards/dsh_1/tray", undefined],
    ["exportTray", (b) => b.exportTray(board), "GET /api/boards/dsh_1/tray/export", undefined],
    ["keepCopy", (b) => b.keepCopy(board), "POST /api/boards/dsh_1/keep-copy", undefined],
    ["discardRefused", (b) => b.discardRefused(board), "POST /api/boards/dsh_1/discard", undefined],
    ["signUp", (b) => b.signUp("s", "e", "p"), "POST /api/account/signup", { server: "s", email: "e", password: "p" }],
    ["resendSignUp", (b) => b.resendSignUp(), "POST /api/account/signup/resend", undefined],
    ["cancelSignUp", (b) => b.cancelSignUp(), "DELETE /api/account/signup", undefined],
    [
      "create in an organisation",
      (b) => b.create("A", "org_1" as OrganisationId),
      "POST /api/boards",
      { title: "A", organisation: "org_1" },
    ],
    [
      "invite",
      (b) => b.invite(board, "a@example.org, b@", "editor", "Hello"),
      "POST /api/boards/dsh_1/invite",
      { addresses: "a@example.org, b@", role: "editor", message: "Hello" },
    ],
    ["look", (b) => b.look(board, true), "POST /api/look", { board: "dsh_1", editing: true }],
    ["look at nothing", (b) => b.look(null, false), "POST /api/look", { board: "", editing: false }],
    ["logIn", (b) => b.logIn("s", "e", "p"), "POST /api/account/login", { server: "s", email: "e", password: "p" }],
    ["logOut", (b) => b.logOut(), "POST /api/account/logout", undefined],
    ["retrySync", (b) => b.retrySync(), "POST /api/sync/retry", undefined],
  ];
  test.each(cases)("%s", async (_, run, request, body) => {
    const page = around(() => json({ id: "dsh_2", widget: "wgt_2" }));
    await run(new HttpBackend(page));
    expect(page.calls).toHaveLength(1);
    const [call] = page.calls;
    expect(`${call?.method ?? ""} ${call?.path ?? ""}`).toBe(request);
    expect(call?.body === undefined ? undefined : JSON.parse(call.body as string)).toEqual(body);
  });

  test("answers are unwrapped", async () => {
    const backend = new HttpBackend(around(() => json({ id: "dsh_2", widget: "wgt_2" })));
    expect(await backend.create("A")).toBe("dsh_2");
    expect(await backend.applyImport("i", board, { widget })).toBe("wgt_2");
  });

  test("texts come as they are", async () => {
    const backend = new HttpBackend(around(() => new Response("a,b\r\n'=1+1,2\r\n")));
    expect(await backend.exportRows(board, widget)).toBe("a,b\r\n'=1+1,2\r\n");
  });

  test("S1 pictures come as bytes of their type", async () => {
    const png = new Uint8Array([137, 80, 78, 71, 0, 255]);
    const backend = new HttpBackend(around(() => new Response(png, { headers: { "Content-Type": "image/png" } })));
    const picture = await backend.qr(board, "link", "png");
    expect(picture.type).toBe("image/png");
    expect(new Uint8Array(await picture.arrayBuffer())).toEqual(png);
  });

  test("ids cannot leave their place in the path", async () => {
    const page = around(() => json({}));
    await new HttpBackend(page).trash("../account/logout?x=" as BoardId);
    expect(page.calls[0]?.path).toBe("/api/boards/..%2Faccount%2Flogout%3Fx%3D/trash");
  });
});

test("B1 a file goes as plain bytes, with its name and options in the query", async () => {
  const page = around(() => json({ id: "imp_1" }));
  const whole = new TextEncoder().encode("xxa;b\n");
  await new HttpBackend(page).readFile("Umsatz & Co.csv", whole.subarray(2), { delimiter: ";" });
  const [call] = page.calls;
  expect(call?.body).toBeInstanceOf(Uint8Array);
  expect(call?.body).not.toBeInstanceOf(Blob);
  const sent = call?.body as Uint8Array;
  expect([sent.byteLength, sent.buffer.byteLength]).toEqual([4, 4]);
  const query = new URL(call?.path ?? "", "http://x").searchParams;
  expect(query.get("name")).toBe("Umsatz & Co.csv");
  expect(query.get("options")).toBe('{"delimiter":";"}');
});

describe("failures", () => {
  async function failure(answer: () => Response | Promise<Response>): Promise<BackendError> {
    const error: unknown = await new HttpBackend(around(answer)).state().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BackendError);
    return error as BackendError;
  }

  test("B1 a fault arrives whole", async () => {
    const fault = { kind: "invalid", field: "title", message: "Too long.", hint: "Shorten it." };
    const error = await failure(() => json({ error: fault }, 400));
    expect(error.fault).toEqual(fault);
    expect(error.message).toBe("Too long.");
  });

  test("no answer", async () => {
    const error = await failure(() => Promise.reject(new TypeError("Load failed")));
    expect(error.fault.kind).toBe("unavailable");
    expect(error.fault.hint).not.toBe("");
  });

  test.each([
    ["a page", new Response("<h1>Bad gateway</h1>", { status: 502 })],
    ["other JSON", json({ error: "no" }, 500)],
    ["null", json({ error: null }, 500)],
  ])("an answer that is not the bridge's: %s", async (_, response) => {
    const error = await failure(() => response);
    expect(error.fault.kind).toBe("internal");
    expect(error.message).not.toContain("<");
  });

  test("half an answer", async () => {
    expect((await failure(() => new Response('{"boards":['))).fault.kind).toBe("unavailable");
  });
});

describe("what a window can and a tab cannot", () => {
  test("links open in the system's browser, or in a tab", async () => {
    for (const done of [true, false]) {
      const page = around(() => json({ done }));
      await new HttpBackend(page).openExternal("https://example.org/");
      expect(page.opened).toEqual(done ? [] : ["https://example.org/"]);
    }
  });

  test("the clipboard is the program's, or the page's", async () => {
    const copied: string[] = [];
    for (const done of [true, false]) {
      const page = around(() => json({ done }));
      page.copy = (text) => {
        copied.push(text);
        return Promise.resolve();
      };
      await new HttpBackend(page).copy("text");
    }
    expect(copied).toEqual(["text"]);
  });

  test("a refused clipboard is told in words", async () => {
    const page = around(() => json({ done: false }));
    page.copy = () => Promise.reject(new Error("NotAllowedError"));
    await expect(new HttpBackend(page).copy("text")).rejects.toBeInstanceOf(BackendError);
  });
});

describe("listening", () => {
  /** Runs listen against scripted answers until they are used up. */
  async function run(answers: (Response | Error)[]) {
    const events: AppEvent[] = [];
    const lost: boolean[] = [];
    let stop = () => {};
    const page = await new Promise<ReturnType<typeof around>>((resolve) => {
      const p = around(() => {
        const next = answers.shift();
        if (next === undefined) {
          stop();
          resolve(p);
          return new Promise<Response>(() => {});
        }
        if (next instanceof Error) throw next;
        return next;
      });
      stop = new HttpBackend(p).listen(
        (e) => events.push(...e),
        (down) => lost.push(down),
      );
    });
    return { events, lost, page };
  }

  test("goes on where it stopped", async () => {
    const { events, lost, page } = await run([
      json({ next: 17, events: [{ type: "state" }], reset: true }),
      json({ next: 18, events: [{ type: "board", id: "dsh_1", version: 3 }] }),
      json({ next: 18, events: [] }),
    ]);
    expect(events).toEqual([{ type: "state" }, { type: "board", id: "dsh_1", version: 3 }]);
    expect(lost).toEqual([]);
    expect(page.calls.map((c) => c.path)).toEqual(
      [0, 17, 18, 18].map((n) => `/api/events?after=${String(n)}&client=me`),
    );
    expect(page.waits).toEqual([250]);
  });

  test("has everything fetched when what was told meanwhile is not known any more", async () => {
    const { events, lost } = await run([
      json({ next: 17, events: [{ type: "state" }], reset: true }),
      json({ next: 99, events: [{ type: "state" }], reset: true }),
    ]);
    expect(events).toHaveLength(2);
    expect(lost).toEqual([true, false]);
  });

  test("says once that the program is gone and once that it is back, and asks less and less often", async () => {
    const { events, lost, page } = await run([
      ...Array.from({ length: 7 }, () => new TypeError("Load failed")),
      json({ error: { kind: "internal", message: "x" } }, 500),
      json({ next: 5, events: [{ type: "state" }] }),
      new TypeError("Load failed"),
    ]);
    expect(lost).toEqual([true, false, true]);
    expect(events).toEqual([{ type: "state" }]);
    expect(page.waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 250]);
  });

  test("stops at once, without a word", async () => {
    let aborted = false;
    const said: unknown[] = [];
    let asked = () => {};
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const page = around(
      (_, signal) =>
        new Promise<Response>((_resolve, reject) => {
          signal?.addEventListener("abort", () => {
            aborted = true;
            reject(new DOMException("stopped", "AbortError"));
          });
          asked();
        }),
    );
    const stop = new HttpBackend(page).listen(
      (e) => said.push(e),
      (d) => said.push(d),
    );
    await waiting;
    stop();
    await Promise.resolve();
    expect(aborted).toBe(true);
    expect(said).toEqual([]);
    expect(page.calls).toHaveLength(1);
  });
});
