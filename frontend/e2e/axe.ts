import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** What to look at besides the page as a whole. */
interface Scope {
  /** What is looked at, for the message of a failure. */
  what?: string;
  /** The same page was looked at in its other colours: only what depends on them is looked at again. */
  recoloured?: boolean;
  /** Also the pages of other sites in its frames. */
  frames?: boolean;
  /** A rule that does not hold for this page. */
  without?: string;
}

/** Looks at a page with axe, and expects that everybody can use it. */
export async function expectAccessible(page: Page, scope: Scope = {}): Promise<void> {
  const axe = new AxeBuilder({ page });
  if (scope.frames) axe.include(["iframe", "html"]);
  else axe.setLegacyMode(); // which opens no further page for each look
  if (scope.recoloured) axe.withRules(["color-contrast", "link-in-text-block"]);
  if (scope.without !== undefined) axe.disableRules(scope.without);
  const { violations } = await axe.analyze();
  expect(
    violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`),
    scope.what,
  ).toEqual([]);
}
