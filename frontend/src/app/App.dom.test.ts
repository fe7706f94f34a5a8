import "../test/page";
import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { settle, start } from "../test/app";
import { FakeBackend } from "../test/fakeBackend";
import { server, shopId } from "../test/samples";
import App from "./App.svelte";

test("a program that cannot start says why", async () => {
  const backend = new FakeBackend();
  backend.faults.set("state", { kind: "outdated", message: "Written by a newer version.", hint: "Install it." });
  render(App, { props: { backend } });
  expect((await screen.findByRole("alert")).textContent).toContain("Written by a newer version.");
  backend.faults.clear();
  await fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("button", { name: "New dashboard" })).toBeTruthy();
});

test("a lost program is told, and what was missed is fetched when it is back", async () => {
  const backend = await start();
  backend.loseConnection(true);
  expect(await screen.findByText(/connection to the program is lost/)).toBeTruthy();
  const before = backend.called("boardSince").length;
  backend.loseConnection(false);
  await expect.poll(() => screen.queryByText(/connection to the program is lost/)).toBeNull();
  expect(backend.called("boardSince").length).toBeGreaterThan(before);
});

test("what nobody answers is told once, by the notice, and asked again", async () => {
  const backend = await start();
  const { version } = backend.view(shopId);
  backend.silent.add("boardSince").add("state");
  backend.emit({ type: "board", id: shopId, version: version + 1 }, { type: "state" });
  await expect.poll(() => backend.called("boardSince").length).toBe(1);
  await expect.poll(() => backend.called("state").length).toBe(2);
  await settle();
  expect(screen.queryByText("No answer.")).toBeNull();

  // The connection is there, so it was this one call only.
  backend.silent.clear();
  await expect.poll(() => backend.called("boardSince").length, { timeout: 3000 }).toBe(2);
  expect(backend.called("state").length).toBe(3);

  // What is answered with a failure is told.
  backend.faults.set("boardSince", { kind: "internal", message: "Out of order." });
  backend.emit({ type: "board", id: shopId, version: version + 2 });
  expect(await screen.findByText("Out of order.")).toBeTruthy();
});

test("the list is searched, and samples and shared dashboards are marked", async () => {
  await start();
  const list = within(screen.getByRole("navigation", { name: "Dashboards" }));
  expect(list.getByRole("link", { name: /Marketing site.*Sample/ })).toBeTruthy();
  expect(
    within(list.getByRole("list", { name: "Shared with me" })).getByRole("link", { name: /Quarterly targets/ }),
  ).toBeTruthy();
  await fireEvent.input(list.getByRole("searchbox", { name: "Search dashboards" }), { target: { value: "TEAM met" } });
  expect(list.getAllByRole("link").map((l) => l.textContent.trim())).toEqual([
    "Team metrics",
    expect.stringContaining("Trash"),
  ]);
  await fireEvent.input(list.getByRole("searchbox", { name: "Search dashboards" }), {
    target: { value: "nothing like it" },
  });
  expect(list.getByText("Nothing is called “nothing like it”.")).toBeTruthy();
});

test("create, rename, trash and restore", async () => {
  const backend = await start();
  await fireEvent.click(screen.getByRole("button", { name: "New dashboard" }));
  await expect.poll(() => screen.getByLabelText("Dashboard title")).toHaveProperty("value", "Untitled dashboard");
  const title = screen.getByLabelText("Dashboard title");
  await fireEvent.input(title, { target: { value: "  Plans   2026 " } });
  await fireEvent.blur(title);
  expect(backend.called("edit")[0]?.[2]).toEqual([{ do: "board", field: "title", value: "Plans 2026" }]);
  await fireEvent.click(screen.getByRole("button", { name: "More" }));
  await fireEvent.click(screen.getByRole("menuitem", { name: "Move to trash", hidden: true }));
  const messages = within(screen.getByRole("region", { name: "Messages", hidden: true }));
  await fireEvent.click(await messages.findByRole("button", { name: "Put back", hidden: true }));
  await settle();
  expect(backend.called("restore")).toHaveLength(1);
});

test("the palette finds and goes", async () => {
  await start();
  await fireEvent.keyDown(document.body, { key: "k", ctrlKey: true });
  const field = await screen.findByRole("combobox");
  await fireEvent.input(field, { target: { value: "server" } });
  await fireEvent.keyDown(field, { key: "Enter" });
  await expect.poll(() => location.hash).toBe("#/board/dsh_EMPTY");
  expect(await screen.findByText("Start with your data")).toBeTruthy();
});

test("signing in names the field that is wrong", async () => {
  const backend = await start((b) => {
    b.appState = { ...b.appState, account: null };
  });
  await fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  const box = within(await screen.findByRole("dialog", { name: "Log in" }));
  await fireEvent.click(box.getByRole("button", { name: "Log in" }));
  expect(box.getByRole("alert").textContent).toBe("Enter an e-mail address.");
  await fireEvent.input(box.getByLabelText("E-mail"), { target: { value: "ada@example.org" } });
  await fireEvent.input(box.getByLabelText("Password"), { target: { value: "wrong" } });
  backend.faults.set("logIn", { kind: "denied", field: "password", message: "E-mail or password is wrong." });
  await fireEvent.click(box.getByRole("button", { name: "Log in" }));
  expect((await box.findByRole("alert")).textContent).toBe("E-mail or password is wrong.");
  expect(box.getByLabelText("Password").getAttribute("aria-invalid")).toBe("true");
  backend.faults.clear();
  await fireEvent.click(box.getByRole("button", { name: "Log in" }));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(backend.called("logIn").at(-1)).toEqual(["logIn", server, "ada@example.org", "wrong"]);
});

test("links that lead out go to the system's browser", async () => {
  const backend = await start();
  await fireEvent.click(screen.getByRole("link", { name: "handbook" }));
  expect(backend.called("openExternal")).toEqual([["openExternal", "https://example.org/handbook"]]);
  expect(location.hash).toBe(`#/board/${shopId}`);
});
