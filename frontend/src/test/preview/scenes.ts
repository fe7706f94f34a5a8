import type { BoardId, OrganisationId, ShareView, SyncStatus } from "../../lib/backend/types";
import type { FakeBackend } from "../fakeBackend";
import { tellHistory, tellWaiting } from "./history";
import {
  acme,
  ada,
  closed as off,
  invitation,
  locked,
  noLink,
  open,
  person,
  personal,
  refusedTray,
  share,
  shopId,
  view,
  visits,
} from "../samples";

const offline: SyncStatus = {
  state: "offline",
  sentence: "Offline. 3 changes wait on this computer.",
  hint: "They are sent as soon as the server can be reached; trying again in 20 seconds.",
  queued: 3,
  total: 3,
  lastSynced: Date.UTC(2026, 2, 2),
};
const draining: SyncStatus = {
  state: "syncing",
  sentence: "Saved on this device. Sending to widgets.example.org; 6,500 of 10,000 changes to go.",
  hint: "",
  queued: 6500,
  total: 10_000,
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
            total: 0,
            lastSynced: 0,
          },
        }
      : {}),
  };
}

const grace = person("Grace Hopper", { role: "editor" });
const alan = person("Alan Turing");
const company = { id: acme.id, name: acme.name, size: 5, personal: false };

