/** What the server shows on a share page's connection. */
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
    };

/** Why there is nothing to see any more: the link does not work, or asks for a password that nobody here has given. */
export type Why = "gone" | "locked";

type Message = Frame | { t: "gone"; why?: string } | { t: "reload" };

export interface Link {
  /** The version that is shown. */
  version(): number;
  /** Shows a frame; false asks for a new connection, because the frame does not follow what is shown. */
  show(frame: Frame): boolean;
  /** The connection came up, or went away, or could not be made. */
  state(live: boolean): void;
  /** There is nothing to see any more; no further call follows. */
  over(why: Why): void;
  /** The page itself is out of date and should be loaded anew; no further call follows. */
  reload(): void;
}

export interface Viewer {
  /** What a right password gave, for browsers that keep no cookie for this page. */
  readonly session: string | null;
  /** Somebody opened this page, so its first connection counts as a view (rule L7). */
  readonly opened: boolean;
}

const deniedCode = 4003;
const firstWait = 500;
const longestWait = 30_000;

/** The address of this page without what follows the path. */
export const page = location.href.replace(/[?#].*$/, "").replace(/\/$/, "");

/**
 * Keeps a connection to the dashboard behind this page, from when the page is first seen: after a failure it waits,
 * longer each time, and tries again at once when the network or the tab comes back. Ends when the link is gone, or when
 * the function that it returns is called.
 */
export function connect(link: Link, viewer: Viewer): () => void {
  // What could not be the name of a protocol is no session of the server's either.
  const session = /^[\w-]+$/.exec(viewer.session ?? "")?.[0];
  const protocols = ["widgets.view", ...(session === undefined ? [] : [`session.${session}`])];
  let socket: WebSocket | null = null;
  let wait = firstWait;
  let timer = 0;
  let over = false;
  let count = viewer.opened;
  let tried = false;
  const ears = new AbortController();
  const { signal } = ears;

  const stop = (): void => {
    over = true;
    ears.abort();
    clearTimeout(timer);
    socket?.close();
  };
  const end = (why: Why): void => {
    stop();
    link.over(why);
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
      const { status } = await fetch(page, { method: "HEAD", cache: "no-store" });
      if (over) return;
      // With a session the connection itself tells: the page may ask because the browser keeps its cookie from it.
      if (status === 401 && session === undefined) end("locked");
      if ([403, 404, 410].includes(status)) end("gone");
    } catch {
      // No network: keep trying.
    }
  };

  const open = (): void => {
    if (over || socket) return;
    clearTimeout(timer);
    if (!tried && document.visibilityState === "hidden") return;
    tried = true;
    let opened = false;
    const address = `${page.replace(/^http/, "ws")}/live?v=${String(link.version())}${count ? "&open=1" : ""}`;
    const s = (socket = new WebSocket(address, protocols));
    s.onmessage = (e: MessageEvent<string>): void => {
      if (s !== socket || over) return;
      const message = read(e.data);
      if (message?.t === "gone") {
        end(message.why === "locked" ? "locked" : "gone");
        return;
      }
      if (message?.t === "reload") {
        stop();
        link.reload();
        return;
      }
      if (!opened) link.state(true);
      opened = true;
      count = false;
      wait = firstWait;
      if (!message || !link.show(message)) s.close();
    };
    s.onclose = (e): void => {
      if (s !== socket) return;
      socket = null;
      if (over) return;
      if (e.code === deniedCode) {
        end("gone");
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
  addEventListener("offline", () => socket?.close(), { signal });
  addEventListener("online", now, { signal });
  addEventListener("pageshow", now, { signal });
  document.addEventListener("visibilitychange", now, { signal });
  open();
  return stop;
}

/** A message, or null for what is none that this script knows. */
function read(text: string): Message | null {
  try {
    const m = JSON.parse(text) as Message;
    return ["hello", "all", "patch", "gone", "reload"].includes(m.t) ? m : null;
  } catch {
    return null;
  }
}
