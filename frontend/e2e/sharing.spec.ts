import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { PASSWORD } from "./desk";
import { expect, test } from "./fixtures";
import { confirm } from "./mail";

const csv = ["day,visits,orders", "2026-03-01,120,7", "2026-03-02,180,9", "2026-03-03,90,4", "2026-03-04,240,15"].join(
  "\n",
);

async function signUp(page: Page, server: string): Promise<void> {
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("radio", { name: "New account" }).check({ force: true });
  const dialog = page.getByRole("dialog", { name: "Create your account" });
  await dialog.getByLabel("E-mail").fill("ann@example.org");
  await dialog.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Create account" }).click();
  await confirm(server, "ann@example.org", PASSWORD);
  await expect(page.getByRole("button", { name: /ann@example\.org/ })).toBeVisible();
}

async function newDashboard(page: Page, title: string): Promise<void> {
  await page.getByRole("button", { name: "New dashboard" }).first().click();
  const field = page.getByRole("textbox", { name: "Dashboard title" });
  await expect(field).toHaveValue("Untitled dashboard"); // what was shown before is shown until then
  await field.fill(title);
  await field.press("Enter");
  await expect(page.getByRole("link", { name: new RegExp(`^${title}`) })).toBeVisible();
}

/** Imports a file by dropping it on the dashboard. */
async function dropFile(page: Page, name: string, text: string): Promise<Locator> {
  const data = await page.evaluateHandle(
    ([n, t]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([t], n, { type: "text/csv" }));
      return transfer;
    },
    [name, text] as const,
  );
  for (const type of ["dragenter", "dragover", "drop"])
    await page.getByRole("main").dispatchEvent(type, { dataTransfer: data });
  return page.getByRole("dialog", { name: /^Import/ });
}

async function importCSV(page: Page): Promise<void> {
  const dialog = await dropFile(page, "visits.csv", csv);
  await expect(dialog.getByText("4 rows in 3 columns.")).toBeVisible();
  await dialog.getByRole("button", { name: /^Import|^Add/ }).click();
  await expect(page.getByRole("region", { name: "visits" })).toBeVisible();
}

/** Turns the public link on and returns both addresses, once the dialog says that they work. */
async function publish(page: Page): Promise<{ link: string; short: string }> {
  const dialog = await share(page);
  await dialog.getByRole("radio", { name: "Public link" }).click();
  await expect(dialog.getByText("Anyone with the link can view")).toBeVisible();
  await expect(dialog.getByText("Works now.")).toBeVisible();
  return await addresses(dialog);
}

async function share(page: Page): Promise<Locator> {
  const dialog = page.getByRole("dialog", { name: /^Share/ });
  if (!(await dialog.isVisible())) await page.getByRole("button", { name: "Share", exact: true }).click();
  await expect(dialog).toBeVisible();
  return dialog;
}

async function addresses(dialog: Locator): Promise<{ link: string; short: string }> {
  return {
    link: await dialog.getByRole("textbox", { name: "Link", exact: true }).inputValue(),
    short: await dialog.getByRole("textbox", { name: "Short link" }).inputValue(),
  };
}

async function rename(page: Page, title: string): Promise<void> {
  const field = page.getByRole("textbox", { name: "Dashboard title" });
  await field.fill(title);
  await field.press("Enter");
}

