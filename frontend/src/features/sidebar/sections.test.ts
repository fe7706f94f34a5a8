import { expect, test } from "vitest";
import type { BoardSummary, OrganisationId } from "../../lib/backend/types";
import { acme, person, personal, share, summary, view } from "../../test/samples";
import { sections } from "./sections";

function board(id: string, to: Partial<BoardSummary>): BoardSummary {
  return { ...summary(view(id, id, { share: share({ people: [person("Bob", { role: "owner" })] }) }), 0, 0), ...to };
}

test("A1 dashboards are listed as one's own, those of others, and those of each organisation but the personal one", () => {
  const boards = [
    board("OWN", { mine: true, organisation: personal.id }),
    board("LENT", { mine: false, organisation: "org_OTHER" as OrganisationId }),
    board("OURS", { mine: true, organisation: acme.id }),
    board("THEIRS", { mine: false, organisation: acme.id }),
    board("NEW", { mine: true, organisation: "" }),
  ];
  expect(sections(boards, [personal, acme]).map((s) => [s.title, s.boards.map((b) => b.title)])).toEqual([
    ["My dashboards", ["OWN", "NEW"]],
    ["Shared with me", ["LENT"]],
    ["Acme", ["OURS", "THEIRS"]],
  ]);
});

test("A1 the list stays simple where there is only one's own", () => {
  expect(sections([board("OWN", { mine: true, organisation: personal.id })], [personal]).map((s) => s.title)).toEqual([
    "My dashboards",
  ]);
  expect(sections([], []).map((s) => s.title)).toEqual(["My dashboards"]);
});