/** People and invitations of every kind. */
function crowd(now = Date.now()): Partial<ShareView> {
  return {
    people: [
      ada,
      grace,
      alan,
      person("Katherine Johnson-Goble of the computing department", { email: "k@example.org" }),
    ],
    invitations: [
      invitation("margaret@example.org", now, { role: "editor" }),
      invitation("dorothy@example.org", now, { delivery: "queued", invited: now - 2000 }),
      invitation("nobody@example.net", now, { delivery: "undeliverable", reason: "There is no such mailbox." }),
      invitation("annie@example.org", now, { by: "Grace Hopper", expires: now - 5 * hour, expired: true }),
    ],
    presence: [
      { account: grace.account, name: grace.name, editing: true },
      { account: alan.account, name: alan.name, editing: false },
    ],
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
  people: (b) => {
    set(b, { inForce: open, wanted: open, watching: 2, ...crowd() });
  },
  invited: (b) => {
    set(b, crowd());
  },
  /** Of an organisation, with more members than are listed by themselves. */
  organisation: (b) => {
    const members = ["Joan Clarke", "Betty Holberton", "Jean Bartik", "Kay McNulty", "Ruth Teitelbaum"];
    const people = [
      ada,
      grace,
      ...members.map((n, i) => person(n, { own: false, role: i === 0 ? "owner" : "viewer" })),
    ];
    b.appState = { ...b.appState, organisations: [personal, acme] };
    set(b, { people, organisation: { ...company, size: 6 }, editorsShare: true });
  },
  /** What was done to people without a connection. */
  peopleOffline: (b) => {
    b.online = false;
    const now = Date.now();
    set(
      b,
      {
        people: [
          ada,
          { ...grace, waiting: { action: "role", role: "viewer" } },
          { ...alan, waiting: { action: "remove" } },
        ],
        invitations: [
          invitation("margaret@example.org", now, { waiting: "revoke" }),
          invitation("annie@example.org", now, { waiting: "resend", delivery: "undeliverable" }),
          invitation("dorothy@example.org", now, { waiting: "invite", delivery: "waiting" }),
        ],
        waiting: [
          { id: "1", action: "role" },
          { id: "2", action: "role" },
          { id: "3", action: "revoke" },
          { id: "4", action: "resend" },
          { id: "5", action: "invite" },
        ],
      },
      { sync: offline },
    );
  },
  noMail: (b) => {
    set(b, { mail: false });
  },
  /** Somebody else's, edited by the account, which may not share it. */
  editor: (b) => {
    const people = [
      person("Grace Hopper", { role: "owner", email: "" }),
      person("Ada Lovelace", { role: "editor", you: true, email: "" }),
      person("Alan Turing", { email: "" }),
    ];
    set(b, { people, canManage: false, organisation: null });
    b.change(shopId, { role: "editor" });
  },
  /** The same, where editors may share. */
  sharer: (b) => {
    const people = [person("Grace Hopper", { role: "owner" }), { ...ada, role: "editor" as const }, alan];
    set(b, { ...crowd(), people, canManage: true, editorsShare: true });
    b.change(shopId, { role: "editor" });
  },
  /** A sign-up whose mail was not opened yet, on a server with a development mailbox. */
  signUp: (b) => {
    set(b, {}, { signedOut: true });
    b.appState = {
      ...b.appState,
      signUp: { email: "ada@example.org", server: b.appState.defaultServer, mailbox: "http://127.0.0.1:8080/dev/mail" },
    };
  },
  /** In a browser on a sync server. */
  web: (b) => {
    set(b, crowd());
    b.appState = { ...b.appState, place: "web", organisations: [personal, acme] };
  },
  webOut: (b) => {
    set(b, {}, { signedOut: true });
    b.appState = { ...b.appState, place: "web" };
  },
  /** An address that is not proved to be the account's. */
  unverified: (b) => {
    const { account } = b.appState;
    b.appState = { ...b.appState, account: account && { ...account, verified: false } };
  },
  /** Dashboards of the account, of others and of two organisations, one of which has none. */
  sections: (b) => {
    const other = {
      ...acme,
      id: "org_EMPTY" as OrganisationId,
      name: "Society for Calculation",
      role: "member" as const,
    };
    b.appState = { ...b.appState, organisations: [personal, acme, other] };
    b.views.set("dsh_ACME1" as BoardId, {
      ...view("ACME1", "Company goals"),
      share: share({ organisation: company, people: [ada] }),
    });
    b.views.set("dsh_ACME2" as BoardId, {
      ...view("ACME2", "Support load"),
      role: "viewer",
      share: share({ organisation: company, canManage: false, people: [{ ...grace, role: "owner" }] }),
    });
    b.views.set("dsh_LENT" as BoardId, {
      ...view("LENT", "Conference budget of the whole department"),
      role: "editor",
      share: share({ organisation: null, canManage: false, people: [{ ...alan, role: "owner" }] }),
    });
    b.change(shopId, {});
  },
  /** More people than there is room for. */
  busy: (b) => {
    const names = ["Grace Hopper", "Alan Turing", "Joan Clarke", "Betty Holberton", "Jean Bartik", "Kay McNulty"];
    const presence = names.map((name, i) => ({ account: `acc_${String(i)}`, name, editing: i === 2 }));
    set(b, { inForce: open, wanted: open, presence });
  },
  /** The right to edit went while a title was typed. */
  lowered: (b) => {
    b.change(shopId, { role: "viewer", share: share({ canManage: false, people: [{ ...grace, role: "owner" }] }) });
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
    b.refuse(shopId, refusedTray());
  },
  refusedFew: (b) => {
    const tray = refusedTray();
    b.refuse(shopId, { ...tray, edits: 2, changes: tray.changes.slice(0, 2) });
  },
  takenAway: (b) => {
    const denied = "It belongs to Grace Hopper and is not shared with you any more.";
    const tray = refusedTray();
    b.refuse(shopId, { ...tray, denied, changes: tray.changes.map((c) => ({ ...c, why: denied })) });
  },
  draining: (b) => {
    b.appState = { ...b.appState, sync: draining };
  },
  /** Weeks of changes by several people. */
  history: (b) => {
    set(b, { ...crowd(), inForce: open, wanted: open });
    tellHistory(b);
  },
  historyPages: (b) => {
    tellHistory(b);
    b.past.page = 5;
  },
  historyOffline: (b) => {
    tellWaiting(b);
    b.past.missing = "Changes from before 24 Nov are on the server, which cannot be reached now.";
    b.appState = { ...b.appState, sync: offline };
  },
  historyUnreachable: (b) => {
    b.past.missing = "The history is on the server, which cannot be reached now.";
    b.appState = { ...b.appState, sync: offline };
  },
  historyNoRows: (b) => {
    tellHistory(b);
    b.past.rows = false;
  },
  historyFailed: (b) => {
    b.faults.set("history", {
      kind: "unavailable",
      message: "The server does not answer.",
      hint: "Try again in a moment; nothing is lost.",
    });
  },
  historyGone: (b) => {
    tellHistory(b);
    b.faults.set("boardAt", {
      kind: "not_found",
      message: "This state is not kept any more.",
      hint: "States from more than a year ago are tidied away.",
    });
  },
  historySlow: (b) => {
    tellHistory(b);
    const late = new Promise<never>(() => undefined);
    b.history = () => late;
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
