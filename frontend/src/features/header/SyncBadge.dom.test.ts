import "../../test/page";
import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { settle, start } from "../../test/app";
import type { FakeBackend } from "../../test/fakeBackend";

function tell(backend: FakeBackend, queued: number, total: number): void {
  const sentence =
    queued > 0 ? `Saved on this device. Sending; ${String(queued)} to go.` : "All changes are saved on x.";
  const state = queued > 0 ? "syncing" : "synced";
  backend.appState = { ...backend.appState, sync: { ...backend.appState.sync, state, sentence, queued, total } };
  backend.emit({ type: "state" });
}

const spoken = (): string | null | undefined => document.querySelector('header .sr-only[role="status"]')?.textContent;

test("Q1 a long queue is told in words and drawn, and spoken at its quarters and its end alone", async () => {
  const backend = await start((b) => {
    tell(b, 10_000, 10_000);
  });
  expect(screen.getByRole("button", { name: /^Syncing – 10,000 changes to go, sync status/ })).toBeTruthy();
  expect(spoken()).toBe("Sending 10,000 changes.");
  const heard = new Set<string | null | undefined>();
  for (let left = 9_900; left > 0; left -= 700) {
    tell(backend, left, 10_000);
    await screen.findByRole("button", {
      name: new RegExp(`^Syncing – ${left.toLocaleString("en")} of 10,000 changes to go`),
    });
    heard.add(spoken());
  }
  expect(heard.size).toBe(4);
  await fireEvent.click(screen.getByRole("button", { name: /sync status/ }));
  const bar = await screen.findByRole("progressbar", { name: "Changes sent", hidden: true });
  expect(bar.getAttribute("max")).toBe("10000");
  tell(backend, 0, 0);
  await waitFor(() => {
    expect(spoken()).toBe("All changes are saved on x.");
  });
  expect(screen.queryByRole("progressbar", { hidden: true })).toBeNull();
  // The same state once more takes nothing away that is being read out.
  const calls = backend.called("state").length;
  tell(backend, 0, 0);
  await waitFor(() => {
    expect(backend.called("state").length).toBeGreaterThan(calls);
  });
  await settle();
  expect(spoken()).toBe("All changes are saved on x.");
});

test("Q1 a few changes are counted and not made a show of", async () => {
  await start((b) => {
    tell(b, 3, 12);
  });
  expect(screen.getByRole("button", { name: /^Syncing … 3, sync status/ })).toBeTruthy();
  expect(spoken()).toBe("");
});
