import type { SyncStatus } from "../../lib/backend/types";
import { thousands } from "../../lib/words";

/** From how many changes on it is told how far sending them has come; fewer are gone before anybody could read it. */
const long = 50;

/** How far the sending of a long queue has come. */
export interface Progress {
  readonly sent: number;
  readonly total: number;
  /** "6,500 of 10,000 changes to go" */
  readonly words: string;
  /** The same for those who listen: it changes only a few times on the way. */
  readonly spoken: string;
}

/** The progress of a long queue that is being sent, or null. */
export function progress({ state, queued, total }: Pick<SyncStatus, "state" | "queued" | "total">): Progress | null {
  if (state !== "syncing" || queued === 0 || total < long) return null;
  const sent = total - queued;
  const all = `${thousands(total)} changes`;
  const quarter = Math.floor((4 * sent) / total);
  return {
    sent,
    total,
    words: sent === 0 ? `${all} to go` : `${thousands(queued)} of ${all} to go`,
    spoken:
      [
        `Sending ${all}.`,
        `A quarter of ${all} is sent.`,
        `Half of ${all} is sent.`,
        `Three quarters of ${all} are sent.`,
      ][quarter] ?? "",
  };
}
