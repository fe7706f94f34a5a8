import "../../test/page";
import axe from "axe-core";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { start } from "../../test/app";
import { scenes } from "../../test/preview/scenes";

const list = () => within(screen.getByRole("navigation", { name: "Dashboards" }));

test("A1 A3 the list has a part for each organisation, with owners and what may be done", async () => {
  await start((b) => scenes.sections?.(b));
  const ours = within(list().getByRole("list", { name: "Acme" }));
  expect(ours.getAllByRole("link").map((l) => l.textContent.replace(/\s+/g, " ").trim())).toEqual([
    expect.stringMatching(/^Company goals/),
    expect.stringMatching(/^Support load, of ?Grace Hopper ?, view only/),
  ]);
  const lent = within(list().getByRole("list", { name: "Shared with me" }));
  expect(lent.getByRole("link", { name: /^Conference budget.*, of ?Alan Turing ?, can edit/ })).toBeTruthy();
  expect(list().getByText("Nothing in Society for Calculation yet.")).toBeTruthy();
  const { violations } = await axe.run(screen.getByRole("navigation", { name: "Dashboards" }), {
    rules: { "color-contrast": { enabled: false } },
  });
  expect(violations.map((v) => v.id)).toEqual([]);
});

test("A1 parts are folded, and searching looks into them all the same, by owner too", async () => {
  await start((b) => scenes.sections?.(b));
  const head = list().getByRole("button", { name: /^Acme/ });
  await fireEvent.click(head);
  expect(head.getAttribute("aria-expanded")).toBe("false");
  expect(list().queryByRole("link", { name: /^Company goals/ })).toBeNull();
  await fireEvent.input(list().getByRole("searchbox"), { target: { value: "grace load" } });
  expect(list().getByRole("link", { name: /^Support load/ })).toBeTruthy();
  expect(list().queryByText(/^Nothing in/)).toBeNull();
});

test("A1 a dashboard is made in an organisation from its part", async () => {
  const backend = await start((b) => scenes.sections?.(b));
  await fireEvent.click(list().getByRole("button", { name: "New dashboard in Acme" }));
  await expect.poll(() => backend.called("create")).toEqual([["create", "Untitled dashboard", "org_ACME"]]);
  expect(
    await within(list().getByRole("list", { name: "Acme" })).findByRole("link", { name: /^Untitled dashboard/ }),
  ).toBeTruthy();
});

test("A1 with nothing but one's own there is nothing to fold", async () => {
  await start((b) => {
    for (const v of b.views.values()) if (v.role !== "owner") b.views.delete(v.id);
    b.appState = { ...b.appState, boards: b.appState.boards.filter((x) => x.mine) };
  });
  expect(list().queryByRole("button", { expanded: true })).toBeNull();
  expect(list().getByRole("list", { name: "My dashboards" })).toBeTruthy();
});
