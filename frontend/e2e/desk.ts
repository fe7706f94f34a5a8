import type { Page } from "@playwright/test";
import { expect } from "@playwright/test";
import type { AppState, BoardView, Invited, Layout, LinkState, ShareChange, ShareView } from "../src/lib/backend/types";
import { confirm } from "./mail";

/**
 * The owner's desk, for tests that are about viewers: what its screens do through the bridge, without the clicks. The
 * screens themselves are tested elsewhere.
 */
export class Desk {
  private constructor(
    private readonly page: Page,
    readonly id: string,
  ) {}

  /** Signs up and makes a dashboard with a title, or takes one of the samples by its title. */
  static async open(page: Page, server: string, title: string, sample = false): Promise<Desk> {
    await Desk.signUp(page, server, "ann@example.org");
    if (sample) {
      const { boards } = await state(page);
      const id = boards.find((b) => b.title === title)?.id;
      if (id === undefined) throw new Error(`there is no sample ${title}`);
      return new Desk(page, id);
    }
    const { id } = (await post(page, "/api/boards", { title })) as { id: string };
    return new Desk(page, id);
  }

  /** Takes a dashboard that is in the list of a program whose user is signed in already. */
  static async find(page: Page, title: string): Promise<Desk> {
    let id: string | undefined;
    await expect
      .poll(async () => {
        id = (await state(page)).boards.find((b) => b.title === title)?.id;
        return id;
      })
      .toBeDefined();
    return new Desk(page, id ?? "");
  }

  /** Signs up at a server with a development mailbox, and waits until the program is signed in. */
  static async signUp(page: Page, server: string, email: string, password = PASSWORD): Promise<void> {
    await post(page, "/api/account/signup", { server, email, password });
    await confirm(server, email, password);
    await expect.poll(async () => (await state(page)).account?.email).toBe(email);
  }

  /** Signs in to an account that there is. */
  static async logIn(page: Page, server: string, email: string, password = PASSWORD): Promise<void> {
    await post(page, "/api/account/login", { server, email, password });
    await expect.poll(async () => (await state(page)).account?.email).toBe(email);
  }

  async edit(...edits: unknown[]): Promise<void> {
    await post(this.page, `/api/boards/${this.id}/edits`, { edits, label: "edit" });
  }

  async view(): Promise<BoardView> {
    return (await get(this.page, `/api/boards/${this.id}`)) as BoardView;
  }

  /** Changes sharing and waits until the server has said that it is in force. */
  async share(...changes: ShareChange[]): Promise<ShareView> {
    for (const c of changes) await post(this.page, `/api/boards/${this.id}/share`, c);
    return await this.settled();
  }

  /** Invites people and waits until the server has taken it. */
  async invite(addresses: string, role: "viewer" | "editor" = "viewer", message = ""): Promise<Invited> {
    const invited = await post(this.page, `/api/boards/${this.id}/invite`, { addresses, role, message });
    await this.settled();
    return invited as Invited;
  }

  /** Tells the others that the dashboard is on the screen here, and whether it is being changed. */
  async look(editing = false): Promise<void> {
    await post(this.page, "/api/look", { board: this.id, editing });
  }

  /** Waits until no change of sharing waits any more. */
  private async settled(): Promise<ShareView> {
    await expect
      .poll(async () => {
        const { share } = await this.view();
        return share.refused?.message ?? share.waiting.length;
      })
      .toBe(0);
    return (await this.view()).share;
  }

  async link(): Promise<LinkState> {
    return (await this.view()).share.inForce;
  }
}

/** The password of the accounts that tests make. */
export const PASSWORD = "correct horse battery staple";

async function state(page: Page): Promise<AppState> {
  return (await get(page, "/api/state")) as AppState;
}

/** The edit that adds a widget of text. */
export function note(title: string, text: string, layout: Layout = { x: 0, y: 90, w: 4, h: 3 }): object {
  return { do: "add", kind: "markdown", title, layout, options: { text } };
}

async function get(page: Page, path: string): Promise<unknown> {
  return await page.evaluate(async (p) => {
    const r = await fetch(p, { cache: "no-store" });
    if (!r.ok) throw new Error(await r.text());
    return (await r.json()) as unknown;
  }, path);
}

async function post(page: Page, path: string, body: unknown): Promise<unknown> {
  return await page.evaluate(
    async ([p, b]) => {
      const r = await fetch(p, { method: "POST", headers: { "Content-Type": "application/json" }, body: b });
      if (!r.ok) throw new Error(`${p}: ${await r.text()}`);
      return (await r.json()) as unknown;
    },
    [path, JSON.stringify(body)] as const,
  );
}
