import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { Desk, note, PASSWORD } from "./desk";
import { expect, test, type Viewer } from "./fixtures";
import { confirm, mailed } from "./mail";
import { App, type Server } from "./programs";

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

/** What somebody without leave might want to change. */
async function settings(desk: Desk): Promise<object> {
  const { title, widgets, share } = await desk.view();
  const { people, invitations, editorsShare, inForce } = share;
  const roles = people.map((p) => [p.email, p.role]);
  return { title, widgets, roles, invitations, editorsShare, mode: inForce.mode };
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
  await expectAccessible(owner.page);

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
  await expectAccessible(eve);
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

  // A lower role acts on the open page at once.
  await dialog.getByRole("combobox", { name: "What Carol may do" }).selectOption("viewer");
  await expect(carols.getByRole("button", { name: "View only" })).toBeVisible();
  await expect(carols.getByRole("textbox", { name: "Dashboard title" })).toHaveCount(0);
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
  await dialog.getByRole("button", { name: `Send again to ${bob}` }).click();
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
  await expect(page.getByRole("heading", { name: "This invitation was withdrawn" })).toBeVisible();
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

test("I6 A5: a viewer changes nothing by any route: in the browser, by the API, in the desktop program", async ({
  owner,
  server,
  browser,
  viewer,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Only to look at");
  await desk.edit(note("Plan", "Seen by the invited."));
  const widget = (await desk.view()).widgets[0]?.id ?? "";
  await desk.invite(carol, "viewer");
  const web = await accept(viewer, await mailed(server.url, carol, "/invite/"), "Carol");
  await expect(web.getByText("Seen by the invited.")).toBeVisible();
  await expect(web.getByRole("textbox", { name: "Dashboard title" })).toHaveCount(0);
  const before = JSON.stringify(await settings(desk));

  const edits = { label: "x", edits: [{ do: "board", field: "title", value: "Carol's" }] };
  const asked: readonly (readonly [string, string, unknown])[] = [
    ["POST", "edits", edits],
    ["POST", "undo", {}],
    ["POST", "redo", {}],
    ["POST", "trash", {}],
    ["POST", "restore", {}],
    ["DELETE", "", {}],
    ["POST", "share", { action: "enable" }],
    ["POST", "share", { action: "editors_share", allow: true }],
    ["POST", "invite", { addresses: "x@example.org", role: "viewer", message: "" }],
  ];
  for (const [method, path, body] of asked) {
    const status = await web.evaluate(async ([m, p, b]) => (await fetch(p, { method: m, body: b })).status, [
      method,
      `/app/api/boards/${desk.id}${path && `/${path}`}`,
      JSON.stringify(body),
    ] as const);
    expect(status, `${method} ${path} in the browser`).toBeGreaterThanOrEqual(400);
    expect(status, `${method} ${path} in the browser`).toBeLessThan(500);
  }

  const login = await fetch(`${server.url}/api/v1/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: carol, password: PASSWORD }),
  });
  const session = (await login.json()) as { token: string; account: string };
  const called: readonly (readonly [string, string, unknown])[] = [
    ["POST", "/trash", {}],
    ["POST", "/link", { action: "enable" }],
    ["POST", "/invitations", { addresses: ["x@example.org"], role: "editor" }],
    ["PATCH", "/people", { editorsShare: true }],
    ["PUT", `/members/${session.account}`, { role: "editor" }],
    ["POST", `/widgets/${widget}/rows`, { rows: [["x", 1]] }],
    ["PUT", `/widgets/${widget}/rows`, { columns: [{ name: "a", type: "text" }], rows: [["x"]] }],
    ["GET", "/people", undefined],
  ];
  for (const [method, path, body] of called) {
    const answer = await fetch(`${server.url}/api/v1/boards/${desk.id}${path}`, {
      method,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${session.token}` },
      body: JSON.stringify(body),
    });
    expect(answer.status, `${method} ${path} by the API`).toBe(403);
  }

  const app = await App.start(server.url);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(app.url);
    await Desk.logIn(page, server.url, carol);
    const hers = await Desk.find(page, "Only to look at");
    await expect(hers.edit(...edits.edits)).rejects.toThrow(/view/i);
    await expect(hers.share({ action: "enable" })).rejects.toThrow();
    await expect(hers.invite("x@example.org")).rejects.toThrow();
    expect((await hers.view()).title).toBe("Only to look at");
  } finally {
    await context.close();
    await app.close();
  }
  expect(JSON.stringify(await settings(desk))).toBe(before);
  await expect(web.getByText("Seen by the invited.")).toBeVisible();
});

