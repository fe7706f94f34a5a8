import type { InlineConfig } from "vite";

export const alias: Record<string, string>;
export const parts: Record<"app" | "share" | "render", InlineConfig>;
