// Serves the application over the program in memory. Prints the address; ends with the process.
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { createServer } from "vite";
import { alias } from "../../../vite.parts.mjs";

const server = await createServer({
  root: fileURLToPath(new URL("../../..", import.meta.url)),
  configFile: false,
  logLevel: "warn",
  plugins: [
    svelte({ configFile: false }),
    {
      // The empty document that the program serves for previews of embedded dashboards.
      name: "embed-preview",
      configureServer: ({ middlewares }) => {
        middlewares.use("/embed-preview", (_, response) => {
          response.setHeader("Content-Type", "text/html; charset=utf-8");
          response.setHeader(
            "Content-Security-Policy",
            "default-src 'none'; img-src data: https: http:; frame-ancestors 'self'",
          );
          response.end('<!doctype html><html lang="en"><head><title>Preview</title></head><body></body></html>');
        });
      },
    },
  ],
  resolve: { alias },
  server: { host: "127.0.0.1", port: Number(process.env.PORT ?? 5199), hmr: false },
});
await server.listen();
console.log(`${server.resolvedUrls?.local[0] ?? ""}src/test/preview/index.html`);
