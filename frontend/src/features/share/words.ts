import type { LinkState, ShareView, SyncStatus } from "../../lib/backend/types";
import { count } from "../../lib/words";
import { hasEnded, isOpen } from "./link";
import { ahead, moment } from "./times";

/** Who can see a dashboard, in words, and how urgent it is that the owner reads them. */
export interface Sharing {
  readonly tone: "private" | "ended" | "public" | "password" | "waiting" | "alarm";
  readonly headline: string;
  readonly detail: string;
  /** Whether trying the connection again would help. */
  readonly retry: boolean;
}

/** What the words depend on beside the share state itself. */
export interface Around {
  readonly signedIn: boolean;
  /** In the browser, where nothing is kept but on the server. */
  readonly web: boolean;
  readonly sync: SyncStatus;
  /** Commands have been waiting for longer than a working connection needs. */
  readonly slow: boolean;
  /** The dashboard is in the trash, where no link works. */
  readonly trashed: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whether somebody gets in by the link now, as far as is known here: what was trashed is open until the server knows. */
export function letsIn(share: ShareView, trashed: boolean, now: number): boolean {
  return isOpen(share.inForce, now) && !(trashed && share.synced);
}

/**
 * The dialog's first sentence: what is in force now, and what waits for the connection (rules A4, Q1). While the link is
 * open to somebody who should no longer have it, that comes before everything else.
 */
export function describe(share: ShareView, around: Around): Sharing {
  const { inForce, wanted } = share;
  const { now } = around;
  const connected = around.sync.state === "synced" || around.sync.state === "syncing";
  const onItsWay = connected && !around.slow;
  const retry = around.signedIn && !onItsWay;

  if (letsIn(share, around.trashed, now)) {
    const late = revocation(share, around.trashed, now);
    if (late)
      return onItsWay
        ? { tone: "waiting", headline: late.doing, detail: "The server is being told.", retry }
        : {
            tone: "alarm",
            headline: late.still,
            detail: `${late.why} until ${connection(around)}.`,
            retry,
          };
    return {
      tone: inForce.password ? "password" : "public",
      headline: inForce.password ? "Anyone with link and password can view" : "Anyone with the link can view",
      detail: [published(share, connected, around.web), ending(inForce, now)].filter(Boolean).join(" "),
      retry: false,
    };
  }
  if (around.trashed)
    return {
      tone: "private",
      headline: "Nobody can open the link",
      detail: "This dashboard is in the trash. Restore it to share it.",
      retry: false,
    };
  if (isOpen(wanted, now)) {
    const protect = wanted.password ? " It asks for the password from the first moment." : "";
    if (!around.signedIn) {
      return {
        tone: "waiting",
        headline: wanted.password ? "Not shared yet" : "Not public yet",
        detail: `The link is reserved. It works as soon as you sign in and this dashboard has been sent to the server.${protect}`,
        retry,
      };
    }
    return onItsWay
      ? {
          tone: "waiting",
          headline: "Publishing …",
          detail: `The link works as soon as the server has the dashboard.${protect}`,
          retry,
        }
      : {
          tone: "waiting",
          headline: wanted.password ? "Not shared yet" : "Not public yet",
          detail: `The link is reserved and can be copied now. It works as soon as ${connection(around)}.${protect}`,
          retry,
        };
  }
  if (wanted.enabled && hasEnded(wanted, now)) {
    return {
      tone: "ended",
      headline: "The link has ended",
      detail: `It ended on ${moment(wanted.expires, now)}. Choose another time, or none, and the same link works again.`,
      retry: false,
    };
  }
  if (isGuest(share))
    return {
      tone: "private",
      headline: "Only invited people can see this",
      detail: "There is no link that lets in anybody else.",
      retry: false,
    };
  return {
    tone: "private",
    headline: seenBy(share),
    detail: wanted.token
      ? "The link is turned off. Turning it on again revives the same link."
      : share.invitations.length > 0
        ? "There is no link that lets in anybody else."
        : "Nobody else has access.",
    retry: false,
  };
}

/** The organisation whose members see the dashboard, if there is more to it than the account itself. */
export function circle(share: ShareView): NonNullable<ShareView["organisation"]> | null {
  return share.organisation && !share.organisation.personal ? share.organisation : null;
}

function seenBy(share: ShareView): string {
  const everyone = circle(share);
  const others = share.people.filter((p) => !p.you && (p.own || !everyone)).length;
  const more = others > 0 ? count(others, "other person", "other people") : "";
  if (everyone) return `Only ${everyone.name}${more ? ` and ${more}` : ""} can see this`;
  return more ? `Only you and ${more} can see this` : "Only you can see this";
}

/**
 * Who has access beside the link, in a sentence (rule A4): a mode of its own, which goes with each of the others. Empty if
 * nobody has, or if the sentence above it says so already.
 */
export function invitedWords(share: ShareView, linked: boolean): string {
  if (!share.canManage) return "";
  const everyone = circle(share);
  const joined = share.people.filter((p) => !p.you && (p.own || !everyone)).length;
  const pending = share.invitations.filter((i) => i.waiting !== "revoke").length;
  const parts = [
    linked && joined > 0 ? count(joined, "person has access", "people have access") : "",
    pending > 0
      ? `${count(pending, "person is", "people are")} invited and ${pending === 1 ? "has" : "have"} not answered`
      : "",
  ].filter(Boolean);
  const org = linked && everyone ? ` Everyone in ${everyone.name} can view.` : "";
  return `${parts.length > 0 ? `By invitation: ${parts.join(", ")}.` : ""}${org}`.trim();
}

/** Whether the dashboard is somebody else's, so that not everyone who sees it is known here. */
export function isGuest(share: ShareView): boolean {
  return share.people.some((p) => p.you && p.role !== "owner");
}

/** What should already be withdrawn from those who have it, in words; null if nothing is. */
function revocation(
  share: ShareView,
  trashed: boolean,
  now: number,
): { doing: string; still: string; why: string } | null {
  const { inForce, wanted } = share;
  const who = inForce.password ? "Anyone with the link and the password" : "Anyone with the link";
  const open = inForce.password ? "Still open" : "Still public";
  if (trashed)
    return {
      doing: "Moving it to the trash …",
      still: open,
      why: `That it is in the trash has not reached the server yet. ${who} can see this dashboard`,
    };
  if (!wanted.enabled)
    return {
      doing: "Turning the link off …",
      still: open,
      why: `Turning it off has not reached the server yet. ${who} can see this dashboard`,
    };
  if (inForce.token !== wanted.token)
    return {
      doing: "Changing the link …",
      still: "The old link still works",
      why: "The new link has not reached the server yet. Whoever has the old one can see this dashboard",
    };
  if (hasEnded(wanted, now))
    return {
      doing: "Ending the link …",
      still: open,
      why: `The link's end has not reached the server. ${who} can see this dashboard`,
    };
  if (wanted.password && !inForce.password)
    return {
      doing: "Setting the password …",
      still: "Still open without a password",
      why: "The password has not reached the server yet. Anyone with the link can see this dashboard without it",
    };
  if (wanted.password && share.waiting.some((c) => c.action === "password"))
    return {
      doing: "Changing the password …",
      still: "The old password still works",
      why: "The new password has not reached the server yet. Whoever has the old one can see this dashboard",
    };
  if (wanted.expires > 0 && (inForce.expires === 0 || wanted.expires < inForce.expires))
    return {
      doing: "Setting the link's end …",
      still: inForce.expires === 0 ? "Still open without an end" : `Still open until ${moment(inForce.expires, now)}`,
      why: `That it ends on ${moment(wanted.expires, now)} has not reached the server yet. It stays open longer`,
    };
  return null;
}

/** What has to come about before the server is told of anything. */
export function connection({ signedIn, web }: Pick<Around, "signedIn" | "web">): string {
  if (web) return signedIn ? "the server can be reached" : "you are logged in again";
  return signedIn ? "this computer is connected" : "this computer is signed in and connected";
}

function published(share: ShareView, connected: boolean, web: boolean): string {
  if (share.waiting.some((c) => c.action === "no_password")) return "Without the password once the server knows.";
  if (share.synced) return "They see every change live, and can change nothing.";
  return connected
    ? "Your latest changes are on their way to them."
    : web
      ? "Your latest changes reach them when the server can be reached."
      : "Your latest changes are only on this computer. They reach viewers when it is connected.";
}

/** When a link ends, in a sentence; empty if it does not (rule L5). */
export function ending(link: LinkState, now: number): string {
  if (link.expires === 0) return "";
  return hasEnded(link, now)
    ? `Ended on ${moment(link.expires, now)}.`
    : `Ends ${ahead(link.expires, now)}, on ${moment(link.expires, now)}.`;
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
    case "password":
      return "Setting the password";
    case "no_password":
      return "Removing the password";
    case "expiry":
      return "Changing the link's end";
    case "slug":
      return "Changing the link's name";
    case "still":
      return "Changing what viewers may do";
    case "origins":
      return "Changing which sites may embed it";
    case "invite":
      return "Inviting somebody";
    case "resend":
      return "Sending an invitation again";
    case "revoke":
      return "Withdrawing an invitation";
    case "role":
      return "Changing who has access";
    case "editors_share":
      return "Changing whether editors may share";
    case "move":
      return "Moving the dashboard to another organisation";
    case "delete":
      return "Deleting the dashboard";
    default:
      return "A change of sharing";
  }
}

