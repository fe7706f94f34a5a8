/** What the server says on a share page's connection. */
export type Frame =
  | { t: "hello"; v: number }
  | { t: "all"; v: number; title: string; theme: string; body: string; css: string }
  | {
      t: "patch";
      v: number;
      from: number;
      title?: string;
      theme?: string;
      css?: string;
      order?: string[];
      widgets?: Record<string, string | null>;
    }
  | { t: "gone"; reason?: string };

export interface Link {
  /** The version that is shown. */
  version(): number;
  /** Shows a frame; false asks for a new connection, because the frame does not follow what is shown. */
  show(frame: Exclude<Frame, { t: "gone" }>): boolean;
  /** The connection came up, or went away. */
  state(live: boolean): void;
  /** The link shows nothing any more; no further call follows. */
  gone(reason: string): void;
}

const goneCode = 4003;
const firstWait = 500;
const longestWait = 30_000;

/**
 * Keeps a connection to the dashboard behind this page: after a failure it waits, longer each time, and tries again at
 * once when the network or the tab comes back. Ends when the link is gone.
 */
export function connect(link: Link): void {
  const page = location.href.replace(/[?#].*$/, "").replace(/\/$/, "");
  let socket: WebSocket | null = null;
  let wait = firstWait;
  let timer = 0;
  let over = false;

  const end = (reason: string): void => {
    over = true;
    clearTimeout(timer);
    socket?.close();
    link.gone(reason);
  };

  const later = (): void => {
    if (over) return;
    clearTimeout(timer);
    timer = setTimeout(open, wait * (0.7 + Math.random() * 0.6));
    wait = Math.min(longestWait, wait * 2);
  };

  /** A refused connection does not say why; the page itself does. */
  const ask = async (): Promise<void> => {
    try {
      const answer = await fetch(page, { method: "HEAD", cache: "no-store" });
      if (!over && [401, 403, 404, 410].includes(answer.status)) end("");
    } catch {
      // No network: keep trying.
    }
  };

  const open = (): void => {
    if (over || socket) return;
    clearTimeout(timer);
    let opened = false;
    const s = (socket = new WebSocket(`${page.replace(/^http/, "ws")}/live?v=${String(link.version())}`));
    s.onmessage = (e: MessageEvent<string>): void => {
      if (s !== socket || over) return;
      const frame = JSON.parse(e.data) as Frame;
      if (frame.t === "gone") {
        end(frame.reason ?? "");
        return;
      }
      if (!opened) link.state(true);
      opened = true;
      wait = firstWait;
      if (!link.show(frame)) s.close();
    };
    s.onclose = (e): void => {
      if (s !== socket) return;
      socket = null;
      if (over) return;
      if (e.code === goneCode) {
        end(e.reason);
        return;
      }
      link.state(false);
      if (!opened) void ask();
      later();
    };
  };

  const now = (): void => {
    if (document.visibilityState === "hidden" || socket) return;
    wait = firstWait;
    open();
  };
  addEventListener("offline", () => socket?.close());
  addEventListener("online", now);
  addEventListener("pageshow", now);
  document.addEventListener("visibilitychange", now);
  open();
}
