import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { Desk, note, PASSWORD } from "./desk";
import { expect, test, type Viewer } from "./fixtures";
import { mailed } from "./mail";
import type { Server } from "./programs";

/** Opens the invitation of somebody new in a browser of their own, and makes the account that it is for. */
async function join(viewer: Viewer, server: Server, email: string, name: string): Promise<Page> {
  const page = await viewer();
  await page.goto(await mailed(server.url, email, "/invite/"));
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page).toHaveURL(/\/app\/d\/dsh_/);
  return page;
}

function widget(page: Page, title: string): Locator {
  return page.getByRole("main").getByRole("heading", { level: 2, name: title, exact: true });
}

/** Gives a widget another title, in its settings. */
async function rename(page: Page, from: string, to: string): Promise<void> {
  await page.getByRole("button", { name: `Settings of ${from}`, exact: true }).focus();
  await page.keyboard.press("Enter");
  const field = page.getByRole("textbox", { name: "Widget title" });
  await field.fill(to);
  await field.press("Enter");
  await page.getByRole("button", { name: "Close settings" }).click();
  await expect(widget(page, to)).toBeVisible();
}

async function openHistory(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "History", exact: true }).click();
  const panel = page.getByRole("complementary", { name: "History" });
  await expect(panel.getByRole("listitem").first()).toBeVisible();
  return panel;
}

test("Q3 A3: of two titles the later one wins everywhere; the other is in the history, which goes back to any state", async ({
  owner,
  server,
  viewer,
}) => {
  test.setTimeout(300_000);
  const { page, app } = owner;
  const desk = await Desk.open(page, server.url, "Figures");
  await desk.edit(note("Revenue", "What came in."));
  const id = (await desk.view()).widgets[0]?.id;
  await desk.invite("bob@example.org", "editor");
  await desk.invite("carol@example.org", "viewer");
  const bob = await join(viewer, server, "bob@example.org", "Bob");
  const carol = await join(viewer, server, "carol@example.org", "Carol");
  await rename(bob, "Revenue", "Sales");
  await bob.evaluate(
    async ([board, edit]) => {
      const body = JSON.stringify({ edits: [JSON.parse(edit) as unknown], label: "Add text" });
      const answer = await fetch(`/app/api/boards/${board}/edits`, { method: "POST", body });
      if (!answer.ok) throw new Error(await answer.text());
    },
    [desk.id, JSON.stringify(note("Costs", "What went out.", { x: 4, y: 90, w: 4, h: 3 }))] as const,
  );
  await expect.poll(async () => (await desk.view()).widgets.map((w) => w.title).sort()).toEqual(["Costs", "Sales"]);

  // Ann writes another title where there is no connection, and Bob one after it.
  await server.stop();
  await desk.edit({ do: "title", widget: id, value: "Income" });
  await page
    .getByRole("link", { name: /Figures/ })
    .first()
    .click();
  const offline = await openHistory(page);
  await expect(offline.getByRole("listitem").filter({ hasText: "Called a widget “Income”" })).toContainText(
    "Not yet on the server",
  );
  await expect(offline.getByText(/^Older changes are told when there is a connection/)).toBeVisible();
  await app.stop();
  await server.start();
  await bob.reload();
  await rename(bob, "Sales", "Turnover");
  await app.start();
  await owner.open();
  await page
    .getByRole("link", { name: /Figures/ })
    .first()
    .click();
  await expect(widget(page, "Turnover")).toBeVisible();
  await expect(widget(page, "Income")).toHaveCount(0);

  // Both find in the history what was overruled, and by whom.
  const bobs = await openHistory(bob);
  await expect(bobs.getByRole("listitem").filter({ hasText: "Overruled" })).toContainText("“Income”");
  const panel = await openHistory(page);
  const lost = panel.getByRole("listitem").filter({ hasText: "Overruled" });
  await expect(lost).toContainText("You");
  await expect(panel.getByRole("listitem").filter({ hasText: "Called a widget “Turnover”" })).toContainText("Bob");
  await expectAccessible(page);
  await lost.getByRole("button", { name: "Use this value" }).click();
  for (const p of [page, bob]) await expect(widget(p, "Income")).toBeVisible();
  // Bob's list follows while it is open.
  await expect(bobs.getByRole("listitem").first()).toContainText("“Income”");
  await expect(bobs.getByRole("listitem").first()).not.toContainText("Overruled");

  // One widget, as it was made.
  await page.getByRole("button", { name: "More for Income" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "History of this widget" }).click();
  await expect(panel.getByText("Only Income")).toBeVisible();
  await panel.getByRole("button", { name: /Added it/ }).click();
  const bar = page.getByRole("region", { name: "An earlier state" });
  await expect(bar.getByText(/^As it was on /)).toBeVisible();
  await expect(widget(page, "Revenue")).toBeVisible();
  await expect(widget(page, "Costs")).toHaveCount(0);
  await expectAccessible(page);
  await bar.getByRole("button", { name: "Restore this widget" }).click();
  await expect(bar).toHaveCount(0);
  for (const p of [page, bob]) {
    await expect(widget(p, "Revenue")).toBeVisible();
    await expect(widget(p, "Costs")).toBeVisible();
  }
  const message = page.getByRole("region", { name: "Messages" });
  await message.getByRole("button", { name: "Undo" }).click();
  for (const p of [page, bob]) await expect(widget(p, "Income")).toBeVisible();

  // All of it, as it was before anybody else came; by keyboard.
  await panel.getByRole("button", { name: "Show all changes" }).click();
  await panel.getByRole("button", { name: /Added “Income”/ }).focus();
  await page.keyboard.press("Enter");
  await expect(widget(page, "Costs")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(widget(page, "Costs")).toBeVisible();
  await page.keyboard.press("Enter");
  await bar.getByRole("button", { name: "Restore this version" }).click();
  for (const p of [page, bob]) {
    await expect(widget(p, "Revenue")).toBeVisible();
    await expect(widget(p, "Costs")).toHaveCount(0);
  }
  await message.getByRole("button", { name: "Undo" }).click();
  for (const p of [page, bob]) {
    await expect(widget(p, "Income")).toBeVisible();
    await expect(widget(p, "Costs")).toBeVisible();
  }
  await page.keyboard.press("Escape");
  await expect(panel).toHaveCount(0);

  // Whoever only looks has no history: not on the screen, and not by asking.
  await expect(widget(carol, "Income")).toBeVisible();
  await expect(carol.getByRole("button", { name: "History", exact: true })).toHaveCount(0);
  await carol.keyboard.press("Control+Shift+H");
  await carol.keyboard.press("Control+k");
  await carol.getByRole("combobox").fill("History");
  await expect(carol.getByText("Nothing found for “History”.")).toBeVisible();
  await expect(carol.getByRole("complementary", { name: "History" })).toHaveCount(0);
  const answers = await carol.evaluate(async (board) => {
    const at = `/app/api/boards/${board}/history`;
    const restore = { method: "POST", body: "{}" };
    return [
      (await fetch(at)).status,
      (await fetch(`${at}/1`)).status,
      (await fetch(`${at}/1/restore`, restore)).status,
    ];
  }, desk.id);
  expect(answers).toEqual([403, 403, 403]);
});