test("L1 L2 S1 A6: from a CSV file to a link that shows every change", async ({ owner, viewer, server }) => {
  const { page } = owner;
  await newDashboard(page, "Visits");
  await importCSV(page);
  await signUp(page, server.url);
  const { link, short } = await publish(page);
  expect(link).toMatch(new RegExp(`^${server.url}/share/shr_[0-9A-Za-z]{24}$`));
  expect(short).toMatch(new RegExp(`^${server.url}/s/[0-9A-Za-z]{10}$`));

  const dialog = await share(page);
  await dialog.getByRole("button", { name: "Copy short link" }).click();
  await expect.poll(async () => await page.evaluate(async () => await navigator.clipboard.readText())).toBe(short);
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await expect.poll(async () => await page.evaluate(async () => await navigator.clipboard.readText())).toBe(link);
  await page.keyboard.press("Escape");

  const watcher = await viewer();
  const requests: string[] = [];
  watcher.on("request", (r) => requests.push(new URL(r.url()).origin));
  await watcher.goto(short);
  await expect(watcher).toHaveURL(link);
  await expect(watcher.getByRole("heading", { level: 1, name: "Visits" })).toBeVisible();
  await expect(watcher.getByText("Live", { exact: true })).toBeVisible();
  expect([...new Set(requests)]).toEqual([server.url]);

  await rename(page, "Visits in March");
  await expect(watcher.getByRole("heading", { level: 1, name: "Visits in March" })).toBeVisible();

  await page.getByRole("button", { name: "Add widget" }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: "Text", exact: true })
    .or(page.getByRole("dialog").getByRole("button", { name: /Markdown/ }))
    .first()
    .click();
  await expect(watcher.locator("section.w")).toHaveCount(2);

  // The link stands for this dashboard alone, and carries nothing of the owner.
  expect(await watcher.content()).not.toContain("ann@example.org");
});

test("L3 V1 A5: a link that is turned off is gone for those who watch, and comes back the same", async ({
  owner,
  viewer,
  server,
}) => {
  const { page } = owner;
  await newDashboard(page, "Visits");
  await importCSV(page);
  await signUp(page, server.url);
  const { link, short } = await publish(page);
  const watcher = await viewer();
  await watcher.goto(link);
  await expect(watcher.getByText("Live", { exact: true })).toBeVisible();
  const dialog = await share(page);
  await expect(dialog.getByText("1 watching", { exact: false })).toBeVisible();

  await dialog.getByRole("radio", { name: "Private" }).click();
  await expect(watcher.getByRole("heading", { level: 1, name: "Visits" })).toBeHidden();
  await expect(dialog.getByText("1 viewer was cut off", { exact: false })).toBeVisible();
  const off = await watcher.goto(link);
  expect(off?.status()).toBe(404);
  const never = await watcher.goto(link.slice(0, -4) + "0000");
  expect(never?.status()).toBe(404);
  expect((await watcher.goto(short))?.status()).toBe(404);

  await dialog.getByRole("radio", { name: "Public link" }).click();
  await expect(dialog.getByText("Works now.")).toBeVisible();
  expect(await addresses(dialog)).toEqual({ link, short });
  await watcher.goto(link);
  await expect(watcher.getByRole("heading", { level: 1, name: "Visits" })).toBeVisible();
});

test("L4: a rotated link is dead for ever, also after restarts", async ({ owner, viewer, server }) => {
  const { page, app } = owner;
  await newDashboard(page, "Visits");
  await signUp(page, server.url);
  const old = await publish(page);
  const watcher = await viewer();
  await watcher.goto(old.link);
  await expect(watcher.getByText("Live", { exact: true })).toBeVisible();

  const dialog = await share(page);
  await dialog.getByRole("button", { name: "Rotate link" }).click();
  await dialog.getByRole("button", { name: "Stop old links" }).click();
  await expect(dialog.getByRole("textbox", { name: "Link", exact: true })).not.toHaveValue(old.link);
  await expect(dialog.getByText("Works now.")).toBeVisible();
  const fresh = await addresses(dialog);
  await expect(watcher.getByRole("heading", { level: 1, name: "Visits" })).toBeHidden();

  await server.stop("SIGKILL");
  await server.start();
  await app.stop("SIGKILL");
  await app.start();
  await owner.open();
  expect((await watcher.goto(old.link))?.status()).toBe(404);
  expect((await watcher.goto(old.short))?.status()).toBe(404);
  expect((await watcher.goto(fresh.link))?.status()).toBe(200);
});

