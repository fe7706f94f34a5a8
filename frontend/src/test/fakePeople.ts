import type {
  Invited,
  InvitationId,
  InvitationView,
  Organisation,
  OrganisationId,
  Person,
  Role,
  ShareChange,
  ShareView,
} from "../lib/backend/types";
import { readAddresses } from "../features/share/addresses";

const week = 7 * 86_400_000;

/** A change of people rather than of the link. */
export type PeopleChange = Extract<
  ShareChange,
  { invitation: InvitationId } | { account: string } | { allow: boolean } | { organisation: OrganisationId }
>;

/** What the simulated server knows beside the dashboard. */
export interface Server {
  readonly online: boolean;
  readonly now: number;
  /** Name of the account. */
  readonly by: string;
  readonly organisations: readonly Organisation[];
  readonly id: () => string;
}

export function isPeople(change: ShareChange): change is PeopleChange {
  return "invitation" in change || "account" in change || "allow" in change || "organisation" in change;
}

/** The share state after a change of people: made at once with a connection, marked as waiting without one. */
export function withPeople(share: ShareView, change: PeopleChange, server: Server): ShareView {
  switch (change.action) {
    case "resend":
      return withInvitation(share, change.invitation, (i) =>
        server.online
          ? [{ ...i, delivery: "queued", reason: "", expired: false, invited: server.now, expires: server.now + week }]
          : [{ ...i, waiting: "resend" }],
      );
    case "revoke":
      return withInvitation(share, change.invitation, (i) =>
        server.online || i.waiting === "invite" ? [] : [{ ...i, waiting: "revoke" }],
      );
    case "role": {
      const { role } = change;
      return withPerson(share, change.account, (p) => {
        if (!server.online) return [{ ...p, waiting: role === "" ? { action: "remove" } : { action: "role", role } }];
        return role === "" ? [] : [{ ...p, role, own: true }];
      });
    }
    case "editors_share":
      return { ...share, editorsShare: change.allow };
    case "move": {
      const to = server.organisations.find((o) => o.id === change.organisation);
      return to && server.online
        ? {
            ...share,
            people: share.people.filter((p) => p.own),
            organisation: { id: to.id, name: to.name, personal: to.personal, size: to.personal ? 1 : 5 },
          }
        : share;
    }
  }
}

/** The share state after inviting, and what is answered (rule I1). */
export function withInvited(
  share: ShareView,
  addresses: string,
  role: "viewer" | "editor",
  server: Server,
): { share: ShareView; answer: Invited } {
  const { good, bad } = readAddresses(addresses);
  const known = new Set([...share.people.map((p) => p.email), ...share.invitations.map((i) => i.email)]);
  const invited = good.filter((a) => !known.has(a));
  const fresh = invited.map((email): InvitationView => ({
    id: `inv_${server.id()}` as InvitationId,
    email,
    role,
    by: server.by,
    invited: server.now,
    expires: server.now + week,
    expired: false,
    delivery: server.online ? "queued" : "waiting",
    reason: "",
    waiting: server.online ? null : "invite",
  }));
  return {
    share: { ...share, invitations: [...share.invitations, ...fresh] },
    answer: { invited, bad, present: good.filter((a) => known.has(a)) },
  };
}

/** The share state once the server has everything that waited. */
export function settled(share: ShareView, now: number): ShareView {
  return {
    ...share,
    waiting: [],
    inForce: share.wanted,
    people: share.people.flatMap((p): Person[] => {
      if (p.waiting?.action === "remove") return [];
      return [{ ...p, role: p.waiting?.role ?? p.role, own: p.own || p.waiting !== null, waiting: null }];
    }),
    invitations: share.invitations.flatMap((i): InvitationView[] => {
      if (i.waiting === "revoke") return [];
      return [i.waiting ? { ...i, waiting: null, delivery: "queued", expired: false, expires: now + week } : i];
    }),
  };
}

/** What somebody who may not manage sharing gets to see of it. */
export function asSeenBy(role: Role, share: ShareView): ShareView {
  if (role === "owner" || (role === "editor" && share.editorsShare)) return { ...share, canManage: true };
  return {
    ...share,
    canManage: false,
    invitations: [],
    people: share.people.map((p) => (p.you ? { ...p, role } : { ...p, email: "" })),
  };
}

function withInvitation(
  share: ShareView,
  id: InvitationId,
  to: (i: InvitationView) => readonly InvitationView[],
): ShareView {
  return { ...share, invitations: share.invitations.flatMap((i) => (i.id === id ? to(i) : [i])) };
}

function withPerson(share: ShareView, account: string, to: (p: Person) => readonly Person[]): ShareView {
  return { ...share, people: share.people.flatMap((p) => (p.account === account ? to(p) : [p])) };
}
