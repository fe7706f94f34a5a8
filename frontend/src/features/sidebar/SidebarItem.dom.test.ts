import "../../test/page";
import { screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { start } from "../../test/app";
import type { LinkState } from "../../lib/backend/types";
import { closed, locked, open, share, shopId } from "../../test/samples";

const hour = 3_600_000;

/** The entry of the shop in the list of dashboards, with that link in force. */
async function entry(inForce: LinkState, wanted = inForce): Promise<HTMLElement> {
  await start((b) => {
    b.change(shopId, { share: share({ inForce, wanted }) });
  });
  const list = within(screen.getByRole("navigation", { name: "Dashboards" }));
  return list.getByRole("link", { name: /^Shop/ });
}

test.each([
  ["an open link", open, 0, ", Public link"],
  ["a link with a password", locked, 0, ", Link with password"],
  ["a link that ends soon", open, 3.1 * hour, ", Public link, ends in 3 hours"],
  ["one with a password", locked, 2.1 * hour, ", Link with password, ends in 2 hours"],
  ["a link that ends some day", open, 30 * hour, ", Public link"],
  // The program told it before its time was over.
  ["a link whose time is over", open, -hour, ""],
])("A4 L5 the list of dashboards says who gets in, and until when: %s", async (_, link, left, words) => {
  const item = await entry({ ...link, expires: left === 0 ? 0 : Date.now() + left });
  expect(item.querySelector(".sr-only")?.textContent ?? "").toBe(words);
});

test("Q1 the list of dashboards shows a link as open until the server has turned it off", async () => {
  const item = await entry(open, closed);
  expect(item.querySelector(".sr-only")?.textContent).toBe(", Public link");
});