/** What waits for the server, in order and in words (rule Q1); empty if nothing does. */
export function waitingWords(share: ShareView, now: number): string {
  const { waiting } = share;
  if (waiting.length === 0) return "";
  const last = new Map(waiting.map((c, i) => [c.action, i]));
  const words: string[] = [];
  for (let i = 0; i < waiting.length;) {
    const action = waiting[i]?.action ?? "delete";
    let n = 1;
    while (isRepeated(action) && waiting[i + n]?.action === action) n++;
    words.push(isRepeated(action) ? severalWait(action, n) : waits(action, last.get(action) === i, share, now));
    i += n;
  }
  return `Waits for the server: ${words.join(", then ")}.`;
}

type Repeated = "invite" | "resend" | "revoke" | "role";

/** Whether an action is about one of many people, so that several in a row are told as one. */
function isRepeated(action: ShareView["waiting"][number]["action"]): action is Repeated {
  return action === "invite" || action === "resend" || action === "revoke" || action === "role";
}

function severalWait(action: Repeated, n: number): string {
  switch (action) {
    case "invite":
      return `invite ${count(n, "person", "people")}`;
    case "resend":
      return `send ${n === 1 ? "an invitation" : count(n, "invitation")} again`;
    case "revoke":
      return `withdraw ${n === 1 ? "an invitation" : count(n, "invitation")}`;
    case "role":
      return `change what ${count(n, "person", "people")} may do`;
  }
}

function waits(
  action: Exclude<ShareView["waiting"][number]["action"], Repeated>,
  last: boolean,
  { inForce, wanted, editorsShare }: ShareView,
  now: number,
): string {
  switch (action) {
    case "enable":
      return wanted.password && !inForce.password ? "turn the link on, with a password" : "turn the link on";
    case "disable":
      return "turn the link off";
    case "rotate":
      return "replace the link by a new one";
    case "password":
      return inForce.password ? "change the password" : "protect with a password";
    case "no_password":
      return "remove the password";
    case "expiry":
      if (!last) return "change its end";
      return wanted.expires === 0 ? "let it never end" : `end on ${moment(wanted.expires, now)}`;
    case "slug":
      if (!last) return "change its name";
      return wanted.slug === "" ? "remove its name" : `name it “${wanted.slug}”`;
    case "still":
      return last && !wanted.still ? "allow interaction" : "lock interaction";
    case "origins":
      return "change which sites may embed it";
    case "editors_share":
      return last && !editorsShare ? "keep sharing to its owner" : "let editors share";
    case "move":
      return "move it to another organisation";
    case "delete":
      return "delete the dashboard";
  }
}
