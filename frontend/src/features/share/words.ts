import type { ShareView, SyncStatus } from "../../lib/backend/types";
import { count } from "../../lib/words";

/** Who can see a dashboard, in words, and how urgent it is that the owner reads them. */
export interface Sharing {
  readonly tone: "private" | "public" | "password" | "waiting" | "alarm";
  readonly headline: string;
  readonly detail: string;
  /** Whether trying the connection again would help. */
  readonly retry: boolean;
}

/** What the words depend on beside the share state itself. */
export interface Around {
  readonly signedIn: boolean;
  readonly sync: SyncStatus;
  /** Commands have been waiting for longer than a working connection needs. */
  readonly slow: boolean;
}

/**
 * The dialog's first sentence: what is in force now, and what waits for the connection (rules A4, Q1). While the link is
 * open to somebody who should no longer have it, that comes before everything else.
 */
export function describe(share: ShareView, around: Around): Sharing {
  const { inForce, wanted } = share;
  const connected = around.sync.state === "synced" || around.sync.state === "syncing";
  const onItsWay = connected && !around.slow;
  const retry = around.signedIn && !onItsWay;

  if (inForce.enabled && !wanted.enabled) {
    return onItsWay
      ? { tone: "waiting", headline: "Turning the link off …", detail: "The server is being told.", retry }
      : {
          tone: "alarm",
          headline: "Still public",
          detail: `Turning it off has not reached the server yet. Anyone with the link can see this dashboard until this computer ${around.signedIn ? "is connected" : "is signed in and connected"}.`,
          retry,
        };
  }
  if (inForce.enabled && inForce.token !== wanted.token) {
    return onItsWay
      ? { tone: "waiting", headline: "Changing the link …", detail: "The server is being told.", retry }
      : {
          tone: "alarm",
          headline: "The old link still works",
          detail: `The new link has not reached the server yet. Whoever has the old one can see this dashboard until this computer ${around.signedIn ? "is connected" : "is signed in and connected"}.`,
          retry,
        };
  }
  if (inForce.enabled) {
    return inForce.mode === "password"
      ? {
          tone: "password",
          headline: "Anyone with the link and the password can view",
          detail: published(share, connected),
          retry: false,
        }
      : {
          tone: "public",
          headline: "Anyone with the link can view",
          detail: published(share, connected),
          retry: false,
        };
  }
  if (wanted.enabled) {
    if (!around.signedIn) {
      return {
        tone: "waiting",
        headline: "Not public yet",
        detail: "The link is reserved. It works as soon as you sign in and this dashboard has been sent to the server.",
        retry,
      };
    }
    return onItsWay
      ? {
          tone: "waiting",
          headline: "Publishing …",
          detail: "The link works as soon as the server has the dashboard.",
          retry,
        }
      : {
          tone: "waiting",
          headline: "Not public yet",
          detail:
            "The link is reserved and can be copied now. It works as soon as this computer is connected to the server.",
          retry,
        };
  }
  const others = share.people.filter((p) => !p.you).length;
  return {
    tone: "private",
    headline:
      others > 0
        ? `Only you and ${count(others, "other person", "other people")} can see this`
        : "Only you can see this",
    detail: wanted.token
      ? "The public link is turned off. Turning it on again revives the same link."
      : "Nobody else has access.",
    retry: false,
  };
}

function published(share: ShareView, connected: boolean): string {
  if (share.synced) return "They see changes live, without an account, and can change nothing.";
  return connected
    ? "Your latest changes are on their way to them."
    : "Your latest changes are only on this computer. They reach viewers when it is connected.";
}

/** What a revocation did (rule V2). */
export function receiptWords(receipt: { cut: number; ms: number }): string {
  if (receipt.cut === 0) return "The server has confirmed it. Nobody was watching.";
  const speed =
    receipt.ms < 1000 ? `${String(Math.max(1, Math.round(receipt.ms)))} ms` : `${(receipt.ms / 1000).toFixed(1)} s`;
  return receipt.cut === 1
    ? `The server has confirmed it. 1 viewer was cut off after ${speed}.`
    : `The server has confirmed it. ${count(receipt.cut, "viewer")} were cut off, the slowest after ${speed}.`;
}

/** A command as a noun, for the sentence about its refusal. */
export function actionWords(action: string): string {
  switch (action) {
    case "enable":
      return "Turning the link on";
    case "disable":
      return "Turning the link off";
    case "rotate":
      return "Changing the link";
    case "delete":
      return "Deleting the dashboard";
    default:
      return "A change of sharing";
  }
}
