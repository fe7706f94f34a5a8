import type { Backend } from "../backend/backend";
import type { Fault, History, HistoryChange, Then, WidgetId } from "../backend/types";
import type { BoardStore, Restored } from "./board.svelte";
import { faultOf } from "./fault";

const settle = 400; // ms in which changes of the dashboard become one look at its history
const remembered = 8; // earlier states kept, so that going to and fro among them is instant

/** An earlier state, and the change that led to it. */
export interface Earlier {
  readonly change: HistoryChange;
  readonly then: Then;
}

/** The open history of a dashboard: what was changed, which change is looked at, and the dashboard as it was then. */
export class HistoryStore {
  changes = $state.raw<readonly HistoryChange[]>([]);
  /** What older changes are asked for with, "" at the end. */
  next = $state("");
  /** Why older changes cannot be told, "" if that is all. */
  missing = $state("");
  /** Whether there has been an answer. */
  loaded = $state(false);
  /** Why there is no answer, or none with older changes. */
  fault = $state.raw<Fault | null>(null);
  loadingOlder = $state(false);
  /** The widget that the list is of, null for all. */
  widget = $state.raw<WidgetId | null>(null);
  /** The change that is looked at, null for now. */
  selected = $state.raw<HistoryChange | null>(null);
  /** What is drawn; for a moment still the one looked at before. */
  earlier = $state.raw<Earlier | null>(null);
  /** Why the state that was chosen cannot be shown. */
  missed = $state.raw<Fault | null>(null);
  /** Whether something is being restored. */
  restoring = $state(false);
  /** Whether the state that was chosen is on its way. */
  readonly turning = $derived(
    this.selected !== null && !this.missed && this.earlier?.change.position !== this.selected.position,
  );

  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing on screen depends on it
  #known = new Map<string, Then>();
  #asked = 0;
  #looked = 0;
  #stale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly board: BoardStore,
    private readonly backend: Pick<Backend, "history" | "boardAt">,
    widget: WidgetId | null = null,
  ) {
    this.widget = widget;
  }

  /** Whether the state after this change is that of now, as far as the list tells. */
  isNow(change: HistoryChange): boolean {
    return this.widget === null && !change.lost && this.changes.find((c) => !c.lost)?.position === change.position;
  }

  /** Fetches the newest changes, and says why if that fails. */
  async load(): Promise<void> {
    this.fault = null;
    await this.#fetch(false);
  }

  /** Fetches the changes before the oldest one shown. */
  async older(): Promise<void> {
    if (this.next === "" || this.loadingOlder) return;
    const asked = ++this.#asked;
    this.loadingOlder = true;
    this.fault = null;
    try {
      const page = await this.backend.history(this.board.id, this.next, this.widget ?? undefined);
      if (asked !== this.#asked) return;
      // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once
      const have = new Set(this.changes.map((c) => c.position));
      this.changes = [...this.changes, ...page.changes.filter((c) => !have.has(c.position))];
      this.next = page.next;
      this.missing = page.missing;
    } catch (error) {
      if (asked === this.#asked) this.fault = faultOf(error);
    } finally {
      this.loadingOlder = false;
    }
  }

  /** Lists the changes of one widget, or all of them. */
  only(widget: WidgetId | null): void {
    if (widget === this.widget) return;
    this.widget = widget;
    this.changes = [];
    this.next = "";
    this.missing = "";
    this.loaded = false;
    void this.load(); // failures end in `fault`
  }

  /** Told that the dashboard changed: the list follows in a moment, or once now is looked at again. */
  announce(): void {
    if (this.selected) {
      this.#stale = true;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.loadingOlder) this.announce();
      else void this.#fetch(true); // what fails is made up for by the next
    }, settle);
  }

  /** Stops following the dashboard. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asked++;
    this.#looked++;
  }

  /** Shows the dashboard as it was after a change, or as it is now. */
  select(change: HistoryChange | null): void {
    this.selected = change;
    this.missed = null;
    if (change) {
      void this.#look(change); // failures end in `missed`
      return;
    }
    this.#looked++;
    this.earlier = null;
    if (this.#stale) this.announce();
    this.#stale = false;
  }

  /** Makes the dashboard, or what is named of it, as it was after a change, and shows it as it is now. */
  async restore(change: HistoryChange, widget?: WidgetId | "board", field?: string): Promise<Restored> {
    if (this.restoring) return "failed";
    this.restoring = true;
    try {
      const done = await this.board.restoreTo(change.position, widget, field);
      if (done === "restored") this.select(null);
      return done;
    } finally {
      this.restoring = false;
    }
  }

  async #look(change: HistoryChange): Promise<void> {
    const looked = ++this.#looked;
    try {
      const then = this.#known.get(change.position) ?? (await this.backend.boardAt(this.board.id, change.position));
      // What waits on this device is renamed once it is sent.
      if (!change.waiting) this.#remember(then);
      if (looked === this.#looked) this.earlier = { change, then };
    } catch (error) {
      if (looked === this.#looked) this.missed = faultOf(error);
    }
  }

  #remember(then: Then): void {
    this.#known.delete(then.position);
    this.#known.set(then.position, then);
    for (const position of this.#known.keys()) {
      if (this.#known.size <= remembered) break;
      this.#known.delete(position);
    }
  }

  async #fetch(quiet: boolean): Promise<void> {
    const asked = ++this.#asked;
    try {
      const page = await this.backend.history(this.board.id, undefined, this.widget ?? undefined);
      if (asked !== this.#asked) return;
      this.#take(page);
      this.loaded = true;
      this.fault = null;
    } catch (error) {
      if (asked === this.#asked && !(quiet && this.loaded)) this.fault = faultOf(error);
    }
  }

  /** The newest changes over those that are there: older pages stay where the two overlap. */
  #take(page: History): void {
    const last = page.changes.at(-1);
    const meets = last ? this.changes.findIndex((c) => c.position === last.position) : -1;
    const longer = meets >= 0 && meets + 1 < this.changes.length;
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- read once
    const newer = new Set(page.changes.slice(0, -1).map((c) => c.position));
    const older = this.changes.slice(meets).filter((c) => !newer.has(c.position));
    this.changes = longer ? [...page.changes.slice(0, -1), ...older] : page.changes;
    if (longer) return;
    this.next = page.next;
    this.missing = page.missing;
  }
}
