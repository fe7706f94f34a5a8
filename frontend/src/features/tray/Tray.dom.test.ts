import "../../test/page";
import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { start } from "../../test/app";
import type { FakeBackend } from "../../test/fakeBackend";
import { refusedChange, refusedTray, shopId } from "../../test/samples";
import { reason, what, where } from "./words";

/** The shop, with edits in its tray. */
async function refused(tray = refusedTray()): Promise<{ backend: FakeBackend; tray: HTMLElement }> {
  const backend = await start((b) => {
    b.refuse(shopId, tray);
  });
  return { backend, tray: await screen.findByRole("region", { name: /not accepted|no longer have access/ }) };
}

test("Q4 the tray lists what was refused, by widget and in words, and all of it when asked", async () => {
  const { tray } = await refused();
  expect(within(tray).getByRole("alert").textContent).toMatch(/252 changes of yours were not accepted\./);
  expect(within(tray).getByRole("alert").textContent).toMatch(/You may view this dashboard, but not change it\./);
  const lines = (): string[] =>
    within(tray)
      .getAllByRole("listitem")
      .map((l) => l.textContent.replace(/\s+/g, " ").trim());
  expect(lines()).toHaveLength(4);
  expect(lines()[1]).toBe("Visitors by channel 240 rows added 240 edits 2 hours ago");
  const all = within(tray).getByRole("button", { name: "Show all 7" });
  expect(all.getAttribute("aria-expanded")).toBe("false");
  await fireEvent.click(all);
  expect(lines()).toHaveLength(7);
  expect(lines()[4]).toMatch(/^Old notes text: “The shop closes early.* This widget does not exist any more\./);
  expect(lines()[6]).toMatch(/^This dashboard title: “Shop overview, week 12”/);
});

test("Q4 several reasons stand with what they are about", async () => {
  const gone = refusedChange({ widget: "Old", gone: true, reason: "gone", why: "This widget was deleted long ago." });
  const { tray } = await refused({ edits: 2, changes: [refusedChange(), gone], more: 0, denied: "" });
  expect(within(tray).getAllByRole("listitem")[1]?.textContent).toContain("This widget was deleted long ago.");
  expect(within(tray).getByRole("alert").textContent).not.toContain("deleted long ago");
});

test("Q4 discarding asks first, and changes nothing until it is answered", async () => {
  const { backend, tray } = await refused();
  await fireEvent.click(within(tray).getByRole("button", { name: "Discard my changes" }));
  const question = within(tray).getByRole("alertdialog");
  expect(document.activeElement?.textContent).toBe("Keep them");
  await fireEvent.keyDown(question, { key: "Escape" });
  expect(backend.called("discardRefused")).toHaveLength(0);
  await waitFor(() => {
    expect(document.activeElement?.textContent).toBe("Discard my changes");
  });
  await fireEvent.click(within(tray).getByRole("button", { name: "Discard my changes" }));
  await fireEvent.click(within(tray).getByRole("button", { name: "Discard for ever" }));
  expect(backend.called("discardRefused")).toHaveLength(1);
  await waitFor(() => {
    expect(screen.queryByRole("region", { name: /not accepted/ })).toBeNull();
  });
});

test("Q4 it can be exported, and kept as a copy", async () => {
  const { backend, tray } = await refused();
  URL.createObjectURL = () => "blob:file";
  URL.revokeObjectURL = () => undefined;
  await fireEvent.click(within(tray).getByRole("button", { name: "Export as a file" }));
  expect(backend.called("exportTray")).toHaveLength(1);
  await fireEvent.click(within(tray).getByRole("button", { name: "Keep as my own copy" }));
  expect(backend.called("keepCopy")).toHaveLength(1);
});

test("Q4 a dashboard that was taken away says why, and can go altogether", async () => {
  const denied = "It belongs to Grace Hopper and is not shared with you any more.";
  const { tray } = await refused({ edits: 0, changes: [], more: 0, denied });
  expect(within(tray).getByRole("alert").textContent).toContain(denied);
  await fireEvent.click(within(tray).getByRole("button", { name: "Remove it" }));
  expect(within(tray).getByRole("alertdialog").textContent).toContain("This cannot be undone.");
});

test("Q4 the list of dashboards says that something waits for a decision", async () => {
  await refused();
  const list = within(screen.getByRole("navigation", { name: "Dashboards" }));
  expect(list.getByRole("link", { name: /^Shop overview.*252 changes not accepted/ })).toBeTruthy();
});

test("Q4 B2 every change has words, and what was written stays text", () => {
  const words = (to: Parameters<typeof refusedChange>[0]): string => {
    const c = refusedChange(to);
    return `${where(c)} · ${what(c)}`;
  };
  expect([
    words({ change: "title", value: "<b>x</b>" }),
    words({ change: "title", value: "" }),
    words({ change: "description", board: true, value: "Days" }),
    words({ change: "theme", board: true, value: "dark" }),
    words({ change: "trash", board: true }),
    words({ change: "restore", board: true }),
    words({ change: "restore" }),
    words({ change: "add", kind: "line", rows: 12 }),
    words({ change: "add", kind: "gauge", widget: "" }),
    words({ change: "remove" }),
    words({ change: "kind", value: "bar" }),
    words({ change: "layout", widget: "", kind: "table" }),
    words({ change: "option", option: "unit", value: "" }),
    words({ change: "option", option: "hologram", value: "on" }),
    words({ change: "rows", rows: 1 }),
    words({ change: "append", rows: 2000 }),
    words({ change: "trim" }),
    words({ change: "other" }),
  ]).toEqual([
    "Orders · title: “<b>x</b>”",
    "Orders · title: none",
    "This dashboard · description: “Days”",
    "This dashboard · theme: dark",
    "This dashboard · moved to the trash",
    "This dashboard · taken out of the trash",
    "Orders · brought back",
    "Orders · new line chart with 12 rows",
    "A widget · new widget",
    "Orders · removed",
    "Orders · shown as bar chart",
    "Table · moved or resized",
    "Orders · after the number: automatic",
    "Orders · hologram: “on”",
    "Orders · data replaced by 1 row",
    "Orders · 2,000 rows added",
    "Orders · oldest rows removed",
    "Orders · a change that this version cannot name",
  ]);
  expect(reason({ edits: 0, changes: [], more: 0, denied: "" })).toBe("");
});