test("I2 I5: an invitation that is eight days old lets nobody in, says so on both sides, and is sent again", async ({
  owner,
  server,
  viewer,
}) => {
  test.setTimeout(240_000);
  await account(server, carol);
  const desk = await Desk.open(owner.page, server.url, "Secret plans");
  await desk.edit(note("Plan", "Seen by the invited."));
  await desk.invite(bob, "editor", "For your eyes only");
  const old = await mailed(server.url, bob, "/invite/");
  await owner.page
    .getByRole("link", { name: /Secret plans/ })
    .first()
    .click();
  const dialog = await openPeople(owner.page);
  const row = dialog.getByRole("listitem").filter({ hasText: bob });
  await expect(row).toContainText(/Sent/);
  const slow = await viewer();
  await slow.goto(old);
  await slow.getByLabel("Your name").fill("Bob");
  await slow.getByLabel("Password").fill(PASSWORD);

  await server.stop();
  await server.start(8);

  // Both who has had the page open for eight days and who opens the link now are told what to do, and nothing more.
  const late = await viewer({ colorScheme: "dark", width: 390 });
  await late.goto(old);
  await slow.getByRole("button", { name: "Accept" }).click();
  for (const page of [late, slow]) {
    await expect(page.getByRole("heading", { name: "This invitation has expired" })).toBeVisible();
    await expect(page.getByText(/An invitation works for seven days/)).toBeVisible();
    await expect(page.getByText(/Ask ann@?.* to send it again/)).toBeVisible();
    await expect(page.getByRole("button")).toHaveCount(0);
    const html = await page.content();
    for (const hidden of ["Secret plans", "For your eyes", "editor", desk.id]) expect(html).not.toContain(hidden);
    await expectAccessible(page);
  }

  // No account was made, and none that there is by now gets in: not by the link, not by the list of what waits.
  const login = (): Promise<Response> =>
    fetch(`${server.url}/api/v1/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email: bob, password: PASSWORD }),
    });
  expect((await login()).status).toBe(401);
  expect((await fetch(old, { method: "POST", body: new URLSearchParams({ password: PASSWORD }) })).status).toBe(410);
  expect((await login()).status).toBe(401);
  await account(server, bob);
  await logIn(late, server, bob);
  await late.goto(server.url);
  await expect(late).toHaveURL(/\/app$/); // no invitation waits
  const tried = await late.evaluate(async (link) => {
    const sent = await fetch(link, { method: "POST", body: new URLSearchParams() });
    return { status: sent.status, text: await sent.text() };
  }, old);
  expect(tried.status).toBe(410);
  expect(tried.text).toContain("has expired");
  expect(await late.evaluate(async (id) => (await fetch(`/app/api/boards/${id}`)).status, desk.id)).toBe(404);
  await logIn(slow, server, carol);
  await slow.goto(old);
  await expect(slow.getByRole("heading", { name: "This invitation has expired" })).toBeVisible();

  // The owner's program, by whose clock it is still good, has it from the server that it is not; and one press sends it anew.
  await expect(row).toContainText(/Expired on .* Send it again for a new link/);
  await dialog.getByRole("button", { name: `Send again to ${bob}` }).click();
  await expect(row).toContainText(/Sent/);
  const renewed = await mailed(server.url, bob, "/invite/");
  expect(renewed).not.toBe(old);
  await late.goto(old);
  await expect(late.getByRole("heading", { name: "There is a newer invitation" })).toBeVisible();
  await late.goto(renewed);
  await expect(late.getByRole("heading", { name: /invites you to Secret plans/ })).toBeVisible();
  await late.getByRole("button", { name: "Accept" }).click();
  await expect(late.getByText("Seen by the invited.")).toBeVisible();
  await expect(dialog.getByRole("combobox", { name: /What bob.* may do/ })).toHaveValue("editor");
});
