import { describe as group, expect, test } from "vitest";
import type { SyncState, SyncStatus } from "../../lib/backend/types";
import { open, share } from "../../test/samples";
import { describe, receiptWords } from "./words";

const off = { ...open, enabled: false, mode: "private" } as const;
const next = { ...open, token: "shr_other" };

function sync(state: SyncState): SyncStatus {
  return { state, sentence: "", hint: "", queued: 0, lastSynced: 0 };
}
const online = { signedIn: true, sync: sync("synced"), slow: false };
const offline = { signedIn: true, sync: sync("offline"), slow: false };
const signedOut = { signedIn: false, sync: sync("off"), slow: false };

group("A4 the mode in force, in words", () => {
  test("private", () => {
    expect(describe(share(), online)).toMatchObject({ tone: "private", headline: "Only you can see this" });
  });
  test("private with others", () => {
    const people = [
      { name: "a", role: "owner", you: true },
      { name: "b", role: "editor", you: false },
    ] as const;
    expect(describe(share({ people }), online).headline).toBe("Only you and 1 other person can see this");
  });
  test("public", () => {
    expect(describe(share({ inForce: open, wanted: open }), online)).toMatchObject({
      tone: "public",
      headline: "Anyone with the link can view",
    });
  });
  test("password", () => {
    const locked = { ...open, mode: "password" } as const;
    expect(describe(share({ inForce: locked, wanted: locked }), online).tone).toBe("password");
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
});

test("V2 the receipt says how many were cut and how fast", () => {
  expect(receiptWords({ cut: 3, ms: 40 })).toBe(
    "The server has confirmed it. 3 viewers were cut off, the slowest after 40 ms.",
  );
  expect(receiptWords({ cut: 1, ms: 1240 })).toBe("The server has confirmed it. 1 viewer was cut off after 1.2 s.");
  expect(receiptWords({ cut: 0, ms: 0 })).toBe("The server has confirmed it. Nobody was watching.");
});
