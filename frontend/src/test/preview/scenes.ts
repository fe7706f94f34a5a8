import type { SyncStatus } from "../../lib/backend/types";
import type { FakeBackend } from "../fakeBackend";
import { closed as off, locked, noLink, open, share, shopId, visits } from "../samples";

const offline: SyncStatus = {
  state: "offline",
  sentence: "Offline. 3 changes wait on this computer.",
  hint: "They are sent as soon as the server can be reached; trying again in 20 seconds.",
  queued: 3,
  lastSynced: Date.UTC(2026, 2, 2),
};
const hour = 3_600_000;
const next = { ...open, token: "shr_N3wT0k3nN3wT0k3nN3wT0kN3", shortId: "n3wn3wn3wn", version: 4 } as const;

function set(
  backend: FakeBackend,
  to: Parameters<typeof share>[0],
  around: { sync?: SyncStatus; signedOut?: boolean } = {},
): void {
  backend.change(shopId, { share: share(to) });
  backend.appState = {
    ...backend.appState,
    ...(around.sync ? { sync: around.sync } : {}),
    ...(around.signedOut
      ? {
          account: null,
          sync: {
            state: "off",
            sentence: "Not signed in.",
            hint: "Everything is saved on this computer.",
            queued: 0,
            lastSynced: 0,
          },
        }
      : {}),
  };
}

/** Situations of the program, by name. */
export const scenes: Readonly<Record<string, (backend: FakeBackend) => void>> = {
  private: (b) => {
    set(b, {});
  },
  disabled: (b) => {
    set(b, { inForce: off, wanted: off, receipt: { cut: 3, ms: 40 } });
  },
  notYet: (b) => {
    set(b, { wanted: open, waiting: [{ id: "1", action: "enable" }], synced: false }, { sync: offline });
  },
  stillPublic: (b) => {
    set(b, { inForce: open, wanted: off, waiting: [{ id: "1", action: "disable" }], watching: 0 }, { sync: offline });
  },
  oldLink: (b) => {
    set(b, { inForce: open, wanted: next, waiting: [{ id: "1", action: "rotate" }] }, { sync: offline });
  },
  password: (b) => {
    set(b, { inForce: locked, wanted: locked, watching: 2, views: visits(Date.now()) });
  },
  /** A password was set while the link was open, and waits. */
  stillOpen: (b) => {
    const wanted = { ...locked, expires: Date.now() + 74 * hour };
    set(
      b,
      {
        inForce: open,
        wanted,
        waiting: [
          { id: "1", action: "password" },
          { id: "2", action: "expiry" },
        ],
      },
      { sync: offline },
    );
  },
  named: (b) => {
    const link = { ...open, slug: "team-status", expires: Date.now() + 74 * hour };
    set(b, { inForce: link, wanted: link, watching: 4, views: visits(Date.now()) });
  },
  taken: (b) => {
    set(b, {
      inForce: open,
      wanted: open,
      refused: { action: "slug", message: "The name “status” is taken. Choose another one." },
    });
  },
  endsSoon: (b) => {
    const link = { ...locked, expires: Date.now() + 2.6 * hour };
    set(b, { inForce: link, wanted: link, watching: 1, views: visits(Date.now()) });
  },
  ended: (b) => {
    const link = { ...open, mode: "private", expires: Date.now() - 30 * hour, expired: true } as const;
    set(b, { inForce: link, wanted: link, views: visits(Date.now(), 9) });
  },
  limited: (b) => {
    const link = {
      ...locked,
      still: true,
      slug: "team-status",
      origins: ["https://*.example.org", "https://intranet.example.com:8443"],
    };
    set(b, { inForce: link, wanted: link, views: { last: 0, day: "2026-01-01", days: [] } });
  },
  waitingFirst: (b) => {
    set(
      b,
      { inForce: noLink, wanted: locked, waiting: [{ id: "1", action: "enable" }], synced: false },
      { sync: offline },
    );
  },
  offWithPassword: (b) => {
    const link = { ...off, password: true };
    set(b, { inForce: link, wanted: link });
  },
  offAndOver: (b) => {
    const link = { ...off, expires: Date.now() - hour };
    set(b, { inForce: link, wanted: link });
  },
  /** In the trash, which the server does not know yet. */
  trashed: (b) => {
    set(b, { inForce: open, wanted: open, synced: false }, { sync: offline });
    b.change(shopId, { trashed: true });
  },
  signedOut: (b) => {
    set(b, {}, { signedOut: true });
  },
  refused: (b) => {
    set(b, {
      inForce: open,
      wanted: open,
      refused: {
        action: "rotate",
        message: "The link was changed on another computer in the meantime. What you see now is the state in force.",
      },
    });
  },
  refusedEdits: (b) => {
    b.change(shopId, { sync: "refused", queued: 4 });
  },
  offline: (b) => {
    b.appState = { ...b.appState, sync: offline };
  },
  failed: (b) => {
    b.faults.set("state", {
      kind: "outdated",
      message: "Your data was written by a newer version of widgets.pro.",
      hint: "Install the newest version; your data was not touched.",
    });
  },
  slow: (b) => {
    b.state().then(
      () => {
        const real = b.board.bind(b);
        b.board = async (id) => {
          await new Promise((done) => setTimeout(done, 60_000));
          return real(id);
        };
      },
      () => undefined,
    );
  },
  none: (b) => {
    b.appState = { ...b.appState, boards: [] };
  },
  import: (b) => {
    b.preview = {
      id: "imp1",
      name: "visits.csv",
      options: {
        format: "csv",
        delimiter: ";",
        header: true,
        decimal: ",",
        dateOrder: "dmy",
        types: ["time", "text", "number", "number"],
        keep: [0, 1, 2, 3],
      },
      columns: [
        { name: "Datum", type: "time" },
        { name: "Kanal", type: "text" },
        { name: "Besuche", type: "number" },
        { name: "Umsatz", type: "number" },
      ],
      sample: Array.from({ length: 12 }, (_, i) => [
        Date.UTC(2026, 2, 1 + i),
        ["Suche", "Direkt", "Social"][i % 3] ?? "",
        i === 4 ? "k. A." : 120 + i * 7,
        1024.5 + i * 31,
      ]),
      totalRows: 24_310,
      keptRows: 20_000,
      warnings: [
        "3 cells in “Besuche” are not numbers; they are kept as text and left out of charts.",
        "2 rows have fewer cells than the header; the missing cells are empty.",
      ],
      suggested: "line",
    };
  },
};
