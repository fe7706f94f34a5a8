import { describe as group, expect, test } from "vitest";
import type { SyncState, SyncStatus } from "../../lib/backend/types";
import type { ShareAction, ShareView } from "../../lib/backend/types";
import { acme, ada, invitation, locked, open, person, share } from "../../test/samples";
import { moment } from "./times";
import { actionWords, describe, ending, invitedWords, letsIn, receiptWords, waitingWords } from "./words";

const now = Date.UTC(2026, 10, 27, 12);
const off = { ...open, enabled: false, mode: "private" } as const;
const next = { ...open, token: "shr_other" };

function sync(state: SyncState): SyncStatus {
  return { state, sentence: "", hint: "", queued: 0, total: 0, lastSynced: 0 };
}
const online = { signedIn: true, web: false, sync: sync("synced"), slow: false, trashed: false, now };
const offline = { signedIn: true, web: false, sync: sync("offline"), slow: false, trashed: false, now };
const signedOut = { signedIn: false, web: false, sync: sync("off"), slow: false, trashed: false, now };

group("A4 the mode in force, in words", () => {
  test("private", () => {
    expect(describe(share(), online)).toMatchObject({ tone: "private", headline: "Only you can see this" });
  });
  test("private with others", () => {
    const people = [ada, person("Bob", { role: "editor" })];
    expect(describe(share({ people }), online).headline).toBe("Only you and 1 other person can see this");
  });
  test("what belongs to somebody else is not said to be seen by nobody else", () => {
    const people = [person("Ada", { you: true })];
    expect(describe(share({ people, canManage: false }), online).headline).toBe("Only invited people can see this");
  });
  test.each([open, locked])("V1 Q1 a link is open in the trash until the server knows, and then to nobody", (link) => {
    const s = share({ inForce: link, wanted: link, synced: false });
    const trashed = { ...offline, trashed: true };
    expect(describe(s, trashed)).toMatchObject({ tone: "alarm", retry: true });
    expect(describe(s, trashed).detail).toContain("has not reached the server");
    expect(describe(s, { ...online, trashed: true }).headline).toBe("Moving it to the trash …");
    expect(letsIn(s, true, now)).toBe(true);
    const known = { ...s, synced: true };
    expect(describe(known, trashed)).toMatchObject({ tone: "private", headline: "Nobody can open the link" });
    expect(letsIn(known, true, now)).toBe(false);
  });
  test("public", () => {
    expect(describe(share({ inForce: open, wanted: open }), online)).toMatchObject({
      tone: "public",
      headline: "Anyone with the link can view",
    });
  });
  test("password", () => {
    expect(describe(share({ inForce: locked, wanted: locked }), online)).toMatchObject({
      tone: "password",
      headline: "Anyone with link and password can view",
    });
  });
});

group("Q1 what waits for the connection", () => {
  test("a link that is not public yet", () => {
    const s = share({ wanted: open });
    expect(describe(s, offline)).toMatchObject({ tone: "waiting", headline: "Not public yet", retry: true });
    expect(describe(s, online)).toMatchObject({ tone: "waiting", headline: "Publishing …", retry: false });
    expect(describe(s, { ...online, slow: true }).headline).toBe("Not public yet");
    expect(describe(s, signedOut).detail).toContain("as soon as you sign in");
  });
  test("Q1 a revocation that has not reached the server is loud", () => {
    const s = share({ inForce: open, wanted: off });
    expect(describe(s, offline)).toMatchObject({ tone: "alarm", headline: "Still public", retry: true });
    expect(describe(s, { ...online, slow: true }).tone).toBe("alarm");
    expect(describe(s, online).tone).toBe("waiting");
    expect(describe(s, signedOut).tone).toBe("alarm");
  });
  test("Q1 a rotation that has not reached the server is loud", () => {
    expect(describe(share({ inForce: open, wanted: next }), offline)).toMatchObject({
      tone: "alarm",
      headline: "The old link still works",
    });
  });
  test("edits that viewers do not have yet", () => {
    expect(describe(share({ inForce: open, wanted: open, synced: false }), offline).detail).toContain(
      "only on this computer",
    );
  });
  test.each<[string, Partial<ShareView>]>([
    ["a link", { wanted: open }],
    ["a revocation", { inForce: open, wanted: off }],
    ["edits", { inForce: open, wanted: open, synced: false }],
  ])("A4 in a browser nothing is said of a computer that keeps %s", (_, to) => {
    expect(describe(share(to), offline).detail).toContain("this computer");
    expect(describe(share(to), { ...offline, web: true }).detail).toContain("the server can be reached");
    for (const around of [offline, online, signedOut, { ...online, slow: true }])
      expect(describe(share(to), { ...around, web: true }).detail).not.toContain("computer");
  });
});

test("V2 the receipt says how many were cut and how fast", () => {
  expect(receiptWords({ cut: 3, ms: 40 })).toBe(
    "The server has confirmed it. 3 viewers were cut off, the slowest after 40 ms.",
  );
  expect(receiptWords({ cut: 1, ms: 1240 })).toBe("The server has confirmed it. 1 viewer was cut off after 1.2 s.");
  expect(receiptWords({ cut: 0, ms: 0 })).toBe("The server has confirmed it. Nobody was watching.");
});

const hour = 3_600_000;
const waiting = (...actions: ShareAction[]): ShareView["waiting"] =>
  actions.map((action, i) => ({ id: String(i), action }));

