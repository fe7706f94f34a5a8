import type { Page } from "@playwright/test";
import { expect } from "@playwright/test";
import type { BoardView, Layout, LinkState, ShareChange, ShareView } from "../src/lib/backend/types";

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
    await post(page, "/api/account/signup", {
      server,
      email: "ann@example.org",
      password: "correct horse battery staple",
    });
    if (sample) {
      const { boards } = (await get(page, "/api/state")) as { boards: { id: string; title: string }[] };
      const id = boards.find((b) => b.title === title)?.id;
      if (id === undefined) throw new Error(`there is no sample ${title}`);
      return new Desk(page, id);
    }
    const { id } = (await post(page, "/api/boards", { title })) as { id: string };
    return new Desk(page, id);
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
