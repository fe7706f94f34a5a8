import "../../test/page";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";
import type { BoardId, Role } from "../../lib/backend/types";
import { settle, start } from "../../test/app";
import type { FakeBackend } from "../../test/fakeBackend";
import { scenes } from "../../test/preview/scenes";
import { shopId } from "../../test/samples";

function become(backend: FakeBackend, role: Role): void {
  const { share } = backend.view(shopId);
  backend.change(shopId, { role, share: { ...share, canManage: role === "owner" } });
}

test("A3 a viewer is told so, whom to ask, and that a copy can be made", async () => {
  const backend = await start(undefined, "dsh_BORROWED" as BoardId);
  await fireEvent.click(screen.getByRole("button", { name: "View only" }));
  const box = within(await screen.findByLabelText("View only", { selector: "[role=dialog]" }));
  expect(box.getByText(/To edit it, ask Grace Hopper, who owns it/)).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Make my own copy", hidden: true }));
  expect(backend.called("duplicate")).toHaveLength(1);
});

test("I6 V1 a role that is lowered takes the means of editing away at once, and raised gives them back", async () => {
  const backend = await start();
  await fireEvent.click(screen.getByRole("button", { name: "Add widget" }));
  expect(await screen.findByRole("dialog", { name: "Add widget" })).toBeTruthy();
  become(backend, "viewer");
  await expect.poll(() => screen.queryByRole("dialog", { name: "Add widget" })).toBeNull();
  for (const name of ["Add widget", "Undo", "Revenue, number", "Settings of Revenue"])
    expect(screen.queryByRole("button", { name })).toBeNull();
  expect(await screen.findByText("You can only view this dashboard now.")).toBeTruthy();
  become(backend, "editor");
  expect(await screen.findByRole("button", { name: "Revenue, number" })).toBeTruthy();
});

test("I6 Q4 what is being typed when the right to edit goes is kept to be copied", async () => {
  const backend = await start();
  // What is typed is written a moment later; here the role changes before.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  await fireEvent.click(screen.getByRole("button", { name: "Revenue, number" }));
  await fireEvent.input(await screen.findByLabelText("Widget title"), { target: { value: "Revenue, all shops" } });
  await fireEvent.input(screen.getByLabelText("Description"), { target: { value: "A long thought" } });
  await fireEvent.input(screen.getByLabelText("Dashboard title"), { target: { value: "Shops" } });
  become(backend, "viewer");
  const notice = (await screen.findByText("What you were typing was not saved.")).closest<HTMLElement>("[role=alert]");
  if (!notice) throw new Error("no notice");
  for (const text of ["Revenue, all shops", "A long thought", "Shops"])
    expect(await within(notice).findByText(text)).toBeTruthy();
  expect(backend.called("edit")).toEqual([]);
  await fireEvent.click(within(notice).getByRole("button", { name: "Copy" }));
  await settle();
  expect(backend.clipboard.split("\n\n").sort()).toEqual(["A long thought", "Revenue, all shops", "Shops"]);
  await fireEvent.click(within(notice).getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByText("What you were typing was not saved.")).toBeNull();
  vi.useRealTimers();
});

test("I6 Q4 a text that the program refuses is kept too", async () => {
  const backend = await start();
  backend.faults.set("edit", { kind: "denied", message: "You may no longer edit this dashboard." });
  const field = screen.getByLabelText("Description");
  await fireEvent.input(field, { target: { value: "A long thought" } });
  await fireEvent.blur(field);
  expect(await screen.findByText("What you were typing was not saved.")).toBeTruthy();
  expect(screen.getByText("A long thought")).toBeTruthy();
});

test("presence: who else is there stands in the header, whoever edits first, and more as a number", async () => {
  await start((b) => scenes.busy?.(b));
  const button = screen.getByRole("button", { name: /^6 others here: Joan Clarke is editing, Grace Hopper/ });
  expect(
    within(button)
      .getAllByTitle(/./)
      .map((e) => e.title),
  ).toEqual(["Joan Clarke is editing", "Grace Hopper", "Alan Turing", "Betty Holberton, Jean Bartik, Kay McNulty"]);
  await fireEvent.click(button);
  const box = within(await screen.findByLabelText(/^6 others here/, { selector: "[role=dialog]" }));
  expect(box.getAllByRole("listitem", { hidden: true })).toHaveLength(6);
});

test("presence: the program is told what is looked at and that it is changed", async () => {
  const backend = await start();
  expect(backend.looking).toEqual({ id: shopId, editing: false });
  await fireEvent.keyDown(screen.getByRole("button", { name: "Revenue, number" }), { key: "Delete" });
  expect(backend.looking).toEqual({ id: shopId, editing: true });
  await fireEvent.click(screen.getByRole("link", { name: /^Trash/ }));
  location.hash = "#/trash";
  await expect.poll(() => backend.looking?.id).toBeNull();
});
