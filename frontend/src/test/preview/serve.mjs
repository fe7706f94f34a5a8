// Serves the application over the program in memory. Prints the address; ends with the process.
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { createServer } from "vite";
import { alias } from "../../../vite.parts.mjs";

const server = await createServer({
  root: fileURLToPath(new URL("../../..", import.meta.url)),
  configFile: false,
  logLevel: "warn",
  plugins: [svelte({ configFile: false })],
  resolve: { alias },
  server: { host: "127.0.0.1", port: Number(process.env.PORT ?? 5199), hmr: false },
});
await server.listen();
console.log(`${server.resolvedUrls?.local[0] ?? ""}src/test/preview/index.html`);
