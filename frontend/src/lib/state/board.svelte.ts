import { BackendError, type Backend } from "../backend/backend";
import type { BoardId, BoardView, Edit, Fault, Tray, WidgetId, WidgetView } from "../backend/types";
import { faultOf } from "./fault";
import { applyPatch, isPatch, withEdits } from "./patch";

interface Pending {
  readonly edits: readonly Edit[];
  /** The version that contains the edits, once they are on disk. */
  readonly version: number | null;
}

/** Something being typed: shown at once, written a moment after the last keystroke. */
interface Typed {
  readonly key: string;
  readonly edits: readonly Edit[];
  readonly label: string;
  /** What to write instead of `edits`, given the view without anything typed. */
  readonly atLast: ((view: BoardView) => readonly Edit[]) | undefined;
}

/** What became of a wish to restore: `same` is that it is like that already. */
export type Restored = "restored" | "same" | "failed";

/** What was typed and can no longer be saved, to be copied. */
export interface Kept {
  readonly label: string;
  readonly text: string;
}

const pause = 500; // ms after the last keystroke

/** Whether the content of a dashboard can be changed here. */
export function mayEdit(view: Pick<BoardView, "role" | "trashed" | "sync"> | null | undefined): boolean {
  return !!view && view.role !== "viewer" && !view.trashed && view.sync !== "denied";
}

/**
 * One open dashboard: the merged view the program gave, and over it the edits that are not part of it yet. Views are kept
 * raw (no deep proxies): a new view shares every unchanged widget with the one before.
 */
