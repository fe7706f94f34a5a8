import "../../test/page";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import type { BoardId } from "../../lib/backend/types";
import { settle, start } from "../../test/app";
import { shopId, shopWidgets } from "../../test/samples";

const first = shopWidgets()[0];
if (!first) throw new Error("no sample");

function handle(name = "Revenue, number"): HTMLElement {
  return screen.getByRole("button", { name });
}

describe("by keyboard", () => {
  test("arrows move at once and are written together, as one edit", async () => {
    const backend = await start();
    vi.useFakeTimers();
    await fireEvent.keyDown(handle(), { key: "ArrowRight" });
    expect(document.getElementById(`card-${first.id}`)?.style.gridArea).toContain("1 / 4");
    await fireEvent.keyDown(handle(), { key: "ArrowRight" });
    expect(screen.getByText(/Revenue: column 7, row 1/)).toBeTruthy();
    expect(backend.called("edit")).toHaveLength(0);
    vi.advanceTimersByTime(1000);
    vi.useRealTimers();
    await settle();
    const [call] = backend.called("edit");
    expect(call?.[2]).toContainEqual({ do: "layout", widget: first.id, value: { x: 6, y: 0, w: 3, h: 2 } });
    expect(backend.called("edit")).toHaveLength(1);
  });
  test("shift and arrows resize", async () => {
    await start();
    await fireEvent.keyDown(handle("Refunds, number"), { key: "ArrowLeft", shiftKey: true });
    expect(screen.getByText(/Refunds: column 10, row 1, 2 wide, 2 high/)).toBeTruthy();
  });
  test("Delete removes, and the message brings it back", async () => {
    const backend = await start();
    await fireEvent.keyDown(handle(), { key: "Delete" });
    await expect.poll(() => screen.queryByRole("button", { name: "Revenue, number" })).toBeNull();
    const message = within(screen.getByRole("region", { name: "Messages", hidden: true }));
    await fireEvent.click(await message.findByRole("button", { name: "Put back", hidden: true }));
    await expect.poll(() => screen.queryByRole("button", { name: "Revenue, number" })).not.toBeNull();
    expect(backend.called("undo")).toHaveLength(1);
  });
  test("Control D duplicates, Enter opens the settings, Escape closes them", async () => {
    const backend = await start();
    await fireEvent.keyDown(handle(), { key: "d", ctrlKey: true });
    expect(backend.called("edit")[0]?.[2]).toEqual([{ do: "duplicate", widget: first.id }]);
    await fireEvent.click(handle("Orders, number"));
    const panel = await screen.findByRole("complementary", { name: "Widget settings" });
    expect(within(panel).getByLabelText("Widget title")).toHaveProperty("value", "Orders");
    await fireEvent.keyDown(panel, { key: "Escape" });
    expect(screen.queryByRole("complementary", { name: "Widget settings" })).toBeNull();
  });
  test("Control Z and Control Shift Z", async () => {
    const backend = await start();
    await fireEvent.keyDown(document.body, { key: "z", ctrlKey: true });
    await settle();
    expect(backend.called("undo")).toHaveLength(1);
  });
});

test("an edit that fails is taken back and told", async () => {
  const backend = await start((b) =>
    b.faults.set("edit", { kind: "unavailable", message: "The disk is full.", hint: "Free some space." }),
  );
  await fireEvent.keyDown(handle(), { key: "Delete" });
  expect(await screen.findByText("The disk is full.")).toBeTruthy();
  expect(handle()).toBeTruthy();
  expect(backend.view(shopId).widgets).toHaveLength(9);
});

test("typing shows on the card at once and is written once", async () => {
  const backend = await start();
  await fireEvent.click(handle());
  const title = await screen.findByLabelText("Widget title");
  await fireEvent.input(title, { target: { value: "Reven" } });
  await fireEvent.input(title, { target: { value: "Revenues" } });
  expect(screen.getByRole("heading", { name: "Revenues" })).toBeTruthy();
  expect(backend.called("edit")).toHaveLength(0);
  await fireEvent.blur(title);
  await settle();
  expect(backend.called("edit").map((c) => c[2])).toEqual([[{ do: "title", widget: first.id, value: "Revenues" }]]);
});

test("a widget of each kind can be added", async () => {
  const backend = await start(undefined, "dsh_EMPTY" as BoardId);
  for (const name of ["Number", "Line chart", "Bar chart", "Table", "Text", "Status list"]) {
    await fireEvent.click(screen.getByRole("button", { name: "Add widget" }));
    await fireEvent.click(
      within(await screen.findByRole("dialog", { name: "Add widget" })).getByRole("button", { name }),
    );
    await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  }
  await expect
    .poll(() => backend.view("dsh_EMPTY" as BoardId).widgets.map((w) => w.kind))
    .toEqual(["stat", "line", "bar", "table", "markdown", "status"]);
});

test("A3 a viewer has nothing to change", async () => {
  await start(undefined, "dsh_BORROWED" as BoardId);
  for (const name of ["Add widget", "Undo", "Redo", "Revenue, number"])
    expect(screen.queryByRole("button", { name })).toBeNull();
  expect(screen.queryByLabelText("Dashboard title")).toBeNull();
});

test("changes from elsewhere appear by themselves, and only what changed is drawn again", async () => {
  const backend = await start();
  const card = (i: number): Element | null => document.querySelectorAll(".cell .w > .w-h")[i] ?? null;
  const [one, two] = [card(0), card(1)];
  const widgets = backend.view(shopId).widgets.map((w, i) => (i === 0 ? { ...w, title: "Income", rev: 2 } : w));
  backend.change(shopId, { widgets });
  expect(await screen.findByRole("heading", { name: "Income" })).toBeTruthy();
  expect(card(0)).not.toBe(one);
  expect(card(1)).toBe(two);
});

test("B2 hostile titles are text", async () => {
  await start((b) => {
    b.change(shopId, {
      title: "<img src=x onerror=alert(1)>",
      widgets: [{ ...first, title: "<script>alert(1)</script>" }],
    });
  });
  expect(document.querySelector("main script, main img")).toBeNull();
  expect(screen.getByRole("heading", { name: "<script>alert(1)</script>" })).toBeTruthy();
});
