import type { Backend } from "../../lib/backend/backend";
import type { Fault, Invited, ShareChange } from "../../lib/backend/types";
import type { BoardStore } from "../../lib/state/board.svelte";
import { faultOf } from "../../lib/state/fault";

const beat = 15_000; // ms between looks at the clock; ends are told to the minute

/** What the share dialog knows beside the dashboard: the time, and what went wrong with the last. */
export class SharingStore {
  /** Milliseconds since 1970, renewed while the dialog is open. */
  now = $state(Date.now());
  /** Why the last change told with `tell` could not be made. */
  fault = $state.raw<Fault | null>(null);
  /** Whether the last thing done here was to turn the link off. */
  closed = $state(false);
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly backend: Backend,
    private readonly board: BoardStore,
  ) {}

  /** Lets time go on, until the returned function is called. */
  start(): () => void {
    const timer = setInterval(() => {
      this.now = Date.now();
    }, beat);
    return () => {
      clearInterval(timer);
    };
  }

  /**
   * Makes the changes one after the other, after those asked for before, up to the first that cannot be made. Resolves
   * with why, or null, once the dashboard shows what came of them.
   */
  async send(...changes: readonly ShareChange[]): Promise<Fault | null> {
    return this.#inTurn(async () => {
      for (const change of changes) await this.backend.share(this.board.id, change);
      return null;
    });
  }

  /** Invites everybody whose address is in the text, in the same turn. Resolves with what came of it, or why it failed. */
  async invite(addresses: string, role: "viewer" | "editor", message: string): Promise<Invited | Fault> {
    return this.#inTurn(() => this.backend.invite(this.board.id, addresses, role, message));
  }

  async #inTurn<T>(call: () => Promise<T>): Promise<T | Fault> {
    const turn = this.#turn.then(() => this.#make(call));
    this.#turn = turn;
    return turn;
  }

  async #make<T>(call: () => Promise<T>): Promise<T | Fault> {
    this.closed = false;
    this.fault = null;
    try {
      this.board.flush();
      return await call();
    } catch (error) {
      return faultOf(error);
    } finally {
      this.now = Date.now();
      await this.board.refresh();
    }
  }

  /** The same; what goes wrong is told at the top of the dialog. */
  async tell(...changes: readonly ShareChange[]): Promise<Fault | null> {
    const fault = await this.send(...changes);
    this.fault = fault;
    return fault;
  }
}
