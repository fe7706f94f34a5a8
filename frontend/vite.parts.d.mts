import type { InlineConfig } from "vite";

export const alias: Record<string, string>;
export const parts: Record<"app" | "share" | "embed" | "render", InlineConfig>;
