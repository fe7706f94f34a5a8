import type { BoardSummary, Organisation, OrganisationId } from "../../lib/backend/types";

/** A part of the list of dashboards. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** The organisation whose dashboards these are, null for the account's own and those of others. */
  readonly organisation: OrganisationId | null;
  readonly boards: readonly BoardSummary[];
}

/**
 * The list of dashboards in parts: the account's own, those of others that it was invited to, and those of each organisation
 * but the personal one. There is always a part for its own; one for others only if there are any.
 */
export function sections(boards: readonly BoardSummary[], organisations: readonly Organisation[]): readonly Section[] {
  const shared = organisations.filter((o) => !o.personal);
  const rest = boards.filter((b) => !shared.some((o) => o.id === b.organisation));
  const borrowed = rest.filter((b) => !b.mine);
  return [
    { id: "mine", title: "My dashboards", organisation: null, boards: rest.filter((b) => b.mine) },
    ...(borrowed.length > 0 ? [{ id: "shared", title: "Shared with me", organisation: null, boards: borrowed }] : []),
    ...shared.map((o) => ({
      id: o.id,
      title: o.name,
      organisation: o.id,
      boards: boards.filter((b) => b.organisation === o.id),
    })),
  ];
}