test("Q1 Q2 L1: what is done offline waits in words, and arrives once", async ({ owner, viewer, server }) => {
  const { page, app } = owner;
  await newDashboard(page, "Visits");
  await signUp(page, server.url);
  const { link } = await publish(page);
  await page.keyboard.press("Escape");
  await server.stop("SIGKILL");

  await rename(page, "Written offline");
  await importCSV(page);
  const dialog = await share(page);
  await dialog.getByRole("radio", { name: "Private" }).click();
  await expect(dialog.getByText("Still public")).toBeVisible();
  await dialog.getByRole("radio", { name: "Public link" }).click();
  await expect(dialog.getByText("Anyone with the link can view")).toBeVisible();
  await page.keyboard.press("Escape");

  // The program is killed with everything waiting, and finds it again.
  await app.stop("SIGKILL");
  await app.start();
  await owner.open();
  await page.getByRole("link", { name: /^Written offline/ }).click();
  await expect(page.getByRole("region", { name: "visits" })).toBeVisible();

  await server.start();
  await expect(page.getByRole("button", { name: /^Synced/ })).toBeVisible({ timeout: 30_000 });
  const watcher = await viewer();
  await watcher.goto(link);
  await expect(watcher.getByRole("heading", { level: 1, name: "Written offline" })).toBeVisible();
  await expect(watcher.locator("section.w")).toHaveCount(1);
});

test("the whole dashboard is readable without script, and by everybody", async ({ owner, viewer, server }) => {
  const { page } = owner;
  await page.getByRole("link", { name: /^Service status/ }).click();
  await signUp(page, server.url);
  const { link } = await publish(page);

  const plain = await viewer({ javaScriptEnabled: false, width: 400 });
  await plain.goto(link);
  await expect(plain.getByRole("heading", { level: 1, name: "Service status" })).toBeVisible();
  await expect(plain.getByRole("cell", { name: "One of three nodes lost" })).toBeVisible();
  await expect(plain.getByRole("img", { name: /^Response time, last 24 hours, line chart/ })).toBeVisible();

  for (const colorScheme of ["light", "dark"] as const) {
    const v = await viewer({ colorScheme });
    await v.goto(link);
    await expect(v.getByText("Live", { exact: true })).toBeVisible();
    await expectAccessible(v, { recoloured: colorScheme === "dark" });
  }
});

test("B2: hostile titles, cells and Markdown stay text in the app and on the share page", async ({
  owner,
  viewer,
  server,
}) => {
  const { page } = owner;
  const hostile = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`;
  await newDashboard(page, "Visits");
  await rename(page, hostile);
  const dialog = await dropFile(
    page,
    "bad.csv",
    `name,"${hostile.replaceAll('"', '""')}"\n"${hostile.replaceAll('"', '""')}",=1+1\n`,
  );
  await dialog.getByRole("button", { name: /^Import|^Add/ }).click();
  await expect(dialog).toBeHidden();
  await signUp(page, server.url);
  const { link } = await publish(page);
  const watcher = await viewer();
  await watcher.goto(link);
  await expect(watcher.getByRole("heading", { level: 1, name: hostile })).toBeVisible();
  for (const p of [page, watcher]) {
    expect(await p.evaluate(() => "pwned" in window)).toBe(false);
    expect(await p.locator("img[src=x]").count()).toBe(0);
  }
});

test("Q1: a link reserved before there is an account works once its owner has signed up, from the same dialog", async ({
  owner,
  viewer,
  server,
}) => {
  const { page } = owner;
  await newDashboard(page, "Visits");
  const dialog = await share(page);
  await dialog.getByRole("radio", { name: "Public link" }).click();
  await expect(dialog.getByText("Not public yet")).toBeVisible();
  await dialog.getByRole("button", { name: "Create an account" }).click();
  const account = page.getByRole("dialog", { name: "Create your account" });
  await account.getByLabel("E-mail").fill("ann@example.org");
  await account.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
  await account.getByRole("button", { name: "Create account" }).click();
  await confirm(server.url, "ann@example.org", PASSWORD);
  await expect(dialog.getByText("Works now.")).toBeVisible();
  const watcher = await viewer();
  expect((await watcher.goto((await addresses(dialog)).link))?.status()).toBe(200);
});
