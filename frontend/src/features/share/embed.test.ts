import { expect, test } from "vitest";
import { embedAddress, embedSnippet, type EmbedOptions } from "./embed";

const url = "https://sync.example.org/share/shr_x";
const plain: EmbedOptions = { theme: "own", only: true, interactive: true, height: 600, fit: false };

test.each<[Partial<EmbedOptions>, string]>([
  [{}, "?embed=true"],
  [{ only: false }, ""],
  [{ only: false, theme: "light" }, "?theme=light"],
  [{ theme: "system" }, "?embed=true&theme=system"],
  [{ interactive: false }, "?embed=true&interactive=false"],
  [{ theme: "dark", interactive: false }, "?embed=true&theme=dark&interactive=false"],
])("E4 %j asks for %j", (options, query) => {
  expect(embedAddress(url, { ...plain, ...options })).toBe(url + query);
});

test("E1 the snippet is an iframe that works as it stands", () => {
  expect(embedSnippet(url, "Shop", { ...plain, theme: "dark", interactive: false }, "https://s/embed.js")).toBe(
    `<iframe src="${url}?embed=true&amp;theme=dark&amp;interactive=false" width="100%" height="600" style="border:0" loading="lazy" title="Shop"></iframe>`,
  );
});

test("E6 the script that fits the frame comes with it when asked for", () => {
  const code = embedSnippet(url, "Shop", { ...plain, fit: true }, "https://s/embed.js");
  expect(code.split("\n")[1]).toBe('<script async src="https://s/embed.js"></script>');
  expect(embedSnippet(url, "Shop", { ...plain, fit: true }, "")).not.toContain("<script");
});

test("B2 a hostile title stays inside its attribute", () => {
  const code = embedSnippet(url, `"><script>alert(1)</script>\n& 'x'`, plain, "");
  expect(code).toContain(`title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; 'x'"`);
  expect(code.match(/</g)).toHaveLength(2);
});
