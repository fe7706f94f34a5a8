import { expect, test } from "./fixtures";

test("arranging: a widget moves by pointer and by keyboard, and undo brings it back, also after a restart", async ({
  owner,
}) => {
  const { page, app } = owner;
  await page.getByRole("link", { name: /^Household energy/ }).click();
  const handle = page.locator("section.w button[aria-label]").first();
  await expect(handle).toBeVisible();
  const name = (await handle.getAttribute("aria-label")) ?? "";
  const card = page.locator("section.w", { has: page.getByRole("button", { name, exact: true }) });
  const before = await card.boundingBox();
  expect(before).not.toBeNull();
  if (!before) return;

  await page.getByRole("button", { name, exact: true }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect.poll(async () => (await card.boundingBox())?.y).not.toBe(before.y);
  await expect(page.getByRole("button", { name: "Undo", exact: true })).toBeEnabled();
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect.poll(async () => (await card.boundingBox())?.y).toBe(before.y);

  const box = await page.getByRole("button", { name, exact: true }).boundingBox();
  if (!box) throw new Error("the handle is not there");
  await page.mouse.move(box.x + 30, box.y + 12);
  await page.mouse.down();
  await page.mouse.move(box.x + 60, box.y + 300, { steps: 8 });
  await page.mouse.up();
  await expect.poll(async () => (await card.boundingBox())?.y).not.toBe(before.y);
  const moved = await card.boundingBox();
  // What the screen shows as done is on disk: kill the program at once.
  await expect(page.getByRole("button", { name: "Undo", exact: true })).toBeEnabled();
  await app.stop("SIGKILL");
  await app.start();
  await owner.open();
  await page.getByRole("link", { name: /^Household energy/ }).click();
  await expect.poll(async () => (await card.boundingBox())?.y).toBe(moved?.y);
});

test("B1: files that cannot be read say why, and change nothing", async ({ owner }) => {
  const { page } = owner;
  await page.getByRole("link", { name: /^Household energy/ }).click();
  await expect(page.locator("section.w").first()).toBeVisible();
  const count = await page.locator("section.w").count();
  for (const [name, text] of [
    ["broken.json", '[{"a":1'],
    ["empty.csv", ""],
  ] as const) {
    const data = await page.evaluateHandle(
      ([n, t]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([t], n));
        return transfer;
      },
      [name, text] as const,
    );
    for (const type of ["dragenter", "dragover", "drop"])
      await page.getByRole("main").dispatchEvent(type, { dataTransfer: data });
    const dialog = page.getByRole("dialog", { name: /^Import/ });
    await expect(dialog.getByRole("alert")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
  }
  expect(await page.locator("section.w").count()).toBe(count);
});

test("B1: a wrong password and a server that is none are explained", async ({ owner }) => {
  const { page, app } = owner;
  await page.getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog", { name: "Log in" });
  await dialog.getByLabel("E-mail").fill("nobody@example.org");
  await dialog.getByRole("textbox", { name: "Password" }).fill("not the right one");
  await dialog.getByRole("button", { name: "Log in" }).click();
  await expect(
    dialog
      .getByText(/password/i)
      .filter({ hasText: /wrong|not right|do not|does not|match/i })
      .first(),
  ).toBeVisible();

  await dialog.getByText("Advanced").click();
  await dialog.getByLabel(/server/i).fill(new URL(app.url).origin);
  await dialog.getByRole("button", { name: "Log in" }).click();
  await expect(
    dialog.getByText(/not a widgets\.pro server|no widgets\.pro server|does not answer/i).first(),
  ).toBeVisible();
});

test("loopback: without the key there is nothing to see, and the key works once", async ({ owner, viewer }) => {
  const stranger = await viewer();
  const origin = new URL(owner.app.url).origin;
  expect((await stranger.goto(origin))?.status()).toBeGreaterThanOrEqual(400);
  expect((await stranger.goto(owner.app.url))?.status()).toBeGreaterThanOrEqual(400);
  expect((await stranger.request.get(`${origin}/api/state`)).status()).toBeGreaterThanOrEqual(400);
});
