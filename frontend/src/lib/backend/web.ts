import { BackendError } from "./backend";
import { HttpBackend, page, type Surroundings } from "./http";
import type { AppState, Fault, Settings, Theme } from "./types";

/** What of the browser the workspace on a sync server uses; tests put their own in place. */
export interface Browser {
  around: Surroundings;
  storage: Pick<Storage, "getItem" | "setItem">;
  /** Leaves for another page of the server. */
  leave: (path: string) => void;
  /** Where to come back to after signing in. */
  here: () => string;
}

const THEME = "widgets.theme";

const UNREACHABLE: Fault = {
  kind: "unavailable",
  message: "The server cannot be reached.",
  hint: "Changes cannot be made until it is back.",
};

/** The Backend of the workspace on a sync server: whoever is not signed in any more is sent to sign in. */
export class WebBackend extends HttpBackend {
  readonly #browser: Browser;
  #leaving = false;

  constructor(browser: Browser = surroundings()) {
    super(browser.around, {
      base: "/app",
      unreachable: UNREACHABLE,
      signedOut: () => {
        this.#leave(`/login?next=${encodeURIComponent(browser.here())}`);
      },
    });
    this.#browser = browser;
  }

  /** The theme is this browser's, so it is kept here. */
  override async state(): Promise<AppState> {
    return { ...(await super.state()), settings: { theme: storedTheme(this.#browser.storage) } };
  }

  override settings(s: Settings): Promise<void> {
    try {
      this.#browser.storage.setItem(THEME, s.theme);
    } catch {
      return Promise.reject(
        new BackendError({
          kind: "denied",
          message: "This browser keeps nothing for this page, so the theme lasts until it is closed.",
        }),
      );
    }
    return Promise.resolve();
  }

  override async logOut(): Promise<void> {
    this.#leaving = true; // a poll may hear first that the session is over
    try {
      await super.logOut();
    } catch (e) {
      this.#leaving = false;
      if (!(e instanceof BackendError && e.fault.kind === "unauthenticated")) throw e;
    }
    this.#leaving = false;
    this.#leave("/");
  }

  #leave(path: string): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#browser.leave(path);
  }
}

/** The theme that was chosen in this browser. */
export function storedTheme(storage: Pick<Storage, "getItem">): Theme {
  try {
    const theme = storage.getItem(THEME);
    if (theme === "light" || theme === "dark") return theme;
  } catch {
    // Nothing is kept for this page.
  }
  return "system";
}

function surroundings(): Browser {
  return {
    around: page(),
    storage: localStorage,
    leave: (path) => {
      location.assign(path);
    },
    here: () => location.pathname,
  };
}
