import type { Cell, DrawWidget } from "../types";

/** A widget for tests; columns are written "name:type", number when no type is given. */
export function widget(
  kind: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: Readonly<Record<string, unknown>> = {},
  more: Partial<DrawWidget> = {},
): DrawWidget {
  return {
    id: "wgt_01JD0000000000000000000001",
    kind,
    title: "A title",
    layout: { x: 0, y: 0, w: 6, h: 4 },
    options,
    columns: columns.map((c) => {
      const [name = "", type] = c.split(":");
      return { name, type: type === "time" || type === "text" ? type : "number" };
    }),
    rows,
    ...more,
  };
}

/** Numbers that look random and are always the same. */
export function dice(seed: number): () => number {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

/** What is read of a drawing: its text without tags, entities decoded. */
export function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&")
    .replace(/\s+/g, " ")
    .trim();
}

/** Fails on markup that the page's policy or a reader of the file would stumble over. */
export function faults(html: string): string[] {
  const found: string[] = [];
  if (/NaN|Infinity|undefined|\[object/.test(html)) found.push("a value that is none");
  if (/<[^>]*\sstyle\s*=/i.test(html)) found.push("a style attribute");
  if (/<[^>]*\son\w+\s*=/i.test(html.replace(/"[^"]*"/g, '""'))) found.push("a handler");
  if (/<(script|img|iframe|object|embed|link|meta|form|input|style)\b/i.test(html)) found.push("a forbidden element");
  if (/(href|src)="(?!https?:|mailto:)/i.test(html)) found.push("an address that leads inside");
  const open: string[] = [];
  for (const [, close, name = "", self] of html.matchAll(/<(\/?)([a-zA-Z0-9]+)(?:\s+[\w:-]+="[^"]*")*\s*(\/?)>/g)) {
    if (self === "/" || name === "br" || name === "hr") continue;
    if (close === "/") {
      if (open.pop() !== name) found.push(`a stray </${name}>`);
    } else open.push(name);
  }
  if (open.length > 0) found.push(`an open <${open.join(", ")}>`);
  if (/<(?![/a-zA-Z])/.test(html)) found.push("a bare <");
  return found;
}
