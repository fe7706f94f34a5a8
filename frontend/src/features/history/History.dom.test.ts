import "../../test/page";
import { fireEvent, screen, within } from "@testing-library/svelte";
import axe from "axe-core";
import { describe, expect, test, vi } from "vitest";
import type { BoardId, HistoryChange } from "../../lib/backend/types";
import { settle, start } from "../../test/app";
import type { FakeBackend } from "../../test/fakeBackend";
import { tellHistory, tellWaiting } from "../../test/preview/history";
import { shopId, shopWidgets } from "../../test/samples";

const [revenue] = shopWidgets();
if (!revenue) throw new Error("no sample");

async function open(): Promise<HTMLElement> {
  await fireEvent.click(screen.getByRole("button", { name: "History" }));
  return await screen.findByRole("complementary", { name: "History" });
}

/** The whole application with weeks of history, and the list of it. */
async function told(prepare: (b: FakeBackend) => void = tellHistory): Promise<{ b: FakeBackend; panel: HTMLElement }> {
  const b = await start(prepare);
  const panel = await open();
  await within(panel).findAllByRole("listitem");
  return { b, panel };
}

function entry(panel: HTMLElement, words: RegExp): HTMLElement {
  const found = within(panel)
    .getAllByRole("listitem")
    .find((e) => words.test(e.textContent));
  if (!found) throw new Error(`nothing in the list says ${String(words)}`);
  return found;
}

async function look(panel: HTMLElement, words: RegExp): Promise<HTMLElement> {
  const [pick] = within(entry(panel, words)).getAllByRole("button");
  if (!pick) throw new Error("nothing to choose");
  pick.focus();
  await fireEvent.click(pick);
  return await screen.findByRole("region", { name: "An earlier state" });
}

function titles(): (string | null)[] {
  return within(screen.getByRole("main"))
    .getAllByRole("heading", { level: 2 })
    .map((h) => h.textContent);
}

function messages(): HTMLElement {
  return screen.getByRole("region", { name: "Messages", hidden: true });
}

/** A change of the title of Revenue by somebody else, of which nothing came. */
function overrule(b: FakeBackend, to: Partial<HistoryChange> = {}): void {
  const view = b.view(shopId);
  const widgets = view.widgets.map((w) => (w.id === revenue?.id ? { ...w, title: "Turnover" } : w));
  b.past.record(shopId, view, { ...view, widgets }, { by: "Grace Hopper", mine: false, lost: true, ...to });
}

