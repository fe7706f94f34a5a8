import { BackendError, type Backend } from "../lib/backend/backend";
import type {
  AppEvent,
  AppState,
  BoardId,
  BoardPatch,
  BoardView,
  Edit,
  Fault,
  ImportOptions,
  ImportPreview,
  LinkState,
  Settings,
  ShareChange,
  ShareView,
  WidgetId,
  WidgetView,
} from "../lib/backend/types";
import { withEdits } from "../lib/state/patch";
import { noLink, sampleState, sampleViews } from "./samples";

type Stack = { label: string; widgets: readonly WidgetView[]; title: string; description: string };

/** Something that looks like a code, where the program would draw one. */
function picture(text: string): string {
  const size = 25;
  const finder = (x: number, y: number): boolean | null => {
    const far = Math.max(Math.abs(x - 3), Math.abs(y - 3));
    return far > 4 ? null : far !== 4 && far !== 2;
  };
  let dots = "";
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const corner = finder(x, y) ?? finder(size - 1 - x, y) ?? finder(x, size - 1 - y);
      const letter = text.charCodeAt((x * 7 + y * 13) % text.length);
      if (corner ?? (letter * (x + 3) + x * y * 5) % 7 < 3) dots += `M${String(x + 2)} ${String(y + 2)}h1v1h-1z`;
    }
  const box = String(size + 4);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${box} ${box}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${box}v${box}H0z"/><path d="${dots}"/></svg>`;
}

/** The program in memory, for tests and pictures of the screens: it keeps what it is given and can be told to fail. */
export class FakeBackend implements Backend {
  appState: AppState = sampleState();
  views = new Map<BoardId, BoardView>(sampleViews().map((v) => [v.id, v]));
  /** Every call, for tests: name and arguments. */
  readonly calls: (readonly [string, ...unknown[]])[] = [];
  /** Faults to answer with, by method. */
  readonly faults = new Map<string, Fault>();
  /** Calls wait for this, when set. */
  gate: Promise<void> | null = null;
  /** Whether the server hears at once of commands about links. */
  online = true;
  /** Names that belong to somebody else: the server refuses them. */
  readonly taken = new Set<string>();
  clipboard = "";
  preview: ImportPreview | null = null;

  #listener: ((events: readonly AppEvent[]) => void) | null = null;
  #lost: ((down: boolean) => void) | null = null;
  #ids = 0;
  #undo = new Map<BoardId, { back: Stack[]; forth: Stack[] }>();