export class BoardStore {
  /** What the program last said, or null before the first answer. */
  view = $state.raw<BoardView | null>(null);
  /** Why the dashboard cannot be shown. */
  fault = $state.raw<Fault | null>(null);
  /** Texts that were being typed when the right to edit was taken away, until they are dismissed. */
  kept = $state.raw<readonly Kept[]>([]);
  /** What the server refused of the edits made here, null if nothing or before the answer. */
  tray = $state.raw<Tray | null>(null);
  /** How many calls are writing right now. */
  writing = $state(0);
  #pending = $state.raw<readonly Pending[]>([]);
  #typed = $state.raw<readonly Typed[]>([]);
  #asked = $derived(this.view && this.#pending.reduce<BoardView>((view, p) => withEdits(view, p.edits), this.view));
  /** The view with the edits that are not in it yet on top: what is on screen. */
  shown = $derived(this.#asked && this.#typed.reduce<BoardView>((view, t) => withEdits(view, t.edits), this.#asked));

  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on screen depends on it
  #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #offers: (() => void)[] = [];
  #wanted = 0;
  #pulling: Promise<void> | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** Number of the last request for the tray: the answers to earlier ones are out of date. */
  #trays = 0;

  constructor(
    readonly id: BoardId,
    private readonly backend: Backend,
    private readonly report: (fault: Fault) => void,
    /** Told why a newer view could not be fetched. */
    private readonly missed: (error: unknown) => void,
    /** Told of every change that is made here. */
    private readonly changed: () => void = () => undefined,
  ) {}

  /** Fetches the first view, or what changed since the last one. */
  async refresh(): Promise<void> {
    this.#wanted = Number.MAX_SAFE_INTEGER;
    await this.#pull();
  }

  /** Told that the program has a newer version; fetches it unless it is already here. */
  announce(version: number): void {
    if (this.view && version <= this.view.version) return;
    this.#wanted = Math.max(this.#wanted, version);
    void this.#pull(); // failures end in `fault`
  }

  widget(id: WidgetId): WidgetView | undefined {
    return this.shown?.widgets.find((w) => w.id === id);
  }

  /**
   * Shows the edits at once, writes them, and takes them back with a message if they were refused. Resolves with the ids
   * of added widgets, or null if the edits failed. Edits of one dashboard are written one after the other.
   */
  async edit(edits: readonly Edit[], label: string): Promise<readonly WidgetId[] | null> {
    if (this.view && !mayEdit(this.view)) {
      this.#keep(edits, label);
      return null;
    }
    this.changed();
    const pending: Pending = { edits, version: null };
    this.#pending = [...this.#pending, pending];
    let added: readonly WidgetId[] | null = null;
    await this.#write(async () => {
      try {
        const done = await this.backend.edit(this.id, edits, label);
        this.#replace(pending, { edits, version: done.version });
        added = done.added;
        this.#settle();
        this.announce(done.version);
        if (done.added.length > 0) await this.#pulling;
      } catch (error) {
        this.#replace(pending, null);
        if (faultOf(error).kind === "denied") this.#keep(edits, label);
        throw error;
      }
    });
    return added;
  }

  /**
   * Shows edits made by typing at once, and writes them a moment after the last call with the same key. `atLast` may
   * replace them by something smaller that comes to the same.
   */
  type(key: string, edits: readonly Edit[], label: string, atLast?: (view: BoardView) => readonly Edit[]): void {
    if (this.view && !mayEdit(this.view)) {
      this.#keep(edits, label);
      return;
    }
    this.changed();
    const typed: Typed = { key, edits, label, atLast };
    this.#typed = [...this.#typed.filter((t) => t.key !== key), typed];
    clearTimeout(this.#timers.get(key));
    this.#timers.set(
      key,
      setTimeout(() => {
        this.#write1(typed);
      }, pause),
    );
  }

  /** Writes what was typed now: on blur, on Enter, before leaving. */
  flush(): void {
    for (const typed of this.#typed) this.#write1(typed);
  }

  /** Keeps a text that can no longer be saved, to be copied. */
  keep(label: string, text: string): void {
    if (text.trim() === "") return;
    this.kept = [...this.kept.filter((k) => k.label !== label), { label, text }];
  }

  #keep(edits: readonly Edit[], label: string): void {
    for (const edit of edits) this.keep(label, textOf(edit));
  }

  #write1(typed: Typed): void {
    // What was written or kept meanwhile; asked of the timers, since a component that goes away still sees the old state.
    if (!this.#timers.has(typed.key)) return;
    clearTimeout(this.#timers.get(typed.key));
    this.#timers.delete(typed.key);
    const edits = (this.#asked && typed.atLast?.(this.#asked)) ?? typed.edits;
    this.#typed = this.#typed.filter((t) => t.key !== typed.key);
    if (edits.length > 0) void this.edit(edits, typed.label); // failures are reported there
  }

  async undo(): Promise<void> {
    this.flush();
    await this.#write(() => this.backend.undo(this.id));
    await this.refresh();
  }

  async redo(): Promise<void> {
    this.flush();
    await this.#write(() => this.backend.redo(this.id));
    await this.refresh();
  }

  /** Makes the dashboard, or what is named of it, as it was at a position of its history (see Backend.restoreTo). */
  async restoreTo(position: string, widget?: WidgetId | "board", field?: string): Promise<Restored> {
    this.flush();
    this.changed();
    let done = "failed" as Restored;
    await this.#write(async () => {
      try {
        await this.backend.restoreTo(this.id, position, widget, field);
        done = "restored";
      } catch (error) {
        if (faultOf(error).kind !== "conflict") throw error;
        done = "same";
      }
    });
    if (done === "restored") await this.refresh();
    return done;
  }

  /** Calls back once, when something else is written or undone: an offer to take back the last change ends there. */
  untilNextWrite(call: () => void): void {
    this.#offers.push(call);
  }

  /** Resolves when everything asked for so far is written. */
  async idle(): Promise<void> {
    this.flush();
    await this.#queue;
  }

  async #write(call: () => Promise<void>): Promise<void> {
    this.writing++;
    for (const end of this.#offers.splice(0)) end();
    const turn = this.#queue.then(call).catch((error: unknown) => {
      this.report(faultOf(error));
    });
    this.#queue = turn;
    await turn;
    this.writing--;
  }

  #replace(old: Pending, by: Pending | null): void {
    this.#pending = this.#pending.flatMap((p) => (p === old ? (by ? [by] : []) : [p]));
  }

  /** Drops pending edits that the view contains by now. */
  #settle(): void {
    const have = this.view?.version ?? -1;
    const left = this.#pending.filter((p) => p.version === null || p.version > have);
    if (left.length !== this.#pending.length) this.#pending = left;
  }

  async #pull(): Promise<void> {
    this.#pulling ??= this.#pullAll().finally(() => {
      this.#pulling = null;
    });
    await this.#pulling;
  }

  async #pullAll(): Promise<void> {
    while (!this.view || this.view.version < this.#wanted) {
      const asked = this.#wanted;
      try {
        this.#take(await this.#next());
        this.fault = null;
      } catch (error) {
        const fault = faultOf(error);
        // What may not be seen any more goes from the screen altogether (rule V1).
        if (error instanceof BackendError && fault.kind === "not_found") this.view = null;
        this.#wanted = this.view?.version ?? 0;
        if (!this.view) this.fault = fault;
        else this.missed(error);
        return;
      }
      // A refresh is answered by whatever the program has now.
      if (this.#wanted === asked) this.#wanted = this.view?.version ?? 0;
    }
  }

  async #next(): Promise<BoardView> {
    const old = this.view;
    if (!old) return this.backend.board(this.id);
    const answer = await this.backend.boardSince(this.id, old.version);
    if (!isPatch(answer)) return answer;
    return applyPatch(old, answer) ?? this.backend.board(this.id);
  }

  #take(next: BoardView): void {
    const before = this.view;
    this.view = next;
    if (next.sync !== before?.sync || next.refused !== before.refused) void this.#fill(next); // failures are reported there
    if (!mayEdit(next)) {
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#timers.clear();
      for (const typed of this.#typed) this.#keep(typed.edits, typed.label);
      if (this.#typed.length > 0) this.#typed = [];
    }
    this.#settle();
  }

  /** Fetches what was refused, if anything was. */
  async #fill(view: BoardView): Promise<void> {
    const turn = ++this.#trays;
    if (view.refused === 0 && view.sync !== "denied") {
      this.tray = null;
      return;
    }
    try {
      const tray = await this.backend.tray(this.id);
      if (turn === this.#trays) this.tray = tray;
    } catch (error) {
      if (turn === this.#trays) this.missed(error);
    }
  }
}

/** What of an edit somebody may have typed: texts as they are, rows as lines of cells apart by tabs. */
function textOf(edit: Edit): string {
  switch (edit.do) {
    case "board":
    case "title":
      return edit.do === "board" && edit.field === "theme" ? "" : edit.value;
    case "option":
      return typeof edit.value === "string" ? edit.value : "";
    case "rows":
    case "append":
      return edit.rows.map((row) => row.map((cell) => String(cell ?? "")).join("\t")).join("\n");
    case "add":
    case "layout":
    case "kind":
    case "remove":
    case "duplicate":
      return "";
  }
}
