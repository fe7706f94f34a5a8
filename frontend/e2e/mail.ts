import { expect } from "@playwright/test";

/** A mail in the mailbox of a development server. */
interface Letter {
  to: string;
  subject: string;
  text: string;
}

/** The links in the mails to an address, those of the newest mail first. `server` is where the server listens. */
async function links(server: string, to: string): Promise<string[]> {
  const answer = await fetch(`${server}/dev/mail.json`);
  if (!answer.ok) throw new Error(`the mailbox answers ${String(answer.status)}`);
  const letters = (await answer.json()) as readonly Letter[];
  return letters.filter((l) => l.to === to).flatMap((l) => l.text.match(/https?:\/\/[^\s<>"]+/g) ?? []);
}

/**
 * Waits for a mail to an address with a link below a path, and returns the newest such link, at the address where the
 * server listens: its public one may not be reached from here.
 */
export async function mailed(server: string, to: string, path: string): Promise<string> {
  let found: string | undefined;
  await expect
    .poll(
      async () => {
        found = (await links(server, to)).map((l) => new URL(l).pathname).find((p) => p.startsWith(path));
        return found;
      },
      { message: `a mail to ${to} with a link to ${path}` },
    )
    .toBeDefined();
  return `${server}${found ?? ""}`;
}

/** Opens the link in the newest mail that asks whether an address is right, and gives the password on its page. */
export async function confirm(server: string, email: string, password: string): Promise<void> {
  const page = await mailed(server, email, "/confirm/");
  const body = new URLSearchParams({ password });
  const pressed = await fetch(page, { method: "POST", body, redirect: "manual" });
  if (pressed.status >= 400) throw new Error(`the address was not confirmed: ${String(pressed.status)}`);
}
