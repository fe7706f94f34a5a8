import type { IconName } from "../../components/icons";
import type { InvitationView, Invited, Person, Role } from "../../lib/backend/types";
import { ago, count, listing } from "../../lib/words";
import { moment } from "./times";

/** What a role lets somebody do. */
export const roleWords: Readonly<Record<Role, string>> = { owner: "Owner", editor: "Can edit", viewer: "Can view" };

const rank: Readonly<Record<Role, number>> = { viewer: 0, editor: 1, owner: 2 };

/** How something stands, to be shown beside a person or an address. */
export interface Standing {
  readonly tone: "quiet" | "ok" | "warn" | "bad";
  readonly icon: IconName;
  readonly text: string;
}

/**
 * How far an invitation has come (rule I5), and what of it waits (rule Q1). `patient` says that a connection is working on
 * it, so that there is no reason yet to speak of waiting. `self` is the name of who reads this.
 */
export function invitationWords(i: InvitationView, now: number, patient: boolean, self: string): Standing {
  if (i.waiting === "revoke")
    return patient
      ? { tone: "quiet", icon: "clock", text: "Withdrawing …" }
      : { tone: "warn", icon: "clock", text: "Its link still works: withdrawing it waits for the connection." };
  if (i.waiting === "resend")
    return {
      tone: "quiet",
      icon: "clock",
      text: patient ? "Sending again …" : "A new mail waits for the connection.",
    };
  if (i.waiting === "invite" || i.delivery === "waiting")
    return { tone: "quiet", icon: "clock", text: patient ? "Inviting …" : "Waiting for the connection" };
  if (i.expired || now >= i.expires)
    return { tone: "warn", icon: "clock", text: `Expired on ${moment(i.expires, now)}. Send it again for a new link.` };
  const by = i.by && i.by !== self ? ` · by ${i.by}` : "";
  switch (i.delivery) {
    case "queued":
      // With a reason when it could not be delivered yet, and is tried again.
      return i.reason
        ? { tone: "warn", icon: "clock", text: i.reason }
        : { tone: "quiet", icon: "send", text: `On its way${by}` };
    case "undeliverable":
      return {
        tone: "bad",
        icon: "alert",
        text: `Could not be delivered${i.reason ? `: ${i.reason}` : "."}`,
      };
    case "sent":
      return {
        tone: "ok",
        icon: "check",
        text: `Sent ${ago(i.invited, now)} · works until ${moment(i.expires, now)}${by}`,
      };
  }
}

/** What of a person waits for the connection (rule Q1), or null. What is still in their hands is said loudly. */
export function personWords(p: Person, patient: boolean): Standing | null {
  if (!p.waiting) return null;
  if (patient)
    return { tone: "quiet", icon: "clock", text: p.waiting.action === "remove" ? "Removing …" : "Changing …" };
  if (p.waiting.action === "remove")
    return { tone: "warn", icon: "clock", text: "Still has access: removing waits for the connection." };
  return rank[p.waiting.role] < rank[p.role]
    ? {
        tone: "warn",
        icon: "clock",
        text: `Still ${p.role === "owner" ? "an owner" : "can edit"}: the change waits for the connection.`,
      }
    : { tone: "quiet", icon: "clock", text: "The change waits for the connection." };
}

/** What became of inviting (rule I1), in sentences: what is on its way, and who is there already. */
export function invitedAnswer({ invited, present }: Invited, offline: boolean): string {
  const n = invited.length;
  const words = [
    n === 0
      ? ""
      : offline
        ? `${count(n, "invitation waits", "invitations wait")} for the connection.`
        : `${n === 1 ? (invited[0] ?? "") : count(n, "person", "people")} ${n === 1 ? "is" : "are"} invited. The mail is on its way.`,
    present.length === 0
      ? ""
      : present.length > 3
        ? `${count(present.length, "address has", "addresses have")} access or an invitation already.`
        : `${listing(present)} ${present.length === 1 ? "has" : "have"} access or an invitation already.`,
  ];
  return words.filter(Boolean).join(" ");
}

/** What is wrong with addresses that cannot be read. */
export function badAddresses(bad: readonly string[]): string {
  if (bad.length === 0) return "";
  const named = listing(bad.slice(0, 3).map((b) => `“${b.length > 40 ? `${b.slice(0, 39)}…` : b}”`));
  if (bad.length === 1) return `${named} is not an e-mail address. It looks like name@example.org.`;
  return bad.length > 3
    ? `${named} and ${String(bad.length - 3)} more are not e-mail addresses.`
    : `${named} are not e-mail addresses.`;
}
