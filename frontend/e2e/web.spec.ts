import type { Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { note, PASSWORD as password } from "./desk";
import { expect, test } from "./fixtures";
import { mailed } from "./mail";
import type { Server } from "./programs";

/** Makes an account in a browser, by the pages and the mail that there are for it; ends where that leads to. */
async function signUp(page: Page, server: Server, email: string): Promise<void> {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();
  await page.goto(await mailed(server.url, email, "/confirm/"));
  await page.getByRole("button", { name: "Yes, this is my address" }).click();
}

/** Asks the workspace's API, as the screens do. */
async function post(page: Page, path: string, body: unknown): Promise<unknown> {
  return await page.evaluate(
    async ([p, b]) => {
      const r = await fetch(`/app/api/${p}`, { method: "POST", body: JSON.stringify(b) });
      if (!r.ok) throw new Error(await r.text());
      return (await r.json()) as unknown;
    },
    [path, body] as const,
  );
}

/** Looks at a page in both themes, and keeps a picture of each. */
async function look(page: Page, name: string): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await expectAccessible(page, { what: `${name}, ${theme}`, recoloured: theme === "dark" });
    await page.screenshot({ path: `../build/test-results/web/${name}-${theme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

test("A2 I4 V1 the workspace in a browser: one makes a dashboard, another views, edits and loses it", async ({
  server,
  viewer,
}) => {
  test.setTimeout(300_000);
  const ann = await viewer({ width: 1440 });

  // Whoever is not signed in comes to the workspace by way of signing up.
  await ann.goto(`${server.url}/app`);
  await expect(ann).toHaveURL(/\/login\?next=/);
  await ann.getByRole("link", { name: "Sign up" }).click();
  await signUp(ann, server, "ann@example.org");
  await expect(ann).toHaveURL(`${server.url}/app`);
  await expect(ann.getByRole("navigation", { name: "Dashboards" })).toBeVisible();
  await look(ann, "empty");

  await ann.getByRole("button", { name: "New dashboard" }).first().click();
  const title = ann.getByRole("textbox", { name: "Dashboard title" });
  await title.fill("Shop");
  await title.press("Enter");
  await expect(ann).toHaveTitle("Shop · widgets.pro");
  const url = ann.url();
  const id = /\/app\/d\/(dsh_\w+)$/.exec(url)?.[1] ?? "";
  expect(id).not.toBe("");
  await post(ann, `boards/${id}/edits`, {
    label: "Add",
    edits: [
      note("About", "Taken **every hour**.", { x: 0, y: 0, w: 4, h: 4 }),
      {
        do: "add",
        kind: "bar",
        title: "Orders",
        layout: { x: 4, y: 0, w: 8, h: 5 },
        columns: [
          { name: "Day", type: "text" },
          { name: "Orders", type: "number" },
        ],
        rows: [
          ["Mon", 12],
          ["Tue", 18],
          ["Wed", 9],
        ],
      },
    ],
  });
  await expect(ann.getByText("every hour")).toBeVisible();
  await look(ann, "board");

  // Invited by mail, Bob has it at once, and only looks at it.
  await post(ann, `boards/${id}/invite`, { addresses: "Bob <bob@example.org>", role: "viewer", message: "" });
  const bob = await viewer({ width: 390 });
  await bob.goto(await mailed(server.url, "bob@example.org", "/invite/"));
  await bob.getByLabel("Password").fill(password);
  await bob.getByRole("button", { name: "Accept" }).click();
  await expect(bob).toHaveURL(url);
  await expect(bob.getByRole("heading", { name: "Shop" })).toBeVisible();
  await expect(bob.getByRole("button", { name: "View only" })).toBeVisible();
  await expect(bob.getByRole("textbox", { name: "Dashboard title" })).toHaveCount(0);
  await look(bob, "viewer-phone");

  await title.fill("Corner shop");
  await title.press("Enter");
  await expect(bob.getByRole("heading", { name: "Corner shop" })).toBeVisible();
  await expect(
    post(bob, `boards/${id}/edits`, { label: "x", edits: [{ do: "board", field: "title", value: "His" }] }),
  ).rejects.toThrow(/only view/);

  // As an editor he changes it in the page that is open, and she sees it.
  const { share } = (await ann.evaluate(
    async (p) => (await (await fetch(p)).json()) as unknown,
    `/app/api/boards/${id}`,
  )) as { share: { people: { account: string; email: string }[] } };
  const account = share.people.find((p) => p.email === "bob@example.org")?.account ?? "";
  await post(ann, `boards/${id}/share`, { action: "role", account, role: "editor" });
  const his = bob.getByRole("textbox", { name: "Dashboard title" });
  await expect(his).toBeVisible();
  await his.fill("Bob's shop");
  await his.press("Enter");
  await expect(title).toHaveValue("Bob's shop");
  await expect(ann.getByRole("link", { name: "Bob's shop" })).toBeVisible(); // in the list, too
  await expect(ann.getByRole("button", { name: /other here: bob/i })).toBeVisible();
  await bob.keyboard.press("Control+z");
  await expect(title).toHaveValue("Corner shop");

  // What is taken away goes from the open page.
  await post(ann, `boards/${id}/share`, { action: "role", account, role: "" });
  await expect(bob.getByRole("heading", { name: "This dashboard cannot be shown" })).toBeVisible();
  await expect(bob.getByText("every hour")).toHaveCount(0);
  await expect(bob.getByRole("textbox", { name: "Dashboard title" })).toHaveCount(0);
  await expect(bob.getByRole("button", { name: "Share" })).toHaveCount(0);
  await expect(bob).toHaveTitle("widgets.pro");
  await look(bob, "denied-phone");
});

test("the workspace in a browser: addresses, going back, another theme, a server that is away, logging out", async ({
  server,
  viewer,
}) => {
  test.setTimeout(240_000);
  const ann = await viewer({ width: 1440 });
  await ann.goto(`${server.url}/signup`);
  await signUp(ann, server, "ann@example.org");
  await expect(ann.getByRole("navigation", { name: "Dashboards" })).toBeVisible();
  const made = async (title: string): Promise<string> => ((await post(ann, "boards", { title })) as { id: string }).id;
  const first = await made("First");
  const second = await made("Second");
  const list = ann.getByRole("navigation", { name: "Dashboards" });
  await ann.goto(`${server.url}/app/d/${first}`);
  await expect(ann).toHaveTitle("First · widgets.pro");
  await list.getByRole("link", { name: /^Second/ }).click();
  await expect(ann).toHaveURL(`${server.url}/app/d/${second}`);
  await expect(ann).toHaveTitle("Second · widgets.pro");
  await ann.goBack();
  await expect(ann).toHaveTitle("First · widgets.pro");
  await ann.goForward();
  await expect(ann).toHaveTitle("Second · widgets.pro");
  await ann.reload();
  await expect(ann).toHaveTitle("Second · widgets.pro");
  await list.getByRole("link", { name: /^Trash/ }).click();
  await expect(ann).toHaveURL(`${server.url}/app/trash`);
  await ann.goBack();

  // The theme is the browser's, and there before anything is drawn.
  await ann.getByRole("button", { name: /theme/i }).click();
  await ann.getByRole("menuitemradio", { name: "Dark" }).first().click();
  await expect(ann.locator("html")).toHaveAttribute("data-theme", "dark");
  await ann.reload();
  await expect(ann.locator("html")).toHaveAttribute("data-theme", "dark");

  await server.stop("SIGKILL");
  await expect(ann.getByRole("alert").filter({ hasText: "The server cannot be reached." })).toBeVisible();
  await server.start();
  await expect(ann.getByRole("alert").filter({ hasText: "The server cannot be reached." })).toHaveCount(0);
  await expect(ann).toHaveTitle("Second · widgets.pro");

  // A page that is open learns that the session has ended, and comes back to where it was.
  const other = await ann.context().newPage();
  await other.goto(`${server.url}/app`);
  await other.getByRole("button", { name: /ann@example.org/ }).click();
  await other.getByRole("menuitem", { name: "Log out" }).click();
  await expect(other).toHaveURL(`${server.url}/`);
  await expect(ann).toHaveURL(`${server.url}/login?next=${encodeURIComponent(`/app/d/${second}`)}`);
  await ann.getByLabel("E-mail address").fill("ann@example.org");
  await ann.getByLabel("Password").fill(password);
  await ann.getByRole("button", { name: "Log in" }).click();
  await expect(ann).toHaveTitle("Second · widgets.pro");
});
