import { createContext } from "svelte";
import { UnreachableError, type Backend } from "../backend/backend";
import type {
  AppEvent,
  AppState,
  BoardId,
  BoardSummary,
  Fault,
  OrganisationId,
  Theme,
  WidgetId,
} from "../backend/types";
import { BoardStore, mayEdit } from "./board.svelte";
import { faultOf } from "./fault";
import { HistoryStore } from "./history.svelte";
import { Looking } from "./looking";
import type { Address } from "./address";
import { routeHash, type Route } from "./route";
import { Toasts } from "./toasts.svelte";

/** What is open over the page. At most one at a time. */
export type Overlay =
  | { show: "share" }
  | { show: "account"; mode: "login" | "signup"; then?: "share" }
  | { show: "palette" }
  | { show: "gallery" }
  | { show: "shortcuts" }
  | { show: "import"; source: { name: string; bytes: Uint8Array } | null; widget: WidgetId | null }
  | { show: "destroy"; id: BoardId };

/** The widget panel beside the board. */
export interface Panel {
  widget: WidgetId;
  tab: "settings" | "data";
}

const retryAfter = 1000; // ms until what nobody answered is asked again
const kept = 6; // open dashboards kept in memory, so that switching back is instant

/**
 * The whole application's state around dashboards: what the program reported, where the user is, what is open. Screens
 * reach it by getApp; it alone listens to the program's events.
 */
