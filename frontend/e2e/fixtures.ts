import { type BrowserContext, type Page, test as base } from "@playwright/test";
import { App, Server } from "./programs";

/** The owner's side: the desktop program's own UI, and the program behind it. */
export interface Owner {
  app: App;
  page: Page;
  /** Opens the UI again, as after a restart of the program. */
  open(): Promise<void>;
}

/** Makes viewers: each has a browser context of its own, with no cookie of anybody else. */
export type Viewer = (options?: {
  javaScriptEnabled?: boolean;
  colorScheme?: "light" | "dark";
  width?: number;
}) => Promise<Page>;

export const test = base.extend<{ server: Server; owner: Owner; viewer: Viewer }>({
  server: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.close();
  },
  owner: async ({ browser, server }, use) => {
    const app = await App.start(server.url);
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    const open = async (): Promise<void> => {
      await page.goto(app.url);
    };
    await open();
    await use({ app, page, open });
    await context.close();
    await app.close();
  },
  viewer: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async ({ width, ...options } = {}) => {
      const context = await browser.newContext({ viewport: { width: width ?? 1280, height: 900 }, ...options });
      contexts.push(context);
      return await context.newPage();
    });
    for (const c of contexts) await c.close();
  },
});

export { expect } from "@playwright/test";