describe("the list", () => {
  test("Q3 says who changed what, by day, the newest first, and folds what is long", async () => {
    const { panel } = await told();
    const days = within(panel)
      .getAllByRole("heading", { level: 3 })
      .map((h) => h.textContent);
    expect(days.length).toBeGreaterThanOrEqual(4);
    const all = within(panel).getAllByRole("listitem");
    expect(all[0]?.textContent).toMatch(/You.*Set “Before the number” of “Revenue” to “€”.*Moved “Services”/s);
    expect(entry(panel, /Alan Turing/).textContent).toMatch(/and 3 more/);
    expect(entry(panel, /Somebody who has left/).textContent).toMatch(/Added/);
    expect(within(panel).getByText("This is where it begins.")).toBeTruthy();
  });
  test("Q3 what has not reached the server, and what was overruled, is marked", async () => {
    const { panel } = await told(tellWaiting);
    expect(entry(panel, /Net revenue/).textContent).toMatch(/Not yet on the server/);
    expect(entry(panel, /Overruled/).textContent).toMatch(
      /Grace Hopper.*later change had won; this value is kept here/s,
    );
  });
  test("older pages come one by one", async () => {
    const { b, panel } = await told((backend) => {
      tellHistory(backend);
      backend.past.page = 4;
    });
    expect(within(panel).getAllByRole("listitem")).toHaveLength(4);
    await fireEvent.click(within(panel).getByRole("button", { name: "Show older" }));
    await expect.poll(() => within(panel).getAllByRole("listitem").length).toBe(8);
    const positions = b.called("history").map((c) => c[2]);
    expect(positions[0]).toBeUndefined();
    expect(positions[1]).toBeTruthy();
    // The page of the newest changes comes anew, and the older ones stay.
    b.change(shopId, { title: "Shop today" }, "Grace Hopper");
    await expect.poll(() => within(panel).queryByText("Called the dashboard “Shop today”")).toBeTruthy();
    expect(within(panel).getAllByRole("listitem").length).toBeGreaterThanOrEqual(9);
  });
  test("says that nothing was changed yet", async () => {
    await start();
    const panel = await open();
    expect(await within(panel).findByText("Nothing was changed yet.")).toBeTruthy();
  });
  test("says why older changes are not told", async () => {
    const { panel } = await told((b) => {
      tellHistory(b);
      b.past.missing = "Older changes are told when there is a connection.";
    });
    expect(within(panel).getByText("Older changes are told when there is a connection.")).toBeTruthy();
    expect(within(panel).queryByText("This is where it begins.")).toBeNull();
  });
  test("fails in words, and tries again", async () => {
    const b = await start((backend) => {
      tellHistory(backend);
      backend.faults.set("history", { kind: "unavailable", message: "The server does not answer." });
    });
    const panel = await open();
    expect((await within(panel).findByRole("alert")).textContent).toMatch(/The server does not answer/);
    b.faults.clear();
    await fireEvent.click(within(panel).getByRole("button", { name: "Try again" }));
    expect((await within(panel).findAllByRole("listitem")).length).toBeGreaterThan(5);
  });
  test("many changes at once become one look at it", async () => {
    const { b } = await told();
    const before = b.called("history").length;
    vi.useFakeTimers();
    for (let i = 0; i < 5; i++) {
      b.change(shopId, { description: `No. ${String(i)}` }, "Grace Hopper");
      await settle();
    }
    vi.advanceTimersByTime(1000);
    vi.useRealTimers();
    await settle();
    expect(b.called("history")).toHaveLength(before + 1);
  });
  test("is of one widget from that widget's menu", async () => {
    const b = await start(tellHistory);
    await fireEvent.click(screen.getByRole("button", { name: "More for Conversion" }));
    await fireEvent.click(await screen.findByRole("menuitem", { name: "History of this widget", hidden: true }));
    const panel = await screen.findByRole("complementary", { name: "History" });
    await within(panel).findAllByRole("listitem");
    expect(
      within(panel)
        .getAllByRole("listitem")
        .map((e) => e.textContent),
    ).toHaveLength(1);
    expect(entry(panel, /Alan/).textContent).toMatch(/Set “Decimals” to 2/);
    await fireEvent.click(within(panel).getByRole("button", { name: "Show all changes" }));
    await expect.poll(() => within(panel).queryAllByRole("listitem").length).toBeGreaterThan(5);
    expect(b.called("history").map((c) => c[3] !== undefined)).toEqual([true, false]);
  });
});

