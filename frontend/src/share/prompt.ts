import { connect, page } from "./link";
import type { Link } from "./link";
import { forget, recall, remember } from "./memory";

const noNetwork = "The server could not be reached. Check your connection and try again.";

/** The form that asks for the password (rules P1, P3). */
interface Prompt {
  readonly form: HTMLFormElement;
  readonly field: HTMLInputElement;
  readonly button: HTMLButtonElement;
  readonly problem: HTMLElement;
}

function prompt(): Prompt | null {
  const form = document.querySelector<HTMLFormElement>("#unlock");
  const field = form?.querySelector("input");
  const button = form?.querySelector("button");
  const problem = document.getElementById("problem");
  return form && field && button && problem ? { form, field, button, problem } : null;
}

/**
 * Asks for the password and shows the dashboard in place, without going to another page: so it works in a frame whose
 * browser keeps no cookies. What a password opened before in this tab is tried first. `opened` says whether the page
 * counts as opened by somebody.
 */
export function unlock(link: Link, opened: boolean): void {
  const found = prompt();
  if (!found) return;
  const { form, field, button, problem } = found;
  const label = button.textContent;

  const say = (words: string): void => {
    problem.textContent = words;
    field.setAttribute("aria-invalid", String(words !== ""));
    field.setAttribute("aria-describedby", problem.id);
  };
  const busy = (on: boolean, words = on ? "Opening…" : label): void => {
    button.disabled = on;
    button.textContent = words;
    form.setAttribute("aria-busy", String(on));
  };
  const again = (words: string): void => {
    busy(false);
    say(words);
    field.focus();
    field.select();
  };

  /** Shows the dashboard with a session; `fail` is called instead if that does not work at the first try. */
  const show = (session: string, fail: () => void): void => {
    let shown = false;
    const failed = (): void => {
      stop();
      fail();
    };
    const stop = connect(
      {
        ...link,
        show(frame) {
          if (!shown && frame.t !== "all") return false;
          if (!shown) link.state(true);
          shown = true;
          return link.show(frame);
        },
        state(live) {
          if (shown) link.state(live);
          else if (!live) failed();
        },
        over(why) {
          if (shown || why === "gone") link.over(why);
          else failed();
        },
      },
      { session, opened },
    );
  };

  /** Counts down on the button until the next attempt is worth anything. */
  const pause = (seconds: number): void => {
    const until = Date.now() + seconds * 1000;
    const tick = (): void => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left <= 0) {
        busy(false);
        return;
      }
      busy(true, `Wait ${String(Math.floor(left / 60))}:${String(left % 60).padStart(2, "0")}`);
      setTimeout(tick, 1000);
    };
    tick();
  };

  const submit = async (): Promise<void> => {
    busy(true);
    say("");
    // Keyboards differ in how they compose an accent; the app normalised the password in the same way.
    const body = new URLSearchParams({ password: field.value.normalize("NFC") });
    let answer: Response;
    let said: Answer;
    try {
      answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body });
      said = await read(answer);
    } catch {
      again(noNetwork);
      return;
    }
    if (answer.ok && typeof said.session === "string") {
      const session = said.session;
      remember("session", session);
      show(session, () => {
        // No websocket here, it seems: with a cookie the page itself shows the dashboard.
        location.replace(page + location.search);
      });
      return;
    }
    if (answer.status === 404 || answer.status === 410) {
      link.over("gone");
      return;
    }
    again(words(said) || (answer.status === 401 ? "That is not the password." : "That did not work. Try again."));
    if (answer.status === 429) pause(seconds(answer.headers.get("Retry-After")));
  };

  form.addEventListener("submit", (e) => {
    e.preventDefault();
    if (!button.disabled) void submit();
  });
  const known = recall("session");
  if (known === null) return;
  busy(true);
  show(known, () => {
    forget("session");
    busy(false);
    if (document.hasFocus()) field.focus();
  });
}

interface Answer {
  readonly session?: unknown;
  readonly error?: { readonly message?: unknown; readonly hint?: unknown };
}

/** The answer's body; what is no JSON says nothing. Fails only without a network. */
async function read(answer: Response): Promise<Answer> {
  const text = await answer.text();
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === "object" && said !== null ? said : {};
  } catch {
    return {};
  }
}

function words(said: Answer): string {
  return [said.error?.message, said.error?.hint].filter((s) => typeof s === "string" && s !== "").join(" ");
}

/** Retry-After in seconds, at most an hour. */
function seconds(header: string | null): number {
  const n = Number(header);
  return Number.isFinite(n) && n > 0 ? Math.min(3600, Math.ceil(n)) : 5;
}