group("Q1 every way to take access away is loud until the server knows", () => {
  const soon = { ...open, expires: now + 72 * hour };
  const sooner = { ...open, expires: now + hour };
  const past = { ...open, expires: now - 1 };
  test.each<[string, Partial<ShareView>, string]>([
    ["off", { inForce: locked, wanted: { ...locked, enabled: false } }, "Still open"],
    ["password set", { inForce: open, wanted: locked, waiting: waiting("password") }, "Still open without a password"],
    [
      "password changed",
      { inForce: locked, wanted: locked, waiting: waiting("password") },
      "The old password still works",
    ],
    ["end set", { inForce: open, wanted: soon, waiting: waiting("expiry") }, "Still open without an end"],
    [
      "end nearer",
      { inForce: soon, wanted: sooner, waiting: waiting("expiry") },
      `Still open until ${moment(soon.expires, now)}`,
    ],
    ["ended meanwhile", { inForce: open, wanted: past, waiting: waiting("expiry") }, "Still public"],
  ])("Q1 %s", (_, to, headline) => {
    expect(describe(share(to), offline)).toMatchObject({ tone: "alarm", headline, retry: true });
    expect(describe(share(to), signedOut)).toMatchObject({ tone: "alarm", headline });
    expect(describe(share(to), { ...online, slow: true }).tone).toBe("alarm");
    expect(describe(share(to), online).tone).toBe("waiting");
  });

  test("Q1 what lets more people in is not", () => {
    for (const wanted of [{ ...open }, { ...locked, expires: 0 }])
      expect(describe(share({ inForce: { ...locked, expires: now + hour }, wanted }), offline).tone).toBe("password");
  });
});

group("L5 the end of a link", () => {
  const ended = { ...open, mode: "private", expires: now - hour, expired: true } as const;
  test("L5 it is seen coming", () => {
    const link = { ...open, expires: now + 3 * hour };
    expect(describe(share({ inForce: link, wanted: link }), online).detail).toContain("Ends in 3 hours, on ");
    expect(ending(link, now)).toBe(`Ends in 3 hours, on ${moment(link.expires, now)}.`);
    expect(ending(open, now)).toBe("");
  });
  test("L5 a link that ended says when, and how it is revived", () => {
    const words = describe(share({ inForce: ended, wanted: ended }), online);
    expect(words).toMatchObject({ tone: "ended", headline: "The link has ended" });
    expect(words.detail).toContain("the same link works again");
  });
  test("L5 it has ended when its time is over, whether or not the server has said so", () => {
    const link = { ...open, expires: now };
    expect(describe(share({ inForce: link, wanted: link }), offline).tone).toBe("ended");
  });
  test("L5 reviving it waits like turning it on", () => {
    expect(describe(share({ inForce: ended, wanted: { ...open, expires: 0 } }), offline).headline).toBe(
      "Not public yet",
    );
  });
});

test("Q1 what waits is said in order", () => {
  const wanted = { ...locked, expires: now + 72 * hour, slug: "team-status" };
  const s = share({ inForce: open, wanted, waiting: waiting("password", "expiry", "slug", "slug", "still") });
  expect(waitingWords(s, now)).toBe(
    `Waits for the server: protect with a password, then end on ${moment(wanted.expires, now)}, then change its name, then name it “team-status”, then allow interaction.`,
  );
  expect(waitingWords(share(), now)).toBe("");
});

test("V3 every action that can be refused has words", () => {
  const all = [
    "enable",
    "disable",
    "rotate",
    "delete",
    "password",
    "no_password",
    "expiry",
    "slug",
    "still",
    "origins",
    "invite",
    "resend",
    "revoke",
    "role",
    "editors_share",
    "move",
  ];
  const words = all.map(actionWords);
  expect(new Set(words).size).toBe(all.length);
  expect(words).not.toContain(actionWords("something newer"));
});

group("A4 invitation is a mode beside the others", () => {
  const bob = person("Bob", { role: "editor" });
  const pending = [invitation("cy@example.org", now), invitation("dan@example.org", now, { waiting: "revoke" })];
  const company = { id: acme.id, name: acme.name, size: 5, personal: false };
  test("A4 how many are invited is told at a glance, in every mode", () => {
    const s = share({ people: [ada, bob], invitations: pending });
    expect(invitedWords(s, false)).toBe("By invitation: 1 person is invited and has not answered.");
    expect(invitedWords(s, true)).toBe("By invitation: 1 person has access, 1 person is invited and has not answered.");
    expect(invitedWords(share(), true)).toBe("");
    expect(invitedWords({ ...s, canManage: false }, true)).toBe("");
  });
  test("A2 A4 an organisation whose members see it is named, and its members are not counted as invited", () => {
    const people = [ada, bob, person("Joan", { own: false })];
    const s = share({ people, organisation: company });
    expect(describe(s, online).headline).toBe("Only Acme and 1 other person can see this");
    expect(invitedWords(s, true)).toBe("By invitation: 1 person has access. Everyone in Acme can view.");
    expect(describe(share({ people: [ada], organisation: company }), online).headline).toBe("Only Acme can see this");
  });
  test("A4 what is private says that there are invitations", () => {
    expect(describe(share({ invitations: pending }), online).detail).not.toContain("Nobody else");
  });
});

test("Q1 what waits for people is said in order, several of a kind as one", () => {
  const s = share({
    editorsShare: true,
    waiting: waiting("role", "revoke", "editors_share", "move", "resend", "resend"),
  });
  const invites = { id: "9", action: "invite" } as const;
  expect(waitingWords({ ...s, waiting: [invites, invites, ...s.waiting] }, now)).toBe(
    "Waits for the server: invite 2 people, then change what 1 person may do, then withdraw an invitation, then let editors share, then move it to another organisation, then send 2 invitations again.",
  );
});