export class AppStore {
  /** Null until the first answer. */
  state = $state.raw<AppState | null>(null);
  /** Why the program cannot be used at all. */
  fault = $state.raw<Fault | null>(null);
  /** Whether the program has stopped answering. */
  lost = $state(false);
  route = $state.raw<Route>({ at: "home" });
  board = $state.raw<BoardStore | null>(null);
  overlay = $state.raw<Overlay | null>(null);
  #panel = $state.raw<Panel | null>(null);
  #history = $state.raw<HistoryStore | null>(null);
  sidebar = $state(false);
  readonly toasts = new Toasts();
  readonly #looking: Looking;

  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on screen depends on it
  #open = new Map<BoardId, BoardStore>();
  #stop: (() => void) | null = null;
  #loading: Promise<void> | null = null;
  #again = false;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly backend: Backend,
    private readonly address: Address,
  ) {
    this.#looking = new Looking(backend);
  }

  /** Whether this is a sync server's workspace: everything is on the server, and nothing on this computer. */
  get web(): boolean {
    return this.state?.place === "web";
  }

  /** What is beside the board: a widget's panel, or the history; one gives way to the other. */
  get panel(): Panel | null {
    return this.#panel;
  }
  set panel(panel: Panel | null) {
    this.#panel = panel;
    if (panel) this.closeHistory();
  }

  get history(): HistoryStore | null {
    return this.#history;
  }

  /** Opens the history of the dashboard that is shown, of one widget if one is named; for those who may edit it. */
  openHistory(widget: WidgetId | null = null): void {
    const board = this.board;
    if (!board || !mayEdit(board.shown)) return;
    this.#panel = null;
    if (this.#history) this.#history.only(widget);
    else this.#history = new HistoryStore(board, this.backend, widget);
  }

  closeHistory(): void {
    this.#history?.close();
    this.#history = null;
  }

  get boards(): readonly BoardSummary[] {
    return this.state?.boards ?? [];
  }

  /** Begins: loads the state, shows the dashboard the address names, and listens. The returned function ends it. */
  start(): () => void {
    void this.#begin(); // failures end in `fault`
    return () => {
      this.#stop?.();
      this.#stop = null;
      this.#looking.stop();
      clearTimeout(this.#later);
    };
  }

  /** The page went out of sight, or came back: what was typed is written, and others no longer see the user here. */
  hide(hidden: boolean): void {
    if (hidden) this.board?.flush();
    this.#looking.hide(hidden);
  }

  /** Tries again after a failed start. */
  async retry(): Promise<void> {
    await this.#begin();
  }

  async #begin(): Promise<void> {
    await this.refresh();
    if (this.fault) return;
    this.#stop ??= this.backend.listen(
      (events) => {
        this.#hear(events);
      },
      (down) => {
        const back = this.lost && !down;
        this.lost = down;
        if (back) this.#catchUp();
      },
    );
    this.followAddress();
  }

  /** Loads the frame's state; calls while one is under way become one more load. */
  async refresh(): Promise<void> {
    if (this.#loading) {
      this.#again = true;
      return this.#loading;
    }
    this.#loading = this.#load().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  async #load(): Promise<void> {
    do {
      this.#again = false;
      try {
        const before = this.state;
        this.state = await this.backend.state();
        this.fault = null;
        if (before?.signUp && !before.account && this.state.account) this.welcome(this.state.account.email);
      } catch (error) {
        if (this.state) this.#missed(error);
        else this.fault = faultOf(error);
        return;
      }
    } while (this.#again as boolean);
  }

  #hear(events: readonly AppEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case "state":
          void this.refresh(); // failures end in a toast
          break;
        case "board":
          this.#open.get(event.id)?.announce(event.version);
          break;
        case "notice": {
          const { kind, message, hint, board, history } = event.notice;
          const action =
            history && board
              ? this.#toHistory(board)
              : board && board !== this.board?.id
                ? {
                    label: "Show",
                    run: () => {
                      this.go({ at: "board", id: board });
                    },
                  }
                : null;
          this.toasts.show(kind, message, { hint, action });
        }
      }
    }
  }

  /**
   * What is shown could not be brought up to date. If nobody answered, that is told once, by `lost`, and what was missed
   * is fetched when somebody does; or soon, if it was this one call only.
   */
  #missed(error: unknown): void {
    if (!(error instanceof UnreachableError)) {
      this.report(faultOf(error));
      return;
    }
    clearTimeout(this.#later);
    this.#later = setTimeout(() => {
      if (!this.lost) this.#catchUp();
    }, retryAfter);
  }

  #catchUp(): void {
    void this.refresh();
    void this.board?.refresh();
  }

  #toHistory(board: BoardId): { label: string; run: () => void } {
    return {
      label: "Show history",
      run: () => {
        this.go({ at: "board", id: board });
        void this.board?.refresh().then(() => {
          if (this.board?.id === board) this.openHistory();
        });
      },
    };
  }

  /** Goes somewhere and puts it in the address. */
  go(route: Route): void {
    this.address.write(route);
    this.#show(route);
  }

  /** What a link to a place in the app is. */
  href(route: Route): string {
    return this.address.href(route);
  }

  /** Follows a link to a place in the app; false if it leads elsewhere, or the browser follows it. */
  follow(href: string): boolean {
    const route = this.address.within(href);
    if (route) this.go(route);
    return route !== null;
  }

  /** Shows what the address says; called when it changed. */
  followAddress(): void {
    const route = this.address.read();
    if (routeHash(route) !== routeHash(this.route) || !this.board) this.#show(route);
  }

  #show(route: Route): void {
    const first = route.at === "home" ? this.firstBoard() : null;
    const to: Route = first ? { at: "board", id: first } : route;
    this.board?.flush();
    this.route = to;
    this.sidebar = false;
    this.#looking.at(to.at === "board" ? to.id : null);
    if (to.at !== "board") {
      this.board = null;
      this.panel = null;
      this.closeHistory();
      return;
    }
    if (this.board?.id === to.id) return;
    this.panel = null;
    this.closeHistory();
    const store =
      this.#open.get(to.id) ??
      new BoardStore(
        to.id,
        this.backend,
        (fault) => {
          // Somebody else changed the same: the history has both.
          if (fault.kind === "conflict") this.toasts.show("info", fault.message, { action: this.#toHistory(to.id) });
          else this.report(fault);
        },
        (error) => {
          this.#missed(error);
        },
        () => {
          if (this.board?.id === to.id) this.#looking.changed();
        },
      );
    this.#open.delete(to.id);
    this.#open.set(to.id, store);
    for (const id of this.#open.keys()) {
      if (this.#open.size <= kept) break;
      this.#open.delete(id);
    }
    this.board = store;
    void store.refresh(); // failures end in its `fault`
  }

  /** The dashboard to show when none is named. */
  firstBoard(): BoardId | null {
    return listed(this.boards)[0]?.id ?? null;
  }

  report(fault: Fault): void {
    this.toasts.show("error", fault.message, fault.hint ? { hint: fault.hint } : {});
  }

  /** Tells that somebody is signed in from now on. */
  welcome(email: string): void {
    this.toasts.show("success", `Signed in as ${email}.`, {
      hint: "Your dashboards are sent to the server and stay private until you share them.",
    });
  }

  /** Runs a call that may fail; failures become a message. Returns undefined then. */
  async run<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      this.report(faultOf(error));
      return undefined;
    }
  }

  /** Makes a dashboard, in the personal organisation unless another one is named. */
  async createBoard(organisation?: OrganisationId): Promise<void> {
    await this.#openNew(() => this.backend.create("Untitled dashboard", organisation));
  }

  async duplicateBoard(id: BoardId): Promise<void> {
    await this.#openNew(() => this.backend.duplicate(id));
  }

  async importBoard(json: string): Promise<void> {
    await this.#openNew(() => this.backend.importBoard(json));
  }

  async keepCopy(id: BoardId): Promise<void> {
    await this.#openNew(() => this.backend.keepCopy(id));
  }

  async #openNew(call: () => Promise<BoardId>): Promise<void> {
    const id = await this.run(call);
    if (id === undefined) return;
    await this.refresh();
    this.go({ at: "board", id });
  }

  async trashBoard(id: BoardId): Promise<void> {
    const title = this.boards.find((b) => b.id === id)?.title ?? "";
    const done = await this.run(async () => {
      await this.#open.get(id)?.idle();
      await this.backend.trash(id);
      return true;
    });
    if (!done) return;
    await this.refresh();
    if (this.board?.id === id) this.go({ at: "home" });
    this.toasts.show("info", `“${title}” is in the trash.`, {
      action: { label: "Put back", run: () => void this.restoreBoard(id) },
    });
  }

  async restoreBoard(id: BoardId): Promise<void> {
    const done = await this.run(async () => {
      await this.backend.restore(id);
      return true;
    });
    if (!done) return;
    await this.refresh();
    this.go({ at: "board", id });
  }

  async destroyBoard(id: BoardId): Promise<void> {
    await this.run(() => this.backend.destroy(id));
    this.#open.delete(id);
    await this.refresh();
  }

  async undo(): Promise<void> {
    const label = this.board?.shown?.undo;
    if (!this.board || !label || !mayEdit(this.board.shown)) return;
    await this.board.undo();
    this.toasts.show("info", `Undone: ${label}`);
  }

  async redo(): Promise<void> {
    const label = this.board?.shown?.redo;
    if (!this.board || !label || !mayEdit(this.board.shown)) return;
    await this.board.redo();
    this.toasts.show("info", `Redone: ${label}`);
  }

  async setTheme(theme: Theme): Promise<void> {
    const old = this.state;
    if (!old) return;
    this.state = { ...old, settings: { ...old.settings, theme } };
    const done = await this.run(async () => {
      await this.backend.settings({ ...old.settings, theme });
      return true;
    });
    if (!done && this.state.settings.theme === theme) this.state = { ...this.state, settings: old.settings };
  }

  /** Copies text; true once it is on the clipboard. */
  async copy(text: string): Promise<boolean> {
    return (
      (await this.run(async () => {
        await this.backend.copy(text);
        return true;
      })) ?? false
    );
  }
}

/** The dashboards that are not in the trash, the user's own work before the samples, newest first. */
export function listed(boards: readonly BoardSummary[]): readonly BoardSummary[] {
  return boards
    .filter((b) => !b.trashed)
    .sort((a, b) => Number(a.sample) - Number(b.sample) || b.created - a.created || (a.id < b.id ? -1 : 1));
}

/** The store for the components under the one that called setApp. */
export const [getApp, setApp] = createContext<AppStore>();
