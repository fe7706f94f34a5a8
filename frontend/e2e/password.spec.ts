import { chromium } from "@playwright/test";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectAccessible } from "./axe";
import { Desk, note } from "./desk";
import { expect, test } from "./fixtures";
import { App, Server, freePort } from "./programs";
import { Front, Site } from "./sites";

const secret = "swordfish-in-the-hall";

test("P1 P3 P4: the password is asked for before anything is shown, lasts, and ends with its change", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Service status", true);
  const { url, shortUrl } = await desk.share({ action: "enable", password: secret });
  expect((await desk.link()).mode).toBe("password");

  const page = await viewer();
  const frames: string[] = [];
  page.on("websocket", (ws) => ws.on("framereceived", (f) => frames.push(String(f.payload))));
  const answer = await page.goto(shortUrl);
  expect(answer?.status()).toBe(401);
  await expect(page.getByRole("heading", { name: "This dashboard is protected" })).toBeVisible();
  await expectAccessible(page);
  for (const told of [await page.content(), ...frames])
    expect(told).not.toMatch(/Service status|Response time|wgt_|dsh_|ann@example/);

  await page.getByLabel("Password").fill("not the right one");
  await page.getByRole("button", { name: "Open dashboard" }).click();
  await expect(page.getByRole("alert")).toContainText(/not the password/i);
  await page.getByLabel("Password").fill(secret);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Service status" })).toBeVisible();
  await expect(page.getByText(/^Live/)).toBeVisible();
  await desk.edit({ do: "board", field: "title", value: "Seen by who knows" });
  await expect(page.getByRole("heading", { level: 1, name: "Seen by who knows" })).toBeVisible();

  // The session lasts, also over a restart of the server, and is nobody else's.
  expect((await page.goto(url))?.status()).toBe(200);
  await server.stop("SIGKILL");
  await server.start();
  await expect.poll(async () => (await page.goto(url))?.status(), { message: "after a restart" }).toBe(200);
  const other = await viewer();
  expect((await other.goto(url))?.status()).toBe(401);

  // Another password: who is in is out, at once, and is asked again.
  await expect(page.getByText(/^Live/)).toBeVisible();
  await desk.share({ action: "password", password: "another-one" });
  await expect(page.getByRole("heading", { name: "This dashboard is protected" })).toBeVisible();
  expect(await page.content()).not.toContain("Seen by who knows");
  await page.getByLabel("Password").fill(secret);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText(/not the password/i);
  await page.getByLabel("Password").fill("another-one");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Seen by who knows" })).toBeVisible();

  // No password: it is public, and who was in stays.
  await desk.share({ action: "no_password" });
  await expect(page.getByRole("heading", { level: 1, name: "Seen by who knows" })).toBeVisible();
  await expect(page.getByText(/^Live/)).toBeVisible();
  expect((await other.goto(url))?.status()).toBe(200);
});

test("P2: no plaintext anywhere: not in the app's folder, on the server, or in a log", async ({ owner, server }) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  await desk.share({ action: "enable", password: secret });
  await owner.app.stop();
  await server.stop();
  for (const dir of [owner.app.dir, server.dir])
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const bytes = await readFile(join(entry.parentPath, entry.name));
        expect(bytes.includes(secret), entry.name).toBe(false);
      }
  expect(server.log + owner.app.log).not.toContain(secret);
  expect(server.log).not.toMatch(/shr_[0-9A-Za-z]{24}/);
});

test("P3 P5: without script the form works the same, and says when it is too often", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  const { url } = await desk.share({ action: "enable", password: secret });
  const page = await viewer({ javaScriptEnabled: false });
  const tries = async (password: string): Promise<number | undefined> => {
    await page.getByLabel("Password").fill(password);
    const [answer] = await Promise.all([
      page.waitForResponse((r) => r.request().method() === "POST"),
      page.getByRole("button", { name: "Open dashboard" }).click(),
    ]);
    return answer.status();
  };
  await page.goto(`${url}?theme=dark`);
  for (let i = 0; i < 4; i++) expect(await tries("wrong one")).toBe(401);
  await expect(page.getByRole("alert")).toContainText(/not the password/i);
  expect(await tries(secret)).toBe(303);
  await expect(page.getByRole("heading", { level: 1, name: "Figures" })).toBeVisible();
  expect(page.url()).toBe(`${url}?theme=dark`);

  const worse = await viewer({ javaScriptEnabled: false });
  await worse.goto(url);
  for (let i = 0; i < 6; i++) {
    await worse.getByLabel("Password").fill("wrong one");
    await worse.getByRole("button", { name: "Open dashboard" }).click();
  }
  await expect(worse.getByRole("alert")).toContainText(/minute|second/);
});

