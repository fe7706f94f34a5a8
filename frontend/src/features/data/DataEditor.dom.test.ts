import "../../test/page";
import { fireEvent, screen } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { Edit } from "../../lib/backend/types";
import { settle, start } from "../../test/app";
import { shopId, shopWidgets } from "../../test/samples";

const table = shopWidgets()[6];
if (!table) throw new Error("no sample");

async function open() {
  const backend = await start();
  await fireEvent.click(screen.getByRole("button", { name: "Orders by region, bar chart" }));
  await fireEvent.click(await screen.findByRole("tab", { name: "Data" }));
  return { backend, grid: screen.getByRole("grid") };
}

async function written(backend: Awaited<ReturnType<typeof start>>): Promise<Edit | undefined> {
  document.dispatchEvent(new Event("visibilitychange"));
  await fireEvent.keyDown(screen.getByRole("complementary"), { key: "Escape" });
  await settle();
  return (backend.called("edit").at(-1)?.[2] as Edit[] | undefined)?.[0];
}

test("a cell is typed into from the keyboard", async () => {
  const { backend, grid } = await open();
  await fireEvent.keyDown(grid, { key: "ArrowRight" });
  await fireEvent.keyDown(grid, { key: "4" });
  const cell = screen.getByRole("textbox", { name: "This month, row 1" });
  await fireEvent.input(cell, { target: { value: "4,5" } });
  await fireEvent.keyDown(cell, { key: "Enter" });
  expect(await written(backend)).toMatchObject({
    do: "rows",
    widget: table.id,
    rows: [["North", 4.5, 290], ...table.rows.slice(1)],
  });
});

test("rows pasted at the end cost those rows alone", async () => {
  const { backend, grid } = await open();
  await fireEvent.keyDown(grid, { key: "End", ctrlKey: true });
  await fireEvent.keyDown(grid, { key: "Home" });
  await fireEvent.keyDown(grid, { key: "ArrowDown" });
  await fireEvent.paste(grid, { clipboardData: { getData: () => "Abroad\t12\t7\nOther\t1\t2\n" } });
  expect(await written(backend)).toEqual({
    do: "append",
    widget: table.id,
    rows: [
      ["Abroad", 12, 7],
      ["Other", 1, 2],
    ],
  });
});

test("columns are added, typed and removed", async () => {
  const { backend } = await open();
  await fireEvent.click(screen.getByRole("button", { name: "Column Last month" }));
  await fireEvent.click(screen.getByRole("menuitem", { name: "Remove column", hidden: true }));
  expect(await written(backend)).toMatchObject({
    columns: table.columns.slice(0, 2),
    rows: table.rows.map((r) => r.slice(0, 2)),
  });
});

test("20,000 rows are a few elements in the page", async () => {
  const { backend } = await open();
  const rows = Array.from({ length: 20_000 }, (_, i) => [`row ${String(i)}`, i, i]);
  backend.change(shopId, {
    widgets: backend.view(shopId).widgets.map((w) => (w.id === table.id ? { ...w, rows, dataRev: 2 } : w)),
  });
  expect(await screen.findByText(/20,000 rows, 3 columns/)).toBeTruthy();
  expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("20002");
  expect(document.querySelectorAll("[role=gridcell]").length).toBeLessThan(200);
});
