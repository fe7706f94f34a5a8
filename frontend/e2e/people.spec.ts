import AxeBuilder from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { Desk, note, PASSWORD } from "./desk";
import { expect, test, type Viewer } from "./fixtures";
import { confirm, mailed } from "./mail";
import type { Server } from "./programs";

const bob = "bob@example.org";
const carol = "carol@example.org";

/** Makes an account with nothing in it. */
async function account(server: Server, email: string): Promise<void> {
  const answer = await fetch(`${server.url}/api/v1/signup`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  expect(answer.status).toBe(202);
  await confirm(server.url, email, PASSWORD);
}

/** Logs a browser in by the form. */
async function logIn(page: Page, server: Server, email: string): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/app$/);
}

/** Opens an invitation in a browser of somebody's own, and accepts it with a password. */
async function accept(viewer: Viewer, link: string, name = ""): Promise<Page> {
  const page = await viewer();
  await page.goto(link);
  if (name) await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page).toHaveURL(/\/app\/d\/dsh_/);
  return page;
}

async function openPeople(page: Page): Promise<Locator> {
  await page.getByRole("button", { name: "Share", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: /share/i });
  await expect(dialog.getByRole("textbox", { name: "Invite by e-mail" })).toBeVisible();
  return dialog;
}

async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
}

