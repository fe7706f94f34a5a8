import { BackendError, UnreachableError, type Backend } from "./backend";
import type {
  AppEvent,
  AppState,
  BoardId,
  BoardPatch,
  BoardView,
  Edit,
  Fault,
  History,
  ImportOptions,
  ImportPreview,
  Invited,
  OrganisationId,
  Settings,
  ShareChange,
  Then,
  Tray,
  WidgetId,
} from "./types";

/** What of the page an HttpBackend uses; tests put their own in place. */
export interface Surroundings {
  fetch: typeof fetch;
  /** Opens a link in a new tab, where the program has no browser of its own to hand it to. */
  open: (url: string) => void;
  /** Writes to the clipboard by the page's means; rejects where it may not. */
  copy: (text: string) => Promise<void>;
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  random: () => string;
}

/** Long polls that come back empty at once are not repeated faster than this, in milliseconds. */
const MIN_PAUSE = 250;
/** The longest pause between attempts to reach a program that does not answer, in milliseconds. */
const MAX_PAUSE = 5_000;

const UNREACHABLE: Fault = {
  kind: "unavailable",
  message: "The program does not answer.",
  hint: "It may have been closed. Start it again; everything saved is still there.",
};

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Who answers an HttpBackend, and what to do and say when they do not. */
export interface Answerer {
  /** What stands before the paths of requests, such as /app. */
  base: string;
  unreachable: Fault;
  /** Called when somebody else, or nobody, is signed in by now. */
  signedOut: () => void;
}

const program: Answerer = {
  base: "",
  unreachable: UNREACHABLE,
  signedOut: () => undefined, // the program's own screens say so
};

/** The Backend of this page. */
export function httpBackend(): Backend {
  return new HttpBackend();
}

/**
 * The Backend over HTTP: the bridge's, which the desktop window and the loopback page both reach, or a sync server's.
 * Bodies are strings or bytes, never a Blob or File: the web view of the desktop cannot take those.
 */
export class HttpBackend implements Backend {
  readonly #around: Surroundings;
  readonly #answerer: Answerer;

  constructor(around: Surroundings = page(), answerer: Answerer = program) {
    this.#around = around;
    this.#answerer = answerer;
  }

