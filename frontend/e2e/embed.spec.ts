import type { FrameLocator, Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { Desk, note } from "./desk";
import { expect, test as base } from "./fixtures";
import { Site } from "./sites";

/** Somebody else's site beside the programs. */
const test = base.extend<{ site: Site }>({
  site: async ({}, use) => {
    const site = await Site.start();
    await use(site);
    await site.close();
  },
});

function frame(src: string, attributes = 'width="100%" height="600"'): string {
  return `<iframe title="Figures" src="${src.replaceAll("&", "&amp;")}" ${attributes}></iframe>`;
}

async function embedded(page: Page, site: Site, src: string, attributes?: string, script = ""): Promise<FrameLocator> {
  site.show(frame(src, attributes) + script);
  await page.goto(site.origin);
  return page.frameLocator("iframe");
}

async function scheme(f: FrameLocator): Promise<string> {
  return await f.locator("html").evaluate((e) => getComputedStyle(e).colorScheme);
}

test("E1 E4: embed=true shows the dashboard alone, on full and short links, and follows every edit", async ({
  owner,
  viewer,
  server,
  site,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Service status", true);
  const { url, shortUrl } = await desk.share({ action: "enable" });
  const page = await viewer();
  for (const address of [url, shortUrl]) {
    const f = await embedded(page, site, `${address}?embed=true&theme=dark&interactive=false`);
    await expect(f.getByRole("heading", { level: 2, name: "Response time, last 24 hours" })).toBeVisible();
    await expect(f.getByRole("heading", { level: 1 })).toBeHidden();
    await expect(f.getByText("Made with")).toBeHidden();
    expect(await scheme(f)).toBe("dark");
    // The heading of the page around is the one; the dashboard's own is part of what is left away.
    await expectAccessible(page, { frames: true, without: "page-has-heading-one" });
  }
  const f = await embedded(page, site, `${url}?embed=true`);
  await expect(f.locator("section.w").first()).toBeVisible();
  await desk.edit(note("Just added", "news", { x: 0, y: 99, w: 4, h: 3 }));
  await expect(f.getByRole("heading", { level: 2, name: "Just added" })).toBeVisible();
  // Without embed the other parameters hold too.
  await page.goto(`${shortUrl}?theme=dark`);
  await expect(page.getByRole("heading", { level: 1, name: "Service status" })).toBeVisible();
  expect(await page.locator("html").evaluate((e) => getComputedStyle(e).colorScheme)).toBe("dark");
});

test("E2: theme overrides the dashboard's from the first paint, and nonsense does not count", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  await desk.edit({ do: "board", field: "theme", value: "light" });
  const { url } = await desk.share({ action: "enable" });
  const plain = await viewer({ javaScriptEnabled: false, colorScheme: "dark" });
  const background = async (query: string): Promise<string> => {
    await plain.goto(url + query);
    return await plain.locator("html").evaluate((e) => getComputedStyle(e).backgroundColor);
  };
  const light = await background("");
  const dark = await background("?theme=dark");
  expect(dark).not.toBe(light);
  expect(await background("?theme=light")).toBe(light);
  expect(await background("?theme=system")).toBe(dark); // the reader's own system is dark
  for (const odd of ["?theme=pink", "?theme=", "?theme=DARK", "?theme=%22%3E%3Cscript%3E", "?theme=pink&theme=dark"])
    expect(await background(odd)).toBe(light);

  // A change of the dashboard's theme does not touch a page whose address says another.
  const v = await viewer({ colorScheme: "light" });
  await v.goto(`${url}?theme=light`);
  await expect(v.getByText("Live", { exact: true })).toBeVisible();
  await desk.edit({ do: "board", field: "theme", value: "dark" }, { do: "board", field: "title", value: "Changed" });
  await expect(v.getByRole("heading", { level: 1, name: "Changed" })).toBeVisible();
  expect(await v.locator("html").evaluate((e) => getComputedStyle(e).colorScheme)).toBe("light");
});

test("E3: interaction can be turned off by address and locked by the owner, while scrolling stays", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Service status", true);
  const link = "[out](https://example.org/)";
  await desk.edit(note("Links", link));
  const { url } = await desk.share({ action: "enable" });
  const page = await viewer();
  const chart = page.getByRole("img", { name: /^Response time, last 24 hours, line chart/ });
  const touch = async (): Promise<boolean> => {
    await expect(chart).toBeVisible();
    await chart.hover({ position: { x: 150, y: 60 } });
    const tip = page.locator(".tip");
    return await tip.waitFor({ state: "visible", timeout: 1_500 }).then(
      () => true,
      () => false,
    );
  };
  await page.goto(url);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  expect(await touch()).toBe(true);
  await expect(page.getByRole("link", { name: "out" })).toBeVisible();
  const sorts = page.locator("th[aria-sort], th button");
  expect(await sorts.count()).toBeGreaterThan(0);

  await page.goto(`${url}?interactive=false`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  expect(await touch()).toBe(false);
  await expect(page.getByRole("link", { name: "out" })).toHaveCount(0);
  await expect(sorts).toHaveCount(0);
  // What comes live is as still as what was there.
  await desk.edit(note("More links", link));
  await expect(page.getByRole("heading", { level: 2, name: "More links" })).toBeVisible();
  await expect(page.getByRole("link", { name: "out" })).toHaveCount(0);

  // The owner's lock reaches pages that are open, and no parameter loosens it.
  await page.goto(`${url}?interactive=true`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: "out" })).toHaveCount(2);
  await desk.share({ action: "still", still: true });
  await expect(page.getByRole("link", { name: "out" })).toHaveCount(0);
  await page.goto(`${url}?interactive=true`);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: "out" })).toHaveCount(0);
  expect(await touch()).toBe(false);
});

