import { defineConfig } from "@playwright/test";

/** The real programs, driven in Debian's Chromium. `make test` builds them first. */
export default defineConfig({
  testDir: "e2e",
  outputDir: "../build/test-results/e2e",
  fullyParallel: true,
  workers: 2,
  // Looking at a page with axe takes most of a minute on a machine that is busy.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  retries: 0,
  forbidOnly: true,
  reporter: [["list"], ["json", { outputFile: "../build/test-results/e2e.json" }]],
  use: {
    browserName: "chromium",
    actionTimeout: 20_000,
    viewport: { width: 1440, height: 900 },
    // Without pictures of every moment, which would cost a tenth of the time.
    trace: { mode: "retain-on-failure", screenshots: false },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