  async state(): Promise<AppState> {
    return (await this.#json("GET", "/api/state")) as AppState;
  }

  async settings(s: Settings): Promise<void> {
    await this.#json("PUT", "/api/settings", s);
  }

  async board(id: BoardId): Promise<BoardView> {
    return (await this.#json("GET", at(id))) as BoardView;
  }

  async boardSince(id: BoardId, have: number): Promise<BoardPatch | BoardView> {
    return (await this.#json("GET", `${at(id)}?have=${String(have)}`)) as BoardPatch | BoardView;
  }

  async create(title: string, organisation?: OrganisationId): Promise<BoardId> {
    return newId(await this.#json("POST", "/api/boards", organisation ? { title, organisation } : { title }));
  }

  async duplicate(id: BoardId): Promise<BoardId> {
    return newId(await this.#json("POST", at(id, "duplicate")));
  }

  async trash(id: BoardId): Promise<void> {
    await this.#json("POST", at(id, "trash"));
  }

  async restore(id: BoardId): Promise<void> {
    await this.#json("POST", at(id, "restore"));
  }

  async destroy(id: BoardId): Promise<void> {
    await this.#json("DELETE", at(id));
  }

  async edit(id: BoardId, edits: readonly Edit[], label: string): Promise<{ version: number; added: WidgetId[] }> {
    return (await this.#json("POST", at(id, "edits"), { edits, label })) as { version: number; added: WidgetId[] };
  }

  async undo(id: BoardId): Promise<void> {
    await this.#json("POST", at(id, "undo"));
  }

  async redo(id: BoardId): Promise<void> {
    await this.#json("POST", at(id, "redo"));
  }

  async history(id: BoardId, before?: string, widget?: WidgetId): Promise<History> {
    const query = new URLSearchParams({ ...(before && { before }), ...(widget && { widget }) });
    return (await this.#json("GET", `${at(id, "history")}?${query.toString()}`)) as History;
  }

  async boardAt(id: BoardId, position: string): Promise<Then> {
    return (await this.#json("GET", `${at(id, "history")}/${encodeURIComponent(position)}`)) as Then;
  }

  async restoreTo(id: BoardId, position: string, widget?: WidgetId | "board", field?: string): Promise<void> {
    await this.#json("POST", `${at(id, "history")}/${encodeURIComponent(position)}/restore`, { widget, field });
  }

  async exportBoard(id: BoardId): Promise<string> {
    return (await this.#send("GET", at(id, "export"))).text();
  }

  async exportRows(id: BoardId, widget: WidgetId): Promise<string> {
    return (await this.#send("GET", `${at(id, "widgets")}/${encodeURIComponent(widget)}/rows.csv`)).text();
  }

  async importBoard(json: string): Promise<BoardId> {
    return newId(await this.#read(await this.#send("POST", "/api/boards/import", json)));
  }

  async readFile(name: string, bytes: Uint8Array, options: ImportOptions): Promise<ImportPreview> {
    const query = new URLSearchParams({ name, options: JSON.stringify(options) });
    // A copy in a buffer of its own: the given view may be part of a larger or shared one.
    const body = new Uint8Array(bytes);
    return (await this.#read(await this.#send("POST", `/api/files?${query.toString()}`, body))) as ImportPreview;
  }

  async reread(importId: string, options: ImportOptions): Promise<ImportPreview> {
    return (await this.#json("POST", `/api/files/${encodeURIComponent(importId)}`, { options })) as ImportPreview;
  }

  async applyImport(
    importId: string,
    board: BoardId,
    target: { widget: WidgetId } | { kind: string; title: string },
  ): Promise<WidgetId> {
    const answer = await this.#json("POST", `/api/files/${encodeURIComponent(importId)}/apply`, { board, ...target });
    return (answer as { widget: WidgetId }).widget;
  }

  async share(id: BoardId, change: ShareChange): Promise<void> {
    await this.#json("POST", at(id, "share"), change);
  }

  async invite(id: BoardId, addresses: string, role: "viewer" | "editor", message: string): Promise<Invited> {
    return (await this.#json("POST", at(id, "invite"), { addresses, role, message })) as Invited;
  }

  async look(id: BoardId | null, editing: boolean): Promise<void> {
    await this.#json("POST", "/api/look", { board: id ?? "", editing });
  }

  async qr(id: BoardId, of: "link" | "short" | "slug", format: "svg" | "png"): Promise<Blob> {
    const answer = await this.#send("GET", `${at(id, "qr")}?of=${of}&format=${format}`);
    try {
      return await answer.blob();
    } catch {
      throw this.#unreachable();
    }
  }

  async dismissRefusal(id: BoardId): Promise<void> {
    await this.#json("POST", at(id, "share/dismiss"));
  }

  async tray(id: BoardId): Promise<Tray> {
    return (await this.#json("GET", at(id, "tray"))) as Tray;
  }

  async exportTray(id: BoardId): Promise<string> {
    return (await this.#send("GET", at(id, "tray/export"))).text();
  }

  async keepCopy(id: BoardId): Promise<BoardId> {
    return newId(await this.#json("POST", at(id, "keep-copy")));
  }

  async discardRefused(id: BoardId): Promise<void> {
    await this.#json("POST", at(id, "discard"));
  }

  async signUp(server: string, email: string, password: string): Promise<void> {
    await this.#json("POST", "/api/account/signup", { server, email, password });
  }

  async resendSignUp(): Promise<void> {
    await this.#json("POST", "/api/account/signup/resend");
  }

  async cancelSignUp(): Promise<void> {
    await this.#json("DELETE", "/api/account/signup");
  }

  async logIn(server: string, email: string, password: string): Promise<void> {
    await this.#json("POST", "/api/account/login", { server, email, password });
  }

  async logOut(): Promise<void> {
    await this.#json("POST", "/api/account/logout");
  }

  async retrySync(): Promise<void> {
    await this.#json("POST", "/api/sync/retry");
  }

  /** The program hands the link to the system's browser; where it has none, the page opens a tab. */
  async openExternal(url: string): Promise<void> {
    const answer = (await this.#json("POST", "/api/external", { url })) as { done: boolean };
    if (!answer.done) this.#around.open(url);
  }

  async copy(text: string): Promise<void> {
    const answer = (await this.#json("POST", "/api/clipboard", { text })) as { done: boolean };
    if (answer.done) return;
    try {
      await this.#around.copy(text);
    } catch {
      throw new BackendError({
        kind: "denied",
        message: "The browser does not let this page write to the clipboard.",
        hint: "Select the text and copy it by hand.",
      });
    }
  }

  /** One long poll after the other, until the returned function is called. */
  listen(listener: (events: readonly AppEvent[]) => void, lost: (down: boolean) => void): () => void {
    const stop = new AbortController();
    void this.#poll(listener, lost, stop.signal); // ends by the signal, and never rejects
    return () => {
      stop.abort();
    };
  }

  async #poll(
    listener: (events: readonly AppEvent[]) => void,
    lost: (down: boolean) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const client = this.#around.random();
    let next = 0;
    let down = false;
    let pause = MIN_PAUSE;
    for (;;) {
      let answer: Poll | undefined;
      try {
        const path = `/api/events?after=${String(next)}&client=${encodeURIComponent(client)}`;
        answer = (await this.#read(await this.#send("GET", path, undefined, signal))) as Poll;
      } catch {
        // Told by `lost` below; what went wrong is the same for the user.
      }
      if (signal.aborted) return;
      if (down !== (answer === undefined)) {
        down = answer === undefined;
        lost(down);
      }
      if (answer !== undefined) {
        const gap = answer.reset === true && next > 0;
        next = answer.next;
        if (gap) {
          // What was told meanwhile is not known any more: everything is fetched, as after a time without connection.
          lost(true);
          lost(false);
        }
        if (answer.events.length > 0) {
          pause = MIN_PAUSE;
          listener(answer.events);
          continue;
        }
      }
      await this.#around.wait(pause, signal);
      pause = answer === undefined ? Math.min(pause * 2, MAX_PAUSE) : MIN_PAUSE;
    }
  }

  async #json(method: Method, path: string, body?: unknown): Promise<unknown> {
    return this.#read(await this.#send(method, path, body === undefined ? undefined : JSON.stringify(body)));
  }

  async #send(
    method: Method,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const init: RequestInit = { method, cache: "no-store", credentials: "same-origin" };
    if (body !== undefined) {
      init.body = body;
      init.headers = { "Content-Type": typeof body === "string" ? "application/json" : "application/octet-stream" };
    }
    if (signal !== undefined) init.signal = signal;
    let response: Response;
    try {
      response = await this.#around.fetch(this.#answerer.base + path, init);
    } catch {
      throw this.#unreachable();
    }
    if (response.ok) return response;
    const fault = await faultOf(response);
    if (response.status === 401 && fault.kind === "unauthenticated") this.#answerer.signedOut();
    throw new BackendError(fault);
  }

  async #read(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch {
      throw this.#unreachable();
    }
  }

  #unreachable(): UnreachableError {
    return new UnreachableError(this.#answerer.unreachable);
  }
}

interface Poll {
  next: number;
  events: AppEvent[];
  /** The number asked with was not known. */
  reset?: boolean;
}

function at(id: BoardId, rest = ""): string {
  return `/api/boards/${encodeURIComponent(id)}${rest === "" ? "" : `/${rest}`}`;
}

function newId(answer: unknown): BoardId {
  return (answer as { id: BoardId }).id;
}

/** The fault that an answer carries, or a general one where something else than the bridge answered. */
async function faultOf(response: Response): Promise<Fault> {
  try {
    const { error } = (await response.json()) as { error?: Partial<Fault> };
    if (typeof error?.kind === "string" && typeof error.message === "string")
      return { ...error, kind: error.kind, message: error.message };
  } catch {
    // Not JSON, so not the bridge.
  }
  return {
    kind: "internal",
    message: "Something went wrong inside the program.",
    hint: `Try again; nothing was changed. (Answer ${String(response.status)})`,
  };
}

/** The page itself. */
export function page(): Surroundings {
  return {
    fetch: (input, init) => fetch(input, init),
    open: (url) => {
      window.open(url, "_blank", "noopener,noreferrer");
    },
    copy: (text) => navigator.clipboard.writeText(text),
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
    random: () =>
      Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join(""),
  };
}
