import { SvelteSet } from "svelte/reactivity";
import type { BoardStore } from "../../lib/state/board.svelte";
import { readAddresses } from "./addresses";

/** Who is about to be invited to one dashboard. It outlives the dialog, which a press of Escape closes. */
export class InviteDraft {
  /** Addresses that were recognised, in the order given. */
  readonly chips = new SvelteSet<string>();
  /** What was typed and is no address, or not yet. */
  typed = $state("");
  role = $state<"viewer" | "editor">("viewer");
  message = $state("");
  /** Whether the message is unfolded. */
  open = $state(false);

  /** Takes the addresses out of what was typed; returns what could not be read, which stays in the field. */
  absorb(text = this.typed): readonly string[] {
    const { good, bad } = readAddresses(text);
    for (const address of good) this.chips.add(address);
    this.typed = bad.join(", ");
    return bad;
  }

  /** Forgets those who were invited, and the message to them. */
  done(addresses: readonly string[]): void {
    for (const address of addresses) this.chips.delete(address);
    this.message = "";
    this.open = false;
  }
}

const drafts = new WeakMap<BoardStore, InviteDraft>();

/** The draft of a dashboard. */
export function draftOf(board: BoardStore): InviteDraft {
  const draft = drafts.get(board) ?? new InviteDraft();
  drafts.set(board, draft);
  return draft;
}