describe("an earlier state", () => {
  test("Q3 is drawn as it was, with what was changed marked, and Escape goes back to now, then closes", async () => {
    const { panel } = await told();
    const bar = await look(panel, /Called a widget “Orders by region”/);
    expect(within(bar).getByText(/^As it was on /)).toBeTruthy();
    await expect.poll(() => screen.queryByRole("region", { name: "Orders by region: Title" })).not.toBeNull();
    expect(screen.queryByRole("button", { name: "Add widget" })).toBeNull();
    await look(panel, /Alan Turing/);
    await expect.poll(titles).toContain("Orders");
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
    await expect.poll(titles).toContain("Orders by region");
    expect(screen.queryByRole("region", { name: "An earlier state" })).toBeNull();
    expect(panel.contains(document.activeElement)).toBe(true);
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
    await expect.poll(() => screen.queryByRole("complementary", { name: "History" })).toBeNull();
  });
  test("Q3 is restored without a question, and undo takes it back", async () => {
    const { b, panel } = await told();
    const bar = await look(panel, /Called the dashboard “Shop overview”/);
    await expect.poll(titles).toContain("Returns");
    await fireEvent.click(within(bar).getByRole("button", { name: "Restore this version" }));
    await expect.poll(() => b.view(shopId).widgets.some((w) => w.title === "Returns")).toBe(true);
    await expect.poll(() => screen.queryByRole("region", { name: "An earlier state" })).toBeNull();
    expect(titles()).toContain("Returns");
    await fireEvent.click(await within(messages()).findByRole("button", { name: "Undo", hidden: true }));
    await expect.poll(titles).toContain("Refunds");
    expect(b.view(shopId).widgets).toEqual(shopWidgets());
  });
  test("Q3 one widget of it is restored by itself", async () => {
    const { b, panel } = await told();
    await look(panel, /Called the dashboard “Shop overview”/);
    await fireEvent.click(await screen.findByRole("button", { name: "Returns, as it was" }));
    await fireEvent.click(await screen.findByRole("menuitem", { name: "Restore this widget", hidden: true }));
    await expect.poll(titles).toContain("Returns");
    expect(
      b.view(shopId).widgets.filter((w, i) => w !== shopWidgets()[i] && w.title !== shopWidgets()[i]?.title),
    ).toHaveLength(1);
    expect(b.view(shopId).description).not.toBe("");
  });
  test("Q3 what was removed is put back from the change that removed it", async () => {
    const { b, panel } = await told();
    await look(panel, /Removed “Newsletter”/);
    await fireEvent.click(within(entry(panel, /Removed “Newsletter”/)).getByRole("button", { name: "Put back" }));
    await expect.poll(titles).toContain("Newsletter");
    expect(b.view(shopId).widgets).toHaveLength(shopWidgets().length + 1);
  });
  test("says when the rows of then are not kept", async () => {
    const { panel } = await told((b) => {
      tellHistory(b);
      b.past.rows = false;
    });
    const bar = await look(panel, /Alan Turing/);
    expect(await within(bar).findByText("The data of then are not kept; present data are shown.")).toBeTruthy();
  });
  test("that is not kept any more says so", async () => {
    const { b, panel } = await told();
    b.faults.set("boardAt", { kind: "not_found", message: "This state is not kept any more." });
    const bar = await look(panel, /Alan Turing/);
    const main = within(screen.getByRole("main"));
    expect((await main.findByRole("alert")).textContent).toMatch(/not kept any more/);
    expect(within(bar).getByRole("button", { name: "Restore this version" })).toHaveProperty("disabled", true);
    b.faults.clear();
    await fireEvent.click(main.getByRole("button", { name: "Try again" }));
    await expect
      .poll(() => screen.queryByRole("button", { name: "Returns, as it was" }) !== null || titles().length > 5)
      .toBe(true);
  });
  test("that is the present one is not offered to be restored", async () => {
    const { panel } = await told();
    const bar = await look(panel, /Latest/);
    expect(within(bar).getByText(/^As it is since /)).toBeTruthy();
    expect(within(bar).queryByRole("button", { name: /Restore/ })).toBeNull();
  });
  test("gives way to now when something is changed here", async () => {
    const { panel } = await told();
    await look(panel, /Alan Turing/);
    await fireEvent.keyDown(document.body, { key: "z", ctrlKey: true });
    await expect.poll(() => screen.queryByRole("region", { name: "An earlier state" })).toBeNull();
  });
  test("a state that cannot be restored stays, and says why", async () => {
    const { b, panel } = await told();
    const bar = await look(panel, /Alan Turing/);
    await expect
      .poll(() => within(bar).getByRole<HTMLButtonElement>("button", { name: "Restore this version" }).disabled)
      .toBe(false);
    b.faults.set("restoreTo", { kind: "unavailable", message: "The disk is full." });
    await fireEvent.click(within(bar).getByRole("button", { name: "Restore this version" }));
    expect(await screen.findByText("The disk is full.")).toBeTruthy();
    expect(screen.getByRole("region", { name: "An earlier state" })).toBeTruthy();
  });
});

