import { BackendError, UnreachableError, type Backend } from "../lib/backend/backend";
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
  LinkState,
  OrganisationId,
  Settings,
  ShareChange,
  ShareView,
  Then,
  Tray,
  WidgetId,
  WidgetView,
} from "../lib/backend/types";
import { withEdits } from "../lib/state/patch";
import { FakeHistory, itemsOf, restored } from "./fakeHistory";
import { isPeople, settled, withInvited, withPeople, type PeopleChange, type Server } from "./fakePeople";
import { picture } from "./picture";
import { noLink, sampleState, sampleViews, summary } from "./samples";

type Stack = { label: string } & Pick<BoardView, "widgets" | "title" | "description" | "theme">;

/** The program in memory, for tests and pictures of the screens: it keeps what it is given and can be told to fail. */
export class FakeBackend implements Backend {
  appState: AppState = sampleState();
  views = new Map<BoardId, BoardView>(sampleViews().map((v) => [v.id, v]));
  trays = new Map<BoardId, Tray>();
  /** Every call, for tests: name and arguments. */
  readonly calls: (readonly [string, ...unknown[]])[] = [];
  /** Faults to answer with, by method. */
  readonly faults = new Map<string, Fault>();
  /** The calls that nobody answers. */
  readonly silent = new Set<string>();
  /** Calls wait for this, when set. */
  gate: Promise<void> | null = null;
  /** Whether the server hears at once of commands about links and people; see connect. */
  online = true;
  /** Names that belong to somebody else: the server refuses them. */
  readonly taken = new Set<string>();
  /** What the last call of look said. */
  looking: { id: BoardId | null; editing: boolean } | null = null;
  /** Page of the development mailbox that a sign-up is told of; empty for none. */
  mailbox = "";
  clipboard = "";
  preview: ImportPreview | null = null;
  /** What happened to the dashboards. */
  readonly past = new FakeHistory();

  #listener: ((events: readonly AppEvent[]) => void) | null = null;
  #lost: ((down: boolean) => void) | null = null;
  #ids = 0;
  #undo = new Map<BoardId, { back: Stack[]; forth: Stack[] }>();

  async #call(name: string, ...args: readonly unknown[]): Promise<void> {
    this.calls.push([name, ...args]);
    await (this.gate ?? Promise.resolve());
    const fault = this.faults.get(name);
    if (this.silent.has(name)) throw new UnreachableError({ kind: "unavailable", message: "No answer." });
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

  /** Changes a dashboard behind the screens' back, as another device would (somebody's, or the account's own), and tells them. */
  change(id: BoardId, to: Partial<BoardView>, by = ""): void {
    const old = this.view(id);
    const next = { ...old, ...to, version: old.version + 1 };
    this.views.set(id, next);
    this.past.record(id, old, next, { by, mine: by === "" });
    this.#list();
    this.emit({ type: "board", id, version: old.version + 1 }, { type: "state" });
  }