for (const secure of [false, true])
  test(`P3: it opens inside a cross-site frame with third-party cookies blocked, over ${secure ? "https" : "http"}`, async ({}) => {
    const port = await freePort();
    const front = secure ? await Front.start(port) : undefined;
    const server = await Server.start(port, front?.url);
    const site = await Site.start(secure);
    const app = await App.start(server.url);
    const profile = await mkdtemp(join(tmpdir(), "widgets-viewer-"));
    await mkdir(join(profile, "Default"), { recursive: true });
    await writeFile(join(profile, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 1 } }));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
      ignoreHTTPSErrors: true,
    });
    try {
      const own = await context.newPage();
      await own.goto(app.url);
      const desk = await Desk.open(own, server.url, "Service status", true);
      const { url } = await desk.share({ action: "enable", password: secret });
      expect(new URL(url).protocol).toBe(secure ? "https:" : "http:");

      const page = await context.newPage();
      site.show(`<iframe title="Figures" src="${url}?embed=true" width="100%" height="600"></iframe>`);
      await page.goto(site.origin);
      const f = page.frameLocator("iframe");
      await f.getByLabel("Password").fill(secret);
      await f.getByRole("button", { name: "Open dashboard" }).click();
      await expect(f.locator("section.w").first()).toBeVisible();
      await desk.edit(note("News", "n"));
      await expect(f.getByRole("heading", { level: 2, name: "News" })).toBeVisible();
      // It is still open when the page around it is loaded again.
      await page.reload();
      if (!secure) {
        // Without TLS a browser that blocks third parties keeps nothing at all for the frame, so it asks again.
        await f.getByLabel("Password").fill(secret);
        await f.getByRole("button", { name: "Open dashboard" }).click();
      }
      await expect(f.locator("section.w").first()).toBeVisible();
      // And shut when the owner says so.
      await desk.share({ action: "password", password: "another-one" });
      await expect(f.getByLabel("Password")).toBeVisible();
      await expect(f.locator("section.w")).toHaveCount(0);
    } finally {
      await context.close();
      await app.close();
      await server.close();
      await site.close();
      await front?.close();
      await rm(profile, { recursive: true, force: true });
    }
  });

test("L5: a link ends by itself for those who watch, and another end revives the same address", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  const { url } = await desk.share({ action: "enable" }, { action: "expiry", expires: Date.now() + 5_000 });
  const page = await viewer();
  await page.goto(url);
  await expect(page.getByText(/^Live/)).toBeVisible();
  await expect(page.getByRole("heading", { name: /does not work/ })).toBeVisible();
  expect((await page.goto(url))?.status()).toBe(404);
  await expect.poll(async () => (await desk.link()).expired).toBe(true);
  const again = await desk.share({ action: "expiry", expires: Date.now() + 3_600_000 });
  expect(again.url).toBe(url);
  expect((await page.goto(url))?.status()).toBe(200);
});

test("S2 S1: a chosen name leads to the dashboard, is nobody else's, and goes with the link", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  const { slugUrl, shortUrl } = await desk.share({ action: "enable" }, { action: "slug", slug: "team-status" });
  expect(slugUrl).toBe(`${server.url}/s/team-status`);
  const page = await viewer();
  expect((await page.goto(slugUrl))?.status()).toBe(200);
  await desk.share({ action: "rotate" });
  expect((await page.goto(slugUrl))?.status()).toBe(404);
  expect((await page.goto(shortUrl))?.status()).toBe(404);
});

test("L6 L7: previews are there for open links alone, and the owner sees how often it was opened", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Service status", true);
  const { url } = await desk.share({ action: "enable" });
  const page = await viewer();
  await page.goto(url);
  await expect(page.getByText(/^Live/)).toBeVisible();
  await expect.poll(async () => (await desk.view()).share.views?.days.at(-1)).toBe(1);
  const image = await page.locator('meta[property="og:image"]').getAttribute("content");
  const picture = await page.request.get(image ?? "");
  expect(picture.headers()["content-type"]).toBe("image/png");
  const oembed = await page.locator('link[type="application/json+oembed"]').getAttribute("href");
  const rich = (await (await page.request.get(oembed ?? "")).json()) as { type: string; html: string; title: string };
  expect(rich.type).toBe("rich");
  expect(rich.html).toContain("<iframe");
  await page.reload();
  await expect(page.getByText(/^Live/)).toBeVisible();
  await expect.poll(async () => (await desk.view()).share.views?.days.at(-1)).toBe(2);

  await desk.share({ action: "password", password: secret });
  expect((await page.request.get(image ?? "")).status()).toBe(404);
  expect((await page.request.get(oembed ?? "")).status()).toBe(404);
});
