import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { alias } from "./vite.parts.mjs";

/** Files named `*.test.ts` run in plain Node; `*.dom.test.ts` in a simulated page and may mount components. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "pure",
          environment: "node",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["src/**/*.dom.test.ts"],
        },
      },
      {
        plugins: [svelte({ configFile: false })],
        resolve: { alias, conditions: ["browser"] },
        test: { name: "dom", environment: "jsdom", include: ["src/**/*.dom.test.ts"] },
      },
    ],
  },
});