  #list(): void {
    const known = new Map(this.appState.boards.map((b) => [b.id, b]));
    this.appState = {
      ...this.appState,
      boards: [...this.views.values()].map((v) => {
        const { updated = Date.now(), created = Date.now(), ...old } = known.get(v.id) ?? {};
        return { ...summary(v, updated, created), ...("owner" in old ? { owner: old.owner, mine: old.mine } : {}) };
      }),
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

  async create(title: string, organisation?: OrganisationId): Promise<BoardId> {
    await this.#call("create", title, organisation);
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
      share: {
        ...model.share,
        inForce: noLink,
        wanted: noLink,
        organisation: this.#organisation(organisation),
      },
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
    this.#stack(id).back.push(step(old, label));
    this.#stack(id).forth.length = 0;
    this.change(id, { ...next, ...this.#labels(id) });
    return { version: this.view(id).version, added };
  }

  async history(id: BoardId, before?: string, widget?: WidgetId): Promise<History> {
    await this.#call("history", id, before, widget);
    return this.past.list(id, before, widget);
  }

  async boardAt(id: BoardId, position: string): Promise<Then> {
    await this.#call("boardAt", id, position);
    return this.past.then(id, position);
  }

  async restoreTo(id: BoardId, position: string, widget?: WidgetId | "board", field?: string): Promise<void> {
    await this.#call("restoreTo", id, position, widget, field);
    const old = this.view(id);
    const next = { ...old, ...restored(old, this.past.then(id, position), widget, field) };
    if (itemsOf(old, next).length === 0)
      throw new BackendError({ kind: "conflict", message: "It is like that already." });
    this.#stack(id).back.push(step(old, "Restore an earlier state"));
    this.#stack(id).forth.length = 0;
    this.change(id, { ...next, ...this.#labels(id) });
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
    const { widgets, title, description, theme } = this.view(id);
    const { label, ...content } = step;
    stack[to].push({ label, widgets, title, description, theme });
    this.change(id, { ...content, ...this.#labels(id) });
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
    if (isPeople(change)) {
      this.#people(id, change);
      return;
    }
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

  /** The organisation of that id, or the personal one, as a dashboard tells of it. */
  #organisation(id?: OrganisationId): ShareView["organisation"] {
    const all = this.appState.organisations;
    const found = all.find((o) => o.id === id) ?? all.find((o) => o.personal);
    return found ? { id: found.id, name: found.name, personal: found.personal, size: found.personal ? 1 : 5 } : null;
  }

  #server(): Server {
    const { account, organisations } = this.appState;
    return {
      online: this.online,
      now: Date.now(),
      by: account?.name ?? "",
      organisations,
      id: () => String(++this.#ids).padStart(26, "0"),
    };
  }

  #people(id: BoardId, change: PeopleChange): void {
    const { share } = this.view(id);
    const next = withPeople(share, change, this.#server());
    const cancelled = change.action === "revoke" && !next.invitations.some((i) => i.id === change.invitation);
    this.change(id, {
      share: {
        ...next,
        waiting:
          this.online || cancelled
            ? share.waiting
            : [...share.waiting, { id: String(++this.#ids), action: change.action }],
      },
    });
  }

  async invite(id: BoardId, addresses: string, role: "viewer" | "editor", message: string): Promise<Invited> {
    await this.#call("invite", id, addresses, role, message);
    const { share } = this.view(id);
    const { share: next, answer } = withInvited(share, addresses, role, this.#server());
    const waiting = this.online
      ? []
      : answer.invited.map(() => ({ id: String(++this.#ids), action: "invite" as const }));
    this.change(id, { share: { ...next, waiting: [...share.waiting, ...waiting] } });
    return answer;
  }

  async look(id: BoardId | null, editing: boolean): Promise<void> {
    await this.#call("look", id, editing);
    this.looking = { id, editing };
  }

  /** The mail to an address came as far as that. */
  deliver(id: BoardId, email: string, delivery: "sent" | "undeliverable", reason = ""): void {
    const { share } = this.view(id);
    const invitations = share.invitations.map((i) => (i.email === email ? { ...i, delivery, reason } : i));
    this.change(id, { share: { ...share, invitations } });
  }

  /** The server is reached: it has everything that waited. */
  connect(): void {
    this.online = true;
    this.appState = { ...this.appState, sync: synced() };
    for (const view of this.views.values()) this.change(view.id, { share: settled(view.share, Date.now()) });
  }

  /** The link after a command that applies. */
  #changed(link: LinkState, change: Exclude<ShareChange, PeopleChange>): LinkState {
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

  async tray(id: BoardId): Promise<Tray> {
    await this.#call("tray", id);
    return this.trays.get(id) ?? { edits: 0, changes: [], more: 0, denied: "" };
  }

  async exportTray(id: BoardId): Promise<string> {
    await this.#call("exportTray", id);
    return JSON.stringify(this.view(id));
  }

  /** The server refuses edits. */
  refuse(id: BoardId, tray: Tray): void {
    this.trays.set(id, tray);
    this.change(id, { sync: tray.denied ? "denied" : "refused", refused: tray.edits, queued: 0 });
  }

  async keepCopy(id: BoardId): Promise<BoardId> {
    await this.#call("keepCopy", id);
    return this.duplicate(id);
  }

  async discardRefused(id: BoardId): Promise<void> {
    await this.#call("discardRefused", id);
    this.trays.delete(id);
    this.change(id, { sync: "saved", queued: 0, refused: 0 });
  }

  async signUp(server: string, email: string, password: string): Promise<void> {
    await this.#call("signUp", server, email, password);
    this.appState = { ...this.appState, signUp: { email, server, mailbox: this.mailbox } };
    this.emit({ type: "state" });
  }

  async resendSignUp(): Promise<void> {
    await this.#call("resendSignUp");
  }

  async cancelSignUp(): Promise<void> {
    await this.#call("cancelSignUp");
    this.appState = { ...this.appState, signUp: null };
    this.emit({ type: "state" });
  }

  /** The link in the mail of the sign-up that waits was opened. */
  confirm(): void {
    const { signUp } = this.appState;
    if (signUp) this.#signedIn(signUp.server, signUp.email);
  }

  async logIn(server: string, email: string, password: string): Promise<void> {
    await this.#call("logIn", server, email, password);
    this.#signedIn(server, email);
  }

  #signedIn(server: string, email: string): void {
    const name = email.split("@")[0] ?? email;
    this.appState = {
      ...this.appState,
      account: { id: `acc_${name}`, email, name, server, verified: true, manageUrl: `${server}/account` },
      signUp: null,
      sync: synced(),
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

function step({ widgets, title, description, theme }: BoardView, label: string): Stack {
  return { label, widgets, title, description, theme };
}

function synced(): AppState["sync"] {
  return { state: "synced", sentence: "Everything is synced.", hint: "", queued: 0, total: 0, lastSynced: Date.now() };
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
