import type { Page } from "@playwright/test";
import { Desk } from "./desk";
import { expect, test } from "./fixtures";

const script = "window.pwned=1;parent.pwned=1;top.pwned=1";
const texts = [
  `<script>${script}</script>`,
  `<img src=x onerror="${script}">`,
  `<svg onload="${script}"><animate onbegin="${script}" attributeName=x dur=1s></svg>`,
  `</style><script>${script}</script>`,
  `</title></head><body onload="${script}">`,
  `"><iframe srcdoc="<script>${script}</script>">`,
  `' onmouseover='${script}' x='`,
  `<a href="javascript:${script}">click</a>`,
  `{{constructor.constructor('${script}')()}}`,
  `\${${script}}`,
  `<math><mtext><style><img src=x onerror="${script}"></style>`,
  `<!--><script>${script}</script>-->`,
  `\u202e<b>${script}`,
];
const markdown = [
  ...texts,
  `[link](javascript:${script})`,
  `[link](JaVaScRiPt:${script})`,
  `[link](data:text/html,<script>${script}</script>)`,
  `[link](vbscript:x)`,
  `[link](//evil.example "\\" onclick=\\"${script}")`,
  `![picture](x" onerror="${script})`,
  `![picture](data:image/svg+xml,<svg onload="${script}"/>)`,
  `![picture](https://evil.example/pixel.png)`,
  `<https://evil.example/"onclick="${script}>`,
  `[ref]\n\n[ref]: javascript:${script}`,
].join("\n\n");

/** Notes what a page did that it must not: scripts that ran, rules of its policy that were broken, others it asked. */
function watched(page: Page, home: string): () => Promise<string[]> {
  const wrong: string[] = [];
  page.on("dialog", (d) => {
    wrong.push(`dialog ${d.message()}`);
    void d.dismiss();
  });
  page.on("pageerror", (e) => wrong.push(`error ${e.message}`));
  page.on("console", (m) => {
    if (m.type() === "error") wrong.push(`console ${m.text()}`);
  });
  page.on("request", (r) => {
    const { origin, protocol } = new URL(r.url());
    if (origin !== home && protocol.startsWith("http")) wrong.push(`request ${r.url()}`);
  });
  return async () => {
    if (await page.evaluate(() => "pwned" in window)) wrong.push("a script ran");
    for (const selector of [
      "img",
      "iframe",
      "object",
      "embed",
      "main script",
      "svg script",
      "[onload]",
      "[onerror]",
      "[onclick]",
      "[onmouseover]",
    ])
      if ((await page.locator(selector).count()) > 0) wrong.push(`there is ${selector}`);
    for (const href of await page
      .locator("a[href]")
      .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).protocol)))
      if (!["http:", "https:", "mailto:"].includes(href)) wrong.push(`a link to ${href}`);
    return wrong;
  };
}

test("B2 E1: hostile titles, Markdown, cells, names of columns and options do nothing in a real browser", async ({
  owner,
  viewer,
  server,
}) => {
  const desk = await Desk.open(owner.page, server.url, "Figures");
  for (const [i, text] of texts.entries()) {
    await desk.edit({ do: "board", field: "title", value: text }, { do: "board", field: "description", value: text });
    const columns = [
      { name: text.slice(0, 60), type: "text" },
      { name: "n", type: "number" },
    ];
    const rows = [
      [text, 1],
      [`=HYPERLINK("${script}")`, 2],
      [`@SUM(1)${text}`, 3],
    ];
    const kinds = ["table", "bar", "status", "line", "stat"] as const;
    await desk.edit(
      {
        do: "add",
        kind: kinds[i % kinds.length],
        title: text,
        layout: { x: 0, y: i * 4, w: 6, h: 4 },
        columns,
        rows,
        options: { unit: "<b>" },
      },
      {
        do: "add",
        kind: "markdown",
        title: "",
        layout: { x: 6, y: i * 4, w: 6, h: 4 },
        options: { text: i === 0 ? markdown : text },
      },
    );
  }
  const { url } = await desk.share({ action: "enable" });
  const page = await viewer();
  const wrong = watched(page, server.url);
  for (const query of [
    "",
    "?embed=true",
    "?interactive=false&theme=dark",
    `?theme=${encodeURIComponent(texts[5] ?? "")}&embed=${encodeURIComponent(texts[0] ?? "")}`,
  ]) {
    await page.goto(url + query);
    await expect(page.locator("section.w")).toHaveCount(texts.length * 2);
    for (const card of await page.locator("section.w").all()) await card.hover();
    expect(await wrong()).toEqual([]);
  }
  // What comes live passes the same way.
  await page.goto(url);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await desk.edit({
    do: "add",
    kind: "markdown",
    title: texts[2],
    layout: { x: 0, y: 99, w: 6, h: 4 },
    options: { text: markdown },
  });
  await desk.edit({ do: "board", field: "title", value: `Last ${texts[4] ?? ""}` });
  await expect(page.locator("section.w")).toHaveCount(texts.length * 2 + 1);
  await expect(page.getByRole("heading", { level: 1, name: /^Last/ })).toBeVisible();
  expect(await wrong()).toEqual([]);

  // A file of vectors that somebody opens by itself is no page of ours, and addresses that hold markup show none.
  const odd = await page.goto(`${server.url}/share/${encodeURIComponent(`<svg onload="${script}">`)}`);
  expect(odd?.status()).toBe(404);
  await page.goto(`${server.url}/s/${encodeURIComponent(texts[0] ?? "")}`);
  expect(await page.evaluate(() => "pwned" in window)).toBe(false);
  const icon = await page.request.get(`${url}/preview.png`);
  expect(icon.headers()["content-type"]).toBe("image/png");
  expect(icon.headers()["x-content-type-options"]).toBe("nosniff");
});
