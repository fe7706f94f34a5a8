/**
 * For pages that embed dashboards (rule E6): makes each frame as high as the dashboard in it says it is. A frame is
 * touched only if the message comes from its very window and from the server that this script comes from. Frames may be
 * added at any time, and the script loaded late or twice.
 */
const own = originOf((document.currentScript as HTMLScriptElement | null)?.src);
const highest = 20_000;

/** Where an address leads; null for what is no address, or leads to no place that has a name. */
function originOf(address: string | undefined): string | null {
  try {
    const { origin } = new URL(address ?? "");
    return origin === "null" ? null : origin;
  } catch {
    return null;
  }
}

function embeds(): HTMLIFrameElement[] {
  return [...document.querySelectorAll("iframe")].filter((f) => own !== null && originOf(f.src) === own);
}

function heightOf(data: unknown): number | null {
  if (typeof data !== "object" || data === null) return null;
  const { source, height } = data as { source?: unknown; height?: unknown };
  return source === "widgets.pro" && typeof height === "number" && height > 0 && height <= highest
    ? Math.ceil(height)
    : null;
}

addEventListener("message", (e: MessageEvent<unknown>) => {
  if (own === null || e.origin !== own || !e.source) return;
  const height = heightOf(e.data);
  const frame = height === null ? undefined : embeds().find((f) => f.contentWindow === e.source);
  if (height === null || !frame) return;
  const edge = getComputedStyle(frame).boxSizing === "border-box" ? frame.offsetHeight - frame.clientHeight : 0;
  frame.style.height = `${String(height + edge)}px`;
});

// Frames that were there first have told it already. The question may reach a frame that is still empty: it tells nothing.
for (const f of embeds()) f.contentWindow?.postMessage({ source: "widgets.pro", ask: "height" }, "*");

export {};