  async #call(name: string, ...args: readonly unknown[]): Promise<void> {
    this.calls.push([name, ...args]);
    await (this.gate ?? Promise.resolve());
    const fault = this.faults.get(name);
    if (fault) throw new BackendError(fault);
  }

  called(name: string): readonly (readonly [string, ...unknown[]])[] {
    return this.calls.filter(([n]) => n === name);
  }

  emit(...events: AppEvent[]): void {
    this.#listener?.(events);
  }

  loseConnection(down: boolean): void {
    this.#lost?.(down);
  }

  view(id: BoardId): BoardView {
    const view = this.views.get(id);
    if (!view) throw new BackendError({ kind: "not_found", message: "This dashboard is not here any more." });
    return view;
  }

  /** Changes a dashboard behind the screens' back, as another device would, and tells them. */
  change(id: BoardId, to: Partial<BoardView>): void {
    const old = this.view(id);
    this.views.set(id, { ...old, ...to, version: old.version + 1 });
    this.#list();
    this.emit({ type: "board", id, version: old.version + 1 }, { type: "state" });
  }

  #list(): void {
    const known = new Map(this.appState.boards.map((b) => [b.id, b]));
    this.appState = {
      ...this.appState,
      boards: [...this.views.values()].map((v) => ({
        id: v.id,
        title: v.title,
        role: v.role,
        trashed: v.trashed,
        sample: v.sample,
        sync: v.sync,
        queued: v.queued,
        mode: v.share.inForce.mode,
        ends: v.share.inForce.mode === "private" ? 0 : v.share.inForce.expires,
        widgets: v.widgets.length,
        updated: known.get(v.id)?.updated ?? Date.now(),
        created: known.get(v.id)?.created ?? Date.now(),
      })),
    };
  }

  async state(): Promise<AppState> {
    await this.#call("state");
    return this.appState;
  }

  async settings(s: Settings): Promise<void> {
    await this.#call("settings", s);
    this.appState = { ...this.appState, settings: s };
  }

  async board(id: BoardId): Promise<BoardView> {
    await this.#call("board", id);
    return this.view(id);
  }

  async boardSince(id: BoardId, have: number): Promise<BoardPatch | BoardView> {
    await this.#call("boardSince", id, have);
    const { widgets, ...rest } = this.view(id);
    return { ...rest, order: widgets.map((w) => w.id), changed: widgets };
  }

  async create(title: string): Promise<BoardId> {
    await this.#call("create", title);
    const id = `dsh_NEW${String(++this.#ids)}` as BoardId;
    const [model] = sampleViews();
    if (!model) throw new Error("no samples");
    this.views.set(id, {
      ...model,
      id,
      title,
      description: "",
      sample: false,
      widgets: [],
      undo: null,
      redo: null,
      version: 1,
      share: { ...model.share, inForce: noLink, wanted: noLink },
    });
    this.#list();
    return id;
  }

  async duplicate(id: BoardId): Promise<BoardId> {
    await this.#call("duplicate", id);
    const copy = `dsh_NEW${String(++this.#ids)}` as BoardId;
    this.views.set(copy, { ...this.view(id), id: copy, title: `${this.view(id).title} (copy)`, sample: false });
    this.#list();
    return copy;
  }

  async trash(id: BoardId): Promise<void> {
    await this.#call("trash", id);
    this.change(id, { trashed: true });
  }

  async restore(id: BoardId): Promise<void> {
    await this.#call("restore", id);
    this.change(id, { trashed: false });
  }

  async destroy(id: BoardId): Promise<void> {
    await this.#call("destroy", id);
    this.views.delete(id);
    this.#list();
  }

  async edit(id: BoardId, edits: readonly Edit[], label: string): Promise<{ version: number; added: WidgetId[] }> {
    await this.#call("edit", id, edits, label);
    const old = this.view(id);
    const added: WidgetId[] = [];
    let next = withEdits(old, edits);
    for (const e of edits) {
      if (e.do !== "add" && e.do !== "duplicate") continue;
      const from = e.do === "duplicate" ? old.widgets.find((w) => w.id === e.widget) : undefined;
      const widget: WidgetView = {
        kind: "stat",
        title: "",
        layout: { x: 0, y: 99, w: 4, h: 4 },
        options: {},
        columns: [],
        rows: [],
        ...from,
        ...(e.do === "add"
          ? {
              kind: e.kind,
              title: e.title,
              layout: e.layout,
              options: e.options ?? {},
              columns: e.columns ?? [],
              rows: e.rows ?? [],
            }
          : {}),
        id: `wgt_NEW${String(++this.#ids)}` as WidgetId,
        rev: 1,
        dataRev: 1,
      };
      added.push(widget.id);
      next = { ...next, widgets: [...next.widgets, widget] };
    }
    this.#stack(id).back.push({ ...old, label });
    this.#stack(id).forth.length = 0;
    this.change(id, { ...next, ...this.#labels(id) });
    return { version: this.view(id).version, added };
  }

  #stack(id: BoardId): { back: Stack[]; forth: Stack[] } {
    const stack = this.#undo.get(id) ?? { back: [], forth: [] };
    this.#undo.set(id, stack);
    return stack;
  }

  #labels(id: BoardId): { undo: string | null; redo: string | null } {
    const { back, forth } = this.#stack(id);
    return { undo: back.at(-1)?.label ?? null, redo: forth.at(-1)?.label ?? null };
  }

  async undo(id: BoardId): Promise<void> {
    await this.#call("undo", id);
    this.#swap(id, "back", "forth");
  }

  async redo(id: BoardId): Promise<void> {
    await this.#call("redo", id);
    this.#swap(id, "forth", "back");
  }

  #swap(id: BoardId, from: "back" | "forth", to: "back" | "forth"): void {
    const stack = this.#stack(id);
    const step = stack[from].pop();
    if (!step) return;
    const { widgets, title, description } = this.view(id);
    stack[to].push({ label: step.label, widgets, title, description });
    this.change(id, { widgets: step.widgets, title: step.title, description: step.description, ...this.#labels(id) });
  }

  async exportBoard(id: BoardId): Promise<string> {
    await this.#call("exportBoard", id);
    return JSON.stringify(this.view(id));
  }

  async exportRows(id: BoardId, widget: WidgetId): Promise<string> {
    await this.#call("exportRows", id, widget);
    return "a,b\n1,2\n";
  }

  async importBoard(json: string): Promise<BoardId> {
    await this.#call("importBoard", json);
    return this.create("Imported dashboard");
  }

  async readFile(name: string, bytes: Uint8Array, options: ImportOptions): Promise<ImportPreview> {
    await this.#call("readFile", name, bytes, options);
    if (!this.preview) throw new BackendError({ kind: "invalid", message: "This file holds no rows." });
    return { ...this.preview, name };
  }

  async reread(importId: string, options: ImportOptions): Promise<ImportPreview> {
    await this.#call("reread", importId, options);
    const old = this.preview;
    if (!old) throw new BackendError({ kind: "not_found", message: "This file has to be chosen again." });
    const { format, delimiter, header, decimal, dateOrder, types, keep } = options;
    this.preview = {
      ...old,
      columns: old.columns.map((c, i) => ({ ...c, type: types?.[i] ?? c.type })),
      options: {
        format: format ?? old.options.format,
        delimiter: delimiter ?? old.options.delimiter,
        header: header ?? old.options.header,
        decimal: decimal ?? old.options.decimal,
        dateOrder: dateOrder ?? old.options.dateOrder,
        types: types ?? old.options.types,
        keep: keep ?? old.options.keep,
      },
    };
    return this.preview;
  }

  async applyImport(
    importId: string,
    board: BoardId,
    target: { widget: WidgetId } | { kind: string; title: string },
  ): Promise<WidgetId> {
    await this.#call("applyImport", importId, board, target);
    const preview = this.preview;
    if (!preview) throw new BackendError({ kind: "not_found", message: "This file has to be chosen again." });
    const { columns, sample } = preview;
    if ("widget" in target) {
      await this.edit(board, [{ do: "rows", widget: target.widget, columns, rows: sample }], "Import");
      return target.widget;
    }
    const { added } = await this.edit(
      board,
      [{ do: "add", kind: "line", title: target.title, layout: { x: 0, y: 50, w: 6, h: 5 }, columns, rows: sample }],
      "Import",
    );
    const [id] = added;
    if (!id) throw new Error("nothing was added");
    return id;
  }

  async share(id: BoardId, change: ShareChange): Promise<void> {
    await this.#call("share", id, change);
    const { share } = this.view(id);
    const base = this.appState.account?.server ?? this.appState.defaultServer;
    const refusal =
      this.online && change.action === "slug" && this.taken.has(change.slug)
        ? { action: change.action, message: `The name “${change.slug}” is taken. Choose another one.` }
        : null;
    const wanted = refusal ? share.wanted : derived(this.#changed(share.wanted, change));
    const inForce = this.online ? wanted : share.inForce;
    const cut =
      share.inForce.mode !== "private" &&
      this.online &&
      (inForce.mode !== share.inForce.mode || inForce.token !== share.inForce.token || change.action === "password");
    this.change(id, {
      share: {
        ...share,
        wanted,
        inForce,
        refused: refusal ?? share.refused,
        waiting: this.online ? [] : [...share.waiting, { id: String(++this.#ids), action: change.action }],
        receipt: cut ? { cut: share.watching, ms: 40 } : share.receipt,
        watching: cut ? 0 : share.watching,
        ...addresses(base, wanted),
      },
    });
  }

  /** The link after a command that applies. */
  #changed(link: LinkState, change: ShareChange): LinkState {
    const next = { ...link, version: link.version + 1 };
    const fresh = (): Pick<LinkState, "token" | "shortId"> => ({
      token: `shr_${String(++this.#ids).padStart(24, "k")}`,
      shortId: `k7Qp2${String(this.#ids).padStart(5, "x")}`,
    });
    switch (change.action) {
      case "enable":
        return {
          ...next,
          ...(link.token === "" ? fresh() : {}),
          enabled: true,
          password: link.password || change.password !== undefined,
        };
      case "disable":
        return { ...next, enabled: false };
      case "rotate":
        return { ...next, ...fresh(), slug: "" };
      case "password":
        return { ...next, password: true };
      case "no_password":
        return { ...next, password: false };
      case "expiry":
        return { ...next, expires: change.expires, expired: false };
      case "slug":
        return { ...next, slug: change.slug };
      case "still":
        return { ...next, still: change.still };
      case "origins":
        return { ...next, origins: change.origins };
    }
  }

  async qr(id: BoardId, of: "link" | "short" | "slug", format: "svg" | "png"): Promise<Blob> {
    await this.#call("qr", id, of, format);
    const { share } = this.view(id);
    const text = { link: share.url, short: share.shortUrl, slug: share.slugUrl }[of];
    return new Blob([picture(text)], { type: format === "svg" ? "image/svg+xml" : "image/png" });
  }

  async dismissRefusal(id: BoardId): Promise<void> {
    await this.#call("dismissRefusal", id);
    this.change(id, { share: { ...this.view(id).share, refused: null } });
  }

  async keepCopy(id: BoardId): Promise<BoardId> {
    await this.#call("keepCopy", id);
    return this.duplicate(id);
  }

  async discardRefused(id: BoardId): Promise<void> {
    await this.#call("discardRefused", id);
    this.change(id, { sync: "saved", queued: 0 });
  }

  async signUp(server: string, email: string, password: string): Promise<void> {
    await this.#call("signUp", server, email, password);
    this.#signedIn(server, email);
  }

  async logIn(server: string, email: string, password: string): Promise<void> {
    await this.#call("logIn", server, email, password);
    this.#signedIn(server, email);
  }

  #signedIn(server: string, email: string): void {
    this.appState = {
      ...this.appState,
      account: { email, server },
      sync: { state: "synced", sentence: "Everything is synced.", hint: "", queued: 0, lastSynced: Date.now() },
    };
    this.emit({ type: "state" });
  }

  async logOut(): Promise<void> {
    await this.#call("logOut");
    this.appState = { ...this.appState, account: null };
  }

  async retrySync(): Promise<void> {
    await this.#call("retrySync");
  }

  async openExternal(url: string): Promise<void> {
    await this.#call("openExternal", url);
  }

  async copy(text: string): Promise<void> {
    await this.#call("copy", text);
    this.clipboard = text;
  }

  listen(listener: (events: readonly AppEvent[]) => void, lost: (down: boolean) => void): () => void {
    this.#listener = listener;
    this.#lost = lost;
    return () => {
      this.#listener = null;
      this.#lost = null;
    };
  }
}

function derived(link: LinkState): LinkState {
  const mode = !link.enabled || link.expired ? "private" : link.password ? "password" : "public";
  return { ...link, mode };
}

function addresses(base: string, link: LinkState): Pick<ShareView, "url" | "shortUrl" | "slugUrl"> {
  return {
    url: link.token ? `${base}/share/${link.token}` : "",
    shortUrl: link.shortId ? `${base}/s/${link.shortId}` : "",
    slugUrl: link.slug ? `${base}/s/${link.slug}` : "",
  };
}
