import { readFile } from "node:fs/promises";
import { expectAccessible } from "./axe";
import { Desk, note, PASSWORD } from "./desk";
import { expect, test } from "./fixtures";
import { mailed } from "./mail";
import { App } from "./programs";

const bob = "bob@example.org";

test("Q4 SI2: whose role was lowered while offline finds the edits in a tray, exports them and keeps them as a copy", async ({
  owner,
  server,
  viewer,
  browser,
}) => {
  test.setTimeout(360_000); // two programs, a server and a look with axe
  const desk = await Desk.open(owner.page, server.url, "Team figures");
  await desk.edit(note("Plan", "As Ann wrote it."));
  await desk.edit({ do: "add", kind: "table", title: "Orders", columns: [{ name: "n", type: "number" }], rows: [[1]] });
  await desk.invite(bob, "editor");
  const visitor = await viewer();
  await visitor.goto(await mailed(server.url, bob, "/invite/"));
  await visitor.getByLabel("Password").fill(PASSWORD);
  await visitor.getByRole("button", { name: "Accept" }).click();
  await expect(visitor).toHaveURL(/\/app\/d\/dsh_/);

  const app = await App.start(server.url);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  await page.goto(app.url);
  await Desk.logIn(page, server.url, bob);
  const his = await Desk.find(page, "Team figures");
  await expect.poll(async () => (await his.view()).widgets.length).toBe(2);

  // He goes away; meanwhile Ann lets him look only.
  await app.stop();
  const member = (await desk.view()).share.people.find((p) => !p.you);
  if (!member) throw new Error("bob is no member");
  await desk.share({ action: "role", account: member.account, role: "viewer" });
  await server.stop();
  await app.start();
  await page.goto(app.url);
  await page.getByRole("link", { name: /Team figures/ }).click();
  await expect(page.getByRole("heading", { name: "Plan" })).toBeVisible();
  const { widgets } = await his.view();
  const [plan, orders] = ["Plan", "Orders"].map((title) => widgets.find((w) => w.title === title)?.id ?? "");
  await his.edit({ do: "option", widget: plan, name: "text", value: "As Bob typed it offline." });
  await his.edit({ do: "append", widget: orders, rows: [[2], [3]] });
  await page.getByLabel("Dashboard title").fill("Bob's figures");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /Offline 3, sync status/ })).toBeVisible();

  // Back again: they are refused, and there.
  await server.start();
  await page.getByRole("button", { name: /sync status/ }).click();
  const again = page.getByRole("button", { name: "Try now" });
  if (await again.isVisible()) await again.click({ timeout: 2000 }).catch(() => undefined); // it may have tried by itself
  const tray = page.getByRole("region", { name: "3 changes of yours were not accepted." });
  await expect(tray).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(tray.getByRole("alert")).toContainText("You may view this dashboard, but not change it.");
  const items = tray.getByRole("list", { name: "Changes that were not accepted" }).getByRole("listitem");
  await expect(items).toHaveText([
    /Plan\s+text: “As Bob typed it offline.”\s+just now/,
    /Orders\s+2 rows added\s+just now/,
    /This dashboard\s+title: “Bob's figures”\s+just now/,
  ]);
  await expect(page.getByRole("textbox", { name: "Dashboard title" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: /Team figures.*3 changes not accepted/ })).toBeVisible();
  await expect(page.getByText("As Ann wrote it.")).toBeVisible();
  await expectAccessible(page);

  // By keyboard: discarding asks first, and Escape takes the question back.
  const discard = tray.getByRole("button", { name: "Discard my changes" });
  await discard.focus();
  await page.keyboard.press("Enter");
  const question = page.getByRole("alertdialog", { name: "Discard these changes for ever?" });
  await expect(question).toContainText("This cannot be undone.");
  await expect(question.getByRole("button", { name: "Keep them" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(question).toBeHidden();
  await expect(discard).toBeFocused();
  await expect(items).toHaveCount(3);

  const [file] = await Promise.all([
    page.waitForEvent("download"),
    tray.getByRole("button", { name: "Export as a file" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe("Team figures with my changes.json");
  const text = await readFile(await file.path(), "utf8");
  const written = JSON.parse(text) as {
    title: string;
    widgets: { title: string; rows?: unknown; options?: unknown }[];
  };
  expect(written.title).toBe("Bob's figures");
  expect(written.widgets.find((w) => w.title === "Plan")?.options).toEqual({ text: "As Bob typed it offline." });
  expect(written.widgets.find((w) => w.title === "Orders")?.rows).toEqual([[1], [2], [3]]);

  await tray.getByRole("button", { name: "Keep as my own copy" }).click();
  await expect(page.getByRole("textbox", { name: "Dashboard title" })).toHaveValue("Bob's figures (copy)");
  await expect(page.getByText("As Bob typed it offline.")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Synced/ })).toBeVisible();
  await page.getByRole("link", { name: /^Team figures/ }).click();
  await expect(page.getByText("As Ann wrote it.")).toBeVisible();
  await expect(tray).toHaveCount(0);
  expect((await desk.view()).title).toBe("Team figures");
  await context.close();
  await app.close();
});

test("Q1 Q2: ten thousand edits made offline leave while the screen says how many are left", async ({
  owner,
  server,
}) => {
  const { page } = owner;
  const desk = await Desk.open(page, server.url, "Counter");
  await desk.edit({ do: "add", kind: "table", title: "Counter", columns: [{ name: "n", type: "number" }] });
  await page.getByRole("link", { name: /^Counter/ }).click();
  await expect(page.getByRole("button", { name: /^Synced/ })).toBeVisible();
  await server.stop();
  await expect(page.getByRole("button", { name: /^Offline/ })).toBeVisible();
  const widget = (await desk.view()).widgets[0]?.id ?? "";
  for (let n = 0; n < 10_000; n += 500)
    await desk.edit(
      ...Array.from({ length: 500 }, (_, i) => ({ do: "title", widget, value: `Counter ${String(n + i + 1)}` })),
    );
  await expect(page.getByRole("button", { name: /^Offline 10,000/ })).toBeVisible();

  await page.evaluate(() => {
    const seen: string[] = [];
    const look = (): void => {
      const name = document.querySelector("button.sync")?.textContent.replace(/\s+/g, " ").trim() ?? "";
      const said = document.querySelector('header [role="status"]')?.textContent ?? "";
      for (const words of [name, said]) if (seen.at(-1) !== words && !seen.includes(words)) seen.push(words);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    Object.assign(window, { seen });
  });
  await server.start();
  await expect(page.getByRole("button", { name: /^Synced/ })).toBeVisible();
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  expect(seen.filter((s) => /^Syncing – [\d,]+ of 10,000 changes to go/.test(s)).length).toBeGreaterThan(0);
  expect(seen.filter((s) => /10,000 changes( is| are)? ?(sent)?\.$/.test(s)).length).toBeGreaterThan(0);
  expect(seen.some((s) => s.startsWith("All changes are saved on"))).toBe(true);
  expect((await desk.view()).widgets[0]?.title).toBe("Counter 10000");
});
