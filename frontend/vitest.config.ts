import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { alias } from "./vite.parts.mjs";

/** `*.test.ts` runs in plain Node; `*.dom.test.ts` runs in a simulated page and may mount components. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: { name: "pure", environment: "node", include: ["src/**/*.test.ts"], exclude: ["src/**/*.dom.test.ts"] },
      },
      {
        plugins: [svelte({ configFile: false })],
        resolve: { alias, conditions: ["browser"] },
        test: { name: "dom", environment: "jsdom", include: ["src/**/*.dom.test.ts"] },
      },
    ],
  },
});
