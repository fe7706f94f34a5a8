// Builds what the two programs embed. `node build.mjs` builds all; `node build.mjs share render` only the named parts.
//
//   app     index.html, src/app/main.ts           -> dist/app/index.html, dist/app/assets/*
//           web.html, src/app/web.ts              -> dist/app/web.html, the same for a sync server
//   share   src/share/share.ts, share.css         -> dist/share/share.js, dist/share/share.css
//   embed   src/share/embed.ts                    -> dist/share/embed.js (one IIFE, for the pages around a frame)
//   render  src/render/render.ts                  -> dist/render/render.js (one IIFE, for an engine without host objects)
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { parts } from "./vite.parts.mjs";

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!(name in parts)) throw new Error(`There is no part ${name}; there are ${Object.keys(parts).join(", ")}.`);
}
for (const [name, config] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await build(config);
}

// Go embeds dist, which may not be empty: the file that keeps the folder in git must survive every build.
const keep = fileURLToPath(new URL("dist/.gitkeep", import.meta.url));
if (!existsSync(keep)) await writeFile(keep, "");