test("Q3 the value that was overruled is used, and only that", async () => {
  const { b, panel } = await told((backend) => {
    backend.change(shopId, { description: "Of today" }, "Alan Turing");
    overrule(backend);
  });
  await fireEvent.click(within(entry(panel, /Overruled/)).getByRole("button", { name: "Use this value" }));
  await expect.poll(titles).toContain("Turnover");
  const [call] = b.called("restoreTo");
  expect(call?.slice(3)).toEqual([revenue.id, "title"]);
  expect(b.view(shopId).description).toBe("Of today");
  await within(messages()).findByText("Restored.");
  await expect.poll(() => within(panel).getAllByRole("listitem")[0]?.textContent).toMatch(/You.*“Turnover”/s);
  // Again, it is like that already.
  await fireEvent.click(within(entry(panel, /Overruled/)).getByRole("button", { name: "Use this value" }));
  expect(await within(messages()).findByText("It is like that already.")).toBeTruthy();
});

describe("by keyboard", () => {
  test("arrows go through the changes, and what is looked at follows", async () => {
    const { b, panel } = await told();
    expect(document.activeElement).toBe(panel);
    await fireEvent.keyDown(panel, { key: "ArrowDown" });
    expect(document.activeElement?.textContent).toMatch(/Now/);
    await fireEvent.keyDown(document.activeElement ?? panel, { key: "ArrowDown" });
    expect(document.activeElement?.textContent).toMatch(/Latest/);
    expect(b.called("boardAt")).toHaveLength(0);
    await fireEvent.click(document.activeElement ?? panel);
    await screen.findByRole("region", { name: "An earlier state" });
    await fireEvent.keyDown(document.activeElement ?? panel, { key: "ArrowDown" });
    await expect.poll(() => b.called("boardAt").length).toBe(2);
    await fireEvent.keyDown(document.activeElement ?? panel, { key: "End" });
    await fireEvent.keyDown(document.activeElement ?? panel, { key: "Home" });
    await expect.poll(() => screen.queryByRole("region", { name: "An earlier state" })).toBeNull();
  });
  test("Control Shift H opens and closes it, and the keyboard goes back", async () => {
    await start(tellHistory);
    const share = screen.getByRole("button", { name: "Share" });
    share.focus();
    await fireEvent.keyDown(share, { key: "H", ctrlKey: true, shiftKey: true });
    const panel = await screen.findByRole("complementary", { name: "History" });
    await fireEvent.keyDown(panel, { key: "H", ctrlKey: true, shiftKey: true });
    expect(screen.queryByRole("complementary", { name: "History" })).toBeNull();
    await expect.poll(() => document.activeElement).toBe(share);
  });
});

describe("A3 who may not edit", () => {
  test("has no history", async () => {
    await start(tellHistory, "dsh_BORROWED" as BoardId);
    expect(screen.queryByRole("button", { name: "History" })).toBeNull();
    await fireEvent.keyDown(document.body, { key: "H", ctrlKey: true, shiftKey: true });
    expect(screen.queryByRole("complementary", { name: "History" })).toBeNull();
  });
  test("loses it with the right", async () => {
    const { b, panel } = await told();
    await look(panel, /Alan Turing/);
    b.change(shopId, { role: "viewer" }, "Grace Hopper");
    await expect.poll(() => screen.queryByRole("complementary", { name: "History" })).toBeNull();
    expect(screen.queryByRole("region", { name: "An earlier state" })).toBeNull();
  });
});

test("Q3 the message that something was overruled leads to it", async () => {
  const b = await start(overrule);
  b.emit({
    type: "notice",
    notice: { kind: "info", message: "Your change came later.", hint: "", board: shopId, history: true },
  });
  await fireEvent.click(await within(messages()).findByRole("button", { name: "Show history", hidden: true }));
  const panel = await screen.findByRole("complementary", { name: "History" });
  expect((await within(panel).findAllByRole("listitem"))[0]?.textContent).toMatch(/Overruled/);
});

test("there is nothing for axe to find", async () => {
  const { panel } = await told(tellWaiting);
  const bar = await look(panel, /Alan Turing/);
  for (const element of [panel, bar]) {
    const { violations } = await axe.run(element, { rules: { "color-contrast": { enabled: false } } });
    expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
  }
});
