import type { Backend } from "../backend/backend";
import type { BoardId } from "../backend/types";

/** How often the program is told again, in milliseconds; after 20 s without it forgets. */
const beat = 15_000;

/**
 * Tells the program which dashboard is before the user, and whether it is being changed, so that others see it. That it is
 * being changed is told at once and taken back after a beat without a change. A call that fails is made up for by the next.
 */
export class Looking {
  #board: BoardId | null = null;
  #hidden = false;
  #editing = false;
  /** Whether there was a change since the last beat. */
  #fresh = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly backend: Pick<Backend, "look">) {}

  /** Another dashboard is shown, or none. */
  at(board: BoardId | null): void {
    if (board === this.#board) return;
    this.#board = board;
    this.#editing = false;
    this.#fresh = false;
    if (!this.#hidden) this.#tell();
  }

  /** The page went out of sight, or came back. */
  hide(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    this.#editing = false;
    this.#fresh = false;
    this.#tell();
  }

  /** The dashboard that is shown was changed here. */
  changed(): void {
    this.#fresh = true;
    if (this.#editing || this.#hidden || this.#board === null) return;
    this.#editing = true;
    this.#tell();
  }

  /** Tells that nothing is looked at any more, and no more after that until another dashboard is shown. */
  stop(): void {
    this.at(null);
  }

  #tell(): void {
    const at = this.#hidden ? null : this.#board;
    clearInterval(this.#timer);
    if (at !== null)
      this.#timer = setInterval(() => {
        this.#editing = this.#fresh;
        this.#fresh = false;
        this.#send(at);
      }, beat);
    this.#send(at);
    this.#fresh = false;
  }

  #send(at: BoardId | null): void {
    this.backend.look(at, this.#editing).catch(() => undefined);
  }
}
