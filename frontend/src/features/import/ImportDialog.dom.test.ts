import "../../test/page";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { start } from "../../test/app";
import { scenes } from "../../test/preview/scenes";
import { shopId } from "../../test/samples";

async function preview(prepare: (b: Awaited<ReturnType<typeof start>>) => void = (b) => scenes.import?.(b)) {
  const backend = await start(prepare);
  await fireEvent.click(screen.getByRole("button", { name: "Add widget" }));
  await fireEvent.click(await screen.findByRole("button", { name: "Import a CSV or JSON file" }));
  await fireEvent.input(await screen.findByLabelText("or paste rows or JSON"), { target: { value: "a;b\n1;2" } });
  await fireEvent.click(screen.getByRole("button", { name: "Preview" }));
  return backend;
}

test("shows what was detected, what is kept and what is wrong, before anything is written", async () => {
  const backend = await preview();
  const box = within(await screen.findByRole("dialog", { name: /^Import Pasted data/ }));
  expect(box.getByLabelText("Columns are split by")).toHaveProperty("value", ";");
  expect(box.getByLabelText("Decimal sign")).toHaveProperty("value", ",");
  expect(box.getByText(/The newest 20,000 rows of 24,310 rows will be kept/)).toBeTruthy();
  expect(box.getByText(/3 cells in “Besuche” are not numbers/)).toBeTruthy();
  expect(backend.called("edit")).toHaveLength(0);
});

test("what is changed is read again with everything else as it was", async () => {
  const backend = await preview();
  await fireEvent.change(await screen.findByLabelText("Type of Besuche"), { target: { value: "text" } });
  expect(backend.called("reread")[0]?.[2]).toMatchObject({ types: ["time", "text", "text", "number"], delimiter: ";" });
  await fireEvent.click(screen.getByRole("checkbox", { name: "Kanal" }));
  expect(backend.called("reread")[1]?.[2]).toMatchObject({ keep: [0, 2, 3] });
});

test("the rows go into a new widget of the suggested kind", async () => {
  const backend = await preview();
  await fireEvent.input(await screen.findByLabelText("Title of the new widget"), { target: { value: "Visits" } });
  expect(screen.getByRole("radio", { name: /Line chart/ })).toHaveProperty("checked", true);
  await fireEvent.click(screen.getByRole("button", { name: "Import 20,000 rows" }));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(backend.called("applyImport")).toEqual([["applyImport", "imp1", shopId, { kind: "line", title: "Visits" }]]);
});

test("B1 a file that cannot be read says why, and the dialog stays", async () => {
  await preview(() => undefined);
  expect((await screen.findByRole("alert")).textContent).toContain("This file holds no rows.");
  expect(screen.getByRole("button", { name: "Choose a file" })).toBeTruthy();
});

test("into an open widget, in place of its rows", async () => {
  const backend = await start((b) => scenes.import?.(b));
  await fireEvent.click(screen.getByRole("button", { name: "Visitors by channel, line chart" }));
  await fireEvent.click(await screen.findByRole("tab", { name: "Data" }));
  await fireEvent.click(screen.getByRole("button", { name: "Import" }));
  await fireEvent.input(await screen.findByLabelText("or paste rows or JSON"), { target: { value: "a" } });
  await fireEvent.click(screen.getByRole("button", { name: "Preview" }));
  expect(await screen.findByRole("radio", { name: /“Visitors by channel”, in place of its rows/ })).toHaveProperty(
    "checked",
    true,
  );
  await fireEvent.click(screen.getByRole("button", { name: "Import 20,000 rows" }));
  await expect.poll(() => backend.called("applyImport")[0]?.[3]).toHaveProperty("widget");
});
