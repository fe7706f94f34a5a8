import { expect, test } from "vitest";
import type { InvitationView, Person } from "../../lib/backend/types";
import { invitation, person } from "../../test/samples";
import { badAddresses, invitationWords, invitedAnswer, personWords } from "./people";
import { moment } from "./times";

const now = Date.UTC(2026, 10, 27, 12);
const hour = 3_600_000;

test.each<[string, Partial<InvitationView>, string, string]>([
  ["queued", { delivery: "queued" }, "quiet", "On its way"],
  [
    "tried again",
    { delivery: "queued", reason: "The mail server is busy. Another try follows." },
    "warn",
    "The mail server is busy. Another try follows.",
  ],
  ["sent", {}, "ok", `Sent 2 days ago · works until ${moment(now + 120 * hour, now)}`],
  ["of somebody else", { delivery: "queued", by: "Grace" }, "quiet", "On its way · by Grace"],
  [
    "undeliverable",
    { delivery: "undeliverable", reason: "No such mailbox." },
    "bad",
    "Could not be delivered: No such mailbox.",
  ],
  ["undeliverable, nobody knows why", { delivery: "undeliverable" }, "bad", "Could not be delivered."],
  [
    "expired",
    { expired: true, expires: now - hour },
    "warn",
    `Expired on ${moment(now - hour, now)}. Send it again for a new link.`,
  ],
  ["expired meanwhile", { expires: now }, "warn", `Expired on ${moment(now, now)}. Send it again for a new link.`],
  ["waiting", { delivery: "waiting", waiting: "invite" }, "quiet", "Waiting for the connection"],
  ["resend waiting", { waiting: "resend", expired: true }, "quiet", "A new mail waits for the connection."],
  ["revoke waiting", { waiting: "revoke" }, "warn", "Its link still works: withdrawing it waits for the connection."],
])("I5 Q1 an invitation says how it stands: %s", (_, to, tone, text) => {
  expect(invitationWords(invitation("a@example.org", now, to), now, false, "Ada Lovelace")).toMatchObject({
    tone,
    text,
  });
});

test("Q1 while a connection is working on it nothing speaks of waiting", () => {
  for (const waiting of ["invite", "resend", "revoke"] as const)
    expect(invitationWords(invitation("a@example.org", now, { waiting }), now, true, "").text).toMatch(/ …$/);
  expect(personWords(person("Bob", { waiting: { action: "remove" } }), true)?.tone).toBe("quiet");
});

test.each<[string, Partial<Person>, string | null, string]>([
  ["nothing", {}, null, ""],
  ["removal", { waiting: { action: "remove" } }, "warn", "Still has access: removing waits for the connection."],
  [
    "less",
    { role: "editor", waiting: { action: "role", role: "viewer" } },
    "warn",
    "Still can edit: the change waits for the connection.",
  ],
  [
    "less than owner",
    { role: "owner", waiting: { action: "role", role: "viewer" } },
    "warn",
    "Still an owner: the change waits for the connection.",
  ],
  ["more", { waiting: { action: "role", role: "editor" } }, "quiet", "The change waits for the connection."],
])("I6 Q1 V1 what of a person waits is loud where it takes something away: %s", (_, to, tone, text) => {
  const words = personWords(person("Bob", to), false);
  expect(words?.tone ?? null).toBe(tone);
  expect(words?.text ?? "").toBe(text);
});

test("I1 what became of inviting is said, and who was there already", () => {
  expect(invitedAnswer({ invited: ["a@b.c"], bad: [], present: [] }, false)).toBe(
    "a@b.c is invited. The mail is on its way.",
  );
  expect(invitedAnswer({ invited: ["a@b.c", "d@b.c"], bad: [], present: ["e@b.c"] }, false)).toBe(
    "2 people are invited. The mail is on its way. e@b.c has access or an invitation already.",
  );
  expect(invitedAnswer({ invited: ["a@b.c"], bad: [], present: [] }, true)).toBe(
    "1 invitation waits for the connection.",
  );
  expect(invitedAnswer({ invited: [], bad: [], present: ["a", "b", "c", "d"] }, false)).toBe(
    "4 addresses have access or an invitation already.",
  );
});

test("I1 B1 bad addresses are named, not too many and not too long", () => {
  expect(badAddresses([])).toBe("");
  expect(badAddresses(["a@"])).toBe("“a@” is not an e-mail address. It looks like name@example.org.");
  expect(badAddresses(["a@", "b"])).toBe("“a@” and “b” are not e-mail addresses.");
  expect(badAddresses(["a", "b", "c", "d", "e"])).toBe("“a”, “b” and “c” and 2 more are not e-mail addresses.");
  expect(badAddresses(["x".repeat(99)]).length).toBeLessThan(120);
});