test("I1 I2 I3 I4 I5 I6 V1: two are invited, one new and one with an account; one edits, one looks and is removed", async ({
  owner,
  server,
  viewer,
}) => {
  test.setTimeout(240_000);
  await account(server, bob);
  const desk = await Desk.open(owner.page, server.url, "Team figures");
  await desk.edit(note("Plan", "Seen by the invited."));
  await owner.page
    .getByRole("link", { name: /Team figures/ })
    .first()
    .click();

  // Both at once, pasted as a mail program writes them, with one that is none.
  const dialog = await openPeople(owner.page);
  const field = dialog.getByRole("textbox", { name: "Invite by e-mail" });
  await field.fill(`Bob <${bob}>, "Carol, C." <${carol}>; nobody`);
  await dialog.getByRole("combobox", { name: "They" }).selectOption("editor");
  await dialog.getByRole("button", { name: "Add a message" }).click();
  await dialog.getByLabel(/Message/).fill("Have a look\n<b>please</b>");
  await dialog.getByRole("button", { name: /^Invite/ }).click();
  await expect(field).toHaveValue(/nobody/); // stays to be mended
  for (const who of [bob, carol]) {
    const row = dialog.getByRole("listitem").filter({ hasText: who });
    await expect(row).toBeVisible();
    await expect(row).toContainText(/Sent/);
  }
  await clean(owner.page);

  // Bob has an account; somebody else's cannot use his link, and looking at it uses nothing up.
  const forBob = await mailed(server.url, bob, "/invite/");
  await account(server, "eve@example.org");
  const eve = await viewer();
  await logIn(eve, server, "eve@example.org");
  await eve.goto(forBob);
  await expect(eve.getByRole("heading", { name: "This invitation is for another address" })).toBeVisible();
  await expect(eve.getByText("eve@example.org").first()).toBeVisible();
  await expect(eve.getByText("Have a look")).toBeVisible();
  expect(await eve.content()).not.toContain("<b>please");
  await clean(eve);
  const bobs = await accept(viewer, forBob);
  await expect(bobs.getByText("Seen by the invited.")).toBeVisible();
  await expect(bobs.getByRole("textbox", { name: "Dashboard title" })).toBeVisible();
  await eve.goto(forBob);
  await expect(eve.getByRole("heading", { name: "This invitation was used already" })).toBeVisible();

  // Carol is new: the invitation itself makes the account.
  const carols = await accept(viewer, await mailed(server.url, carol, "/invite/"), "Carol");
  await expect(carols.getByText("Seen by the invited.")).toBeVisible();

  // The owner sees both, and what the editor does.
  await expect(dialog.getByRole("combobox", { name: "What Carol may do" })).toHaveValue("editor");
  await expect(dialog.getByRole("listitem").filter({ hasText: bob })).not.toContainText(/Sent/);
  const title = bobs.getByRole("textbox", { name: "Dashboard title" });
  await title.fill("Bob was here");
  await title.press("Enter");
  await expect.poll(async () => (await desk.view()).title).toBe("Bob was here");

  // A lower role acts on the open page at once, and no way in lets a viewer write.
  await dialog.getByRole("combobox", { name: "What Carol may do" }).selectOption("viewer");
  await expect(carols.getByRole("button", { name: "View only" })).toBeVisible();
  await expect(carols.getByRole("textbox", { name: "Dashboard title" })).toHaveCount(0);
  const refused = await carols.evaluate(async (id) => {
    const body = JSON.stringify({ label: "x", edits: [{ do: "board", field: "title", value: "Carol's" }] });
    const out: number[] = [];
    for (const path of [`boards/${id}/edits`, `boards/${id}/trash`, `boards/${id}/undo`]) {
      out.push(
        (await fetch(`/app/api/${path}`, { method: "POST", body: path.endsWith("edits") ? body : "{}" })).status,
      );
    }
    const shared = { method: "POST", body: JSON.stringify({ action: "enable" }) };
    out.push((await fetch(`/app/api/boards/${id}/share`, shared)).status);
    return out;
  }, desk.id);
  expect(refused.every((s) => s >= 400)).toBe(true);
  const session = (await (
    await fetch(`${server.url}/api/v1/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email: carol, password: PASSWORD }),
    })
  ).json()) as { token: string };
  for (const [method, path, body] of [
    ["POST", "trash", "{}"],
    ["POST", "link", '{"action":"enable"}'],
    ["POST", "invitations", '{"addresses":["x@example.org"],"role":"editor"}'],
  ] as const) {
    const answer = await fetch(`${server.url}/api/v1/boards/${desk.id}/${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${session.token}` },
      body,
    });
    expect(answer.status, path).toBe(403);
  }
  expect((await desk.view()).title).toBe("Bob was here");

  // Removal while both look: she loses it at once, he does not notice.
  await dialog.getByRole("button", { name: "Remove Carol" }).click();
  await expect(carols.getByRole("heading", { name: "This dashboard cannot be shown" })).toBeVisible();
  await expect(carols.getByText("Seen by the invited.")).toHaveCount(0);
  await carols.reload();
  await expect(carols.getByText("Seen by the invited.")).toHaveCount(0);
  await expect(bobs.getByText("Seen by the invited.")).toBeVisible();
  await title.fill("Still here");
  await title.press("Enter");
  await expect.poll(async () => (await desk.view()).title).toBe("Still here");

  // Who looks is seen in the header, by name.
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(owner.page.getByRole("button", { name: /bob/i })).toBeVisible();
});

test("I5: an invitation is taken back before and after its mail, and a new mail voids the old link", async ({
  owner,
  server,
  viewer,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Plans");
  await desk.invite(`${bob} ${carol}`, "viewer");
  await owner.page.getByRole("link", { name: /Plans/ }).first().click();
  const dialog = await openPeople(owner.page);
  const first = await mailed(server.url, bob, "/invite/");
  await dialog.getByRole("button", { name: `Resend to ${bob}` }).click();
  await expect.poll(async () => await mailed(server.url, bob, "/invite/")).not.toBe(first);
  const page = await viewer();
  await page.goto(first);
  await expect(page.getByRole("heading", { name: "There is a newer invitation" })).toBeVisible();
  const second = await mailed(server.url, bob, "/invite/");
  await page.goto(second);
  await expect(page.getByRole("heading", { name: /invites you to Plans/ })).toBeVisible();
  await dialog.getByRole("button", { name: `Withdraw the invitation of ${bob}` }).click();
  await expect(dialog.getByRole("listitem").filter({ hasText: bob })).toHaveCount(0);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Accept" }).click();
  await expect(page.getByRole("heading", { name: "This invitation was taken back" })).toBeVisible();
  await page.goto(`${server.url}/invite/ivt_${"0".repeat(24)}`);
  await expect(page.getByRole("heading", { name: "This invitation does not work" })).toBeVisible();

  // Offline it waits, plainly marked, and goes out once the server is back.
  await server.stop();
  await dialog.getByRole("textbox", { name: "Invite by e-mail" }).fill("dan@example.org");
  await dialog.getByRole("button", { name: /^Invite/ }).click();
  const row = dialog.getByRole("listitem").filter({ hasText: "dan@example.org" });
  await expect(row).toContainText(/wait/i);
  await server.start();
  await expect(row).toContainText(/Sent/);
  await mailed(server.url, "dan@example.org", "/invite/");
});
