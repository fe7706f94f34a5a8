// paint.mjs URL: how soon a share page is painted, beside a one-line page under the same throttling, in the same run.
//
// Throttling is Chromium's "Fast 3G" (1.44 Mbit/s down, 675 kbit/s up, 562.5 ms added to each round trip) and a processor
// four times slower. Medians of RUNS loads each, taken in turn, each in a fresh browser context without a cache.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../frontend/package.json", import.meta.url))("@playwright/test");

const url = process.argv[2];
if (!url) throw new Error("usage: paint.mjs URL");
const runs = Number(process.env.RUNS ?? 7);

const floor = createServer((_, res) => {
  res.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" });
  res.end('<!doctype html><html lang="en"><title>floor</title><link rel="icon" href="data:,"><p>One line.</p>');
});
await new Promise((done) => floor.listen(0, "127.0.0.1", done));
const floorURL = `http://127.0.0.1:${floor.address().port}/`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Loads a page once: first contentful paint in ms, bytes and requests over the wire, layout shift. */
async function load(address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 });
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  let bytes = 0;
  let requests = 0;
  cdp.on("Network.requestWillBeSent", (e) => {
    if (!e.request.url.startsWith("data:")) requests++;
  });
  cdp.on("Network.webSocketCreated", () => requests++);
  cdp.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
  await page.addInitScript(() => {
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) globalThis.shift += e.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(address, { waitUntil: "load" });
  const paint = await page.evaluate(
    () =>
      new Promise((done) => {
        const look = () => {
          const e = performance.getEntriesByName("first-contentful-paint")[0];
          if (e) done(e.startTime);
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
  await page.waitForTimeout(1500); // the live connection, and whatever it might shift
  const shift = await page.evaluate(() => globalThis.shift);
  await context.close();
  return { paint, bytes, requests, shift };
}

const median = (xs) => xs.toSorted((a, b) => a - b)[Math.floor(xs.length / 2)];
const samples = { floor: [], share: [] };
await load(floorURL);
await load(url);
for (let i = 0; i < runs; i++) {
  samples.floor.push(await load(floorURL));
  samples.share.push(await load(url));
}
await browser.close();
floor.close();

const of = (name, what) => median(samples[name].map((s) => s[what]));
const ratio = of("share", "paint") / of("floor", "paint");
console.log(`first contentful paint   one-line page ${of("floor", "paint").toFixed(0)} ms   share page ${of("share", "paint").toFixed(0)} ms   ratio ${ratio.toFixed(2)} (at most 1.20)`);
console.log(`over the wire            ${(of("share", "bytes") / 1000).toFixed(1)} kB (at most 25.0) in ${of("share", "requests")} requests, websocket included (at most 4)`);
console.log(`layout shift             ${of("share", "shift").toFixed(4)} (0)`);
process.exitCode = ratio <= 1.2 && of("share", "bytes") <= 25_000 && of("share", "requests") <= 4 && of("share", "shift") === 0 ? 0 : 1;