test("E5: the owner names the sites that may frame it; nothing else of the server can be framed", async ({
  owner,
  viewer,
  server,
  site,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Service status", true);
  const { url } = await desk.share({ action: "enable" });
  const page = await viewer();
  let f = await embedded(page, site, `${url}?embed=true`);
  const card = f.locator("section.w").first();
  await expect(card).toBeVisible();

  // Sites that are open are reached too.
  await desk.share({ action: "origins", origins: ["https://elsewhere.example"] });
  await expect(card).toBeHidden();
  f = await embedded(page, site, `${url}?embed=true`);
  await expect(f.locator("body.neterror")).toHaveCount(1);
  await expect(f.locator("section.w")).toHaveCount(0);
  expect((await page.goto(url))?.headers()["content-security-policy"]).toContain(
    "frame-ancestors https://elsewhere.example",
  );
  await expect(page.locator("section.w").first()).toBeVisible(); // by itself it can be seen as before
  await page.goto("about:blank"); // the page loads anew with the sites, which must not come between what follows

  await desk.share({ action: "origins", origins: ["https://elsewhere.example", site.origin] });
  f = await embedded(page, site, `${url}?embed=true`);
  await expect(f.locator("section.w").first()).toBeVisible();

  for (const path of ["/", "/login", "/signup", "/nowhere"]) {
    f = await embedded(page, site, server.url + path);
    await expect(f.getByRole("heading")).toHaveCount(0);
  }
});

test("E6: the script makes the frame as high as its content, growing and shrinking; without it the frame works", async ({
  owner,
  viewer,
  server,
  site,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  await desk.edit(note("One", "one", { x: 0, y: 0, w: 12, h: 3 }));
  const { url, shortUrl, embedScript } = await desk.share({ action: "enable" });
  const page = await viewer();
  const height = async (): Promise<number> => (await page.locator("iframe").boundingBox())?.height ?? 0;

  let f = await embedded(page, site, `${url}?embed=true`, 'width="100%" height="600" style="border:0"');
  await expect(f.getByRole("heading", { level: 2, name: "One" })).toBeVisible();
  expect(await height()).toBe(600);

  for (const address of [url, shortUrl]) {
    f = await embedded(
      page,
      site,
      `${address}?embed=true`,
      'width="100%" height="600" style="border:0"',
      `<script async src="${embedScript}"></script>`,
    );
    await expect(f.getByRole("heading", { level: 2, name: "One" })).toBeVisible();
    await expect.poll(height).toBeLessThan(400);
    const low = await height();
    const scrolls = await f.locator("html").evaluate((e) => e.scrollHeight - e.clientHeight);
    expect(scrolls).toBeLessThanOrEqual(1);
    await desk.edit(note("Two", "two", { x: 0, y: 20, w: 12, h: 12 }));
    await expect(f.getByRole("heading", { level: 2, name: "Two" })).toBeVisible();
    await expect.poll(height).toBeGreaterThan(low + 200);
    const two = (await desk.view()).widgets.find((w) => w.title === "Two");
    await desk.edit({ do: "remove", widget: two?.id });
    await expect.poll(height).toBeLessThan(low + 2);
  }

  // A page that is none of ours cannot make somebody's frame grow.
  site.show(
    `<script async src="${embedScript}"></script><iframe title="Other" height="300" style="border:0" srcdoc="<script>parent.postMessage({source:'widgets.pro',height:9000},'*')</script>"></iframe>`,
  );
  await page.goto(site.origin);
  await page.waitForLoadState("networkidle");
  expect(await height()).toBe(300);
});

test("V1 A5: a frame whose link goes shows that it is gone, in the frame, and nothing of the dashboard", async ({
  owner,
  viewer,
  server,
  site,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Service status", true);
  const { url } = await desk.share({ action: "enable" });
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await viewer({ colorScheme, width: 400 });
    let f = await embedded(page, site, `${url}?embed=true`);
    await expect(f.locator("section.w").first()).toBeVisible();
    await desk.share({ action: "disable" });
    await expect(f.getByRole("heading", { name: /does not work|not available/ })).toBeVisible();
    await expect(f.locator("section.w")).toHaveCount(0);
    f = await embedded(page, site, `${url}?embed=true`);
    await expect(f.getByRole("heading", { name: /does not work/ })).toBeVisible();
    await expectAccessible(page, { frames: true });
    await desk.share({ action: "enable" });
  }
});
