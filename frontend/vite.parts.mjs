// The builds, see build.mjs. Each writes to a folder of its own, so none empties another's; share and embed share one, which
// holds the files that they name and nothing else, so neither empties it.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";

const root = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/**
 * What stands in for packages of others, everywhere. Markdown must come out the same everywhere. In a browser build this package would decode entities with the help of the
 * page's DOM, which the server's engine does not have; its table of entities is what all take.
 */
export const alias = {
  "decode-named-character-reference": require.resolve("decode-named-character-reference"),
  // micromark's log for its own makers wants a console, which not every engine has.
  debug: fileURLToPath(new URL("src/lib/draw/silent.ts", import.meta.url)),
};

const shared = {
  root,
  configFile: false,
  logLevel: "warn",
  resolve: { alias },
  css: { transformer: "lightningcss" },
};

/** Safari 15 is the oldest web view the desktop app may find; light-dark() is translated for it. */
const target = "safari15";

export const parts = {
  app: {
    ...shared,
    plugins: [svelte({ configFile: false })],
    build: {
      target,
      outDir: "dist/app",
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      rolldownOptions: { input: { index: "index.html", web: "web.html" } },
    },
  },
  share: {
    ...shared,
    publicDir: false,
    build: {
      target,
      outDir: "dist/share",
      emptyOutDir: false,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: { share: "src/share/share.ts", styles: "src/styles/share.css" },
        output: {
          format: "es",
          entryFileNames: "[name].js",
          assetFileNames: "share[extname]",
        },
      },
    },
  },
  embed: {
    ...shared,
    publicDir: false,
    build: {
      target,
      outDir: "dist/share",
      emptyOutDir: false,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: "src/share/embed.ts",
        output: { format: "iife", entryFileNames: "embed.js" },
      },
    },
  },
  render: {
    ...shared,
    publicDir: false,
    build: {
      target: "es2020",
      outDir: "dist/render",
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: "src/render/render.ts",
        output: { format: "iife", entryFileNames: "render.js" },
      },
    },
  },
};
