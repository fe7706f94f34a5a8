import type { Theme } from "../../lib/backend/types";

/** How a dashboard is to stand in another page. */
export interface EmbedOptions {
  /** "own" leaves the dashboard its own theme. */
  readonly theme: "own" | Theme;
  /** Without header and footer. */
  readonly only: boolean;
  readonly interactive: boolean;
  /** Pixels; with `fit` until the frame's content is known. */
  readonly height: number;
  /** A script makes the frame as high as its content. */
  readonly fit: boolean;
}

export const heights = { least: 120, most: 5000 } as const; // px

/** The address with what the options ask for (rules E1 to E4); what is as it is anyway is left away. */
export function embedAddress(url: string, o: EmbedOptions): string {
  const query = [
    ...(o.only ? ["embed=true"] : []),
    ...(o.theme === "own" ? [] : [`theme=${o.theme}`]),
    ...(o.interactive ? [] : ["interactive=false"]),
  ];
  return query.length === 0 ? url : `${url}?${query.join("&")}`;
}

/** The HTML that puts a dashboard into another page. `script` is the address of the script that fits frames. */
export function embedSnippet(url: string, title: string, o: EmbedOptions, script: string): string {
  const frame =
    `<iframe src="${attribute(embedAddress(url, o))}" width="100%" height="${String(o.height)}" style="border:0" ` +
    `loading="lazy" title="${attribute(title.trim() || "Dashboard")}"></iframe>`;
  return o.fit && script !== "" ? `${frame}\n<script async src="${attribute(script)}"></script>` : frame;
}

/** Text inside an attribute in double quotes, on one line. */
function attribute(text: string): string {
  return text
    .replace(/[\r\n\t]+/g, " ")
    .replace(/&/g, "&amp;")
    .replace(/"/g, "&quot;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}
