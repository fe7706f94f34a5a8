import type {
  AppState,
  BoardId,
  BoardSummary,
  BoardView,
  Column,
  Layout,
  InvitationId,
  InvitationView,
  LinkState,
  Options,
  Organisation,
  OrganisationId,
  Person,
  Row,
  ShareView,
  Tray,
  TrayChange,
  WidgetId,
  WidgetView,
} from "../lib/backend/types";

export const server = "https://sync.example.org";
const start = Date.UTC(2026, 2, 2);
const day = 86_400_000;

/** A number in 0..1 that is always the same for the same n. */
function noise(n: number): number {
  const x = Math.sin(n * 127.1 + 11.7) * 43758.5453;
  return x - Math.floor(x);
}

function widget(
  n: number,
  kind: string,
  title: string,
  layout: Layout,
  columns: readonly Column[],
  rows: readonly Row[],
  options: Options = {},
): WidgetView {
  return {
    id: `wgt_${String(n).padStart(26, "0")}` as WidgetId,
    kind,
    title,
    layout,
    options,
    columns,
    rows,
    rev: 1,
    dataRev: 1,
  };
}

function series(n: number, base: number, drift: number, seed: number): Row[] {
  return Array.from({ length: n }, (_, i) => [
    start + i * day,
    Math.round(base + drift * i + base * 0.18 * (noise(i + seed) - 0.5)),
  ]);
}

const value: readonly Column[] = [
  { name: "Day", type: "time" },
  { name: "Value", type: "number" },
];

export function shopWidgets(): readonly WidgetView[] {
  return [
    widget(1, "stat", "Revenue", { x: 0, y: 0, w: 3, h: 2 }, value, series(30, 18_200, 190, 1), {
      prefix: "€",
      better: "up",
    }),
    widget(2, "stat", "Orders", { x: 3, y: 0, w: 3, h: 2 }, value, series(30, 420, 3, 2), { better: "up" }),
    widget(
      3,
      "stat",
      "Conversion",
      { x: 6, y: 0, w: 3, h: 2 },
      value,
      series(30, 3, 0.02, 3).map((r, i) => [r[0] ?? null, 3 + i * 0.01 + noise(i) * 0.3]),
      { unit: "%", decimals: 2 },
    ),
    widget(4, "stat", "Refunds", { x: 9, y: 0, w: 3, h: 2 }, value, series(30, 24, -0.3, 4), { better: "down" }),
    widget(
      5,
      "line",
      "Visitors by channel",
      { x: 0, y: 2, w: 8, h: 5 },
      [
        { name: "Day", type: "time" },
        { name: "Search", type: "number" },
        { name: "Social", type: "number" },
        { name: "Direct", type: "number" },
      ],
      Array.from({ length: 60 }, (_, i) => [
        start + i * day,
        900 + i * 9 + Math.round(240 * noise(i)),
        520 + i * 3 + Math.round(180 * noise(i + 80)),
        310 + Math.round(120 * noise(i + 200)),
      ]),
      { area: true },
    ),
    widget(
      6,
      "status",
      "Services",
      { x: 8, y: 2, w: 4, h: 5 },
      [
        { name: "Service", type: "text" },
        { name: "State", type: "text" },
        { name: "Detail", type: "text" },
      ],
      [
        ["Shop", "ok", "142 ms"],
        ["Checkout", "degraded", "slow since 09:40"],
        ["Search", "ok", "38 ms"],
        ["Payments", "ok", "210 ms"],
        ["E-mail", "down", "being fixed"],
      ],
    ),
    widget(
      7,
      "bar",
      "Orders by region",
      { x: 0, y: 7, w: 5, h: 5 },
      [
        { name: "Region", type: "text" },
        { name: "This month", type: "number" },
        { name: "Last month", type: "number" },
      ],
      [
        ["North", 320, 290],
        ["South", 275, 301],
        ["East", 190, 160],
        ["West", 240, 225],
        ["Online", 410, 352],
      ],
    ),
    widget(
      8,
      "table",
      "Largest customers",
      { x: 5, y: 7, w: 7, h: 5 },
      [
        { name: "Customer", type: "text" },
        { name: "Plan", type: "text" },
        { name: "Since", type: "time" },
        { name: "Revenue", type: "number" },
      ],
      [
        "Alder & Co",
        "Birch Labs",
        "Cedar Works",
        "Dogwood",
        "Elm Street",
        "Fir & Sons",
        "Ginkgo",
        "Hazel Ltd",
        "Ivy League Books",
        "Juniper",
      ].map((n, i) => [
        n,
        ["Team", "Starter", "Business"][i % 3] ?? "",
        start - i * 40 * day,
        Math.round(5200 / (i + 1)),
      ]),
    ),
    widget(9, "markdown", "", { x: 0, y: 12, w: 12, h: 3 }, [], [], {
      text: "## How to read this\n\nFigures are **net of tax**. The week starts on Monday; see the [handbook](https://example.org/handbook).\n\n- Revenue counts paid orders only\n- Refunds are dated by the refund",
    }),
  ];
}

/** A link that was never turned on. */
export const noLink: LinkState = {
  mode: "private",
  enabled: false,
  token: "",
  shortId: "",
  version: 0,
  password: false,
  expires: 0,
  expired: false,
  slug: "",
  still: false,
  origins: [],
};
export const open: LinkState = {
  ...noLink,
  mode: "public",
  enabled: true,
  token: "shr_Zk3v9mQx7RtWb2LpHs8dNaQ4",
  shortId: "k7Qp2mXw9a",
  version: 3,
};
export const locked: LinkState = { ...open, mode: "password", password: true };
export const closed: LinkState = { ...open, mode: "private", enabled: false };

/** The organisations of the account, the personal one first. */
export const personal: Organisation = {
  id: "org_PERSONAL" as OrganisationId,
  name: "Ada Lovelace",
  role: "owner",
  personal: true,
};
export const acme: Organisation = { id: "org_ACME" as OrganisationId, name: "Acme", role: "admin", personal: false };

/** Somebody with a role of their own. */
export function person(name: string, to: Partial<Person> = {}): Person {
  const first = name.split(" ")[0]?.toLowerCase() ?? "";
  return {
    account: `acc_${first}`,
    name,
    email: `${first}@example.org`,
    role: "viewer",
    own: true,
    you: false,
    waiting: null,
    ...to,
  };
}
export const ada = person("Ada Lovelace", { role: "owner", you: true });

/** An invitation that waits for its answer. */
export function invitation(email: string, now: number, to: Partial<InvitationView> = {}): InvitationView {
  return {
    id: `inv_${email}` as InvitationId,
    email,
    role: "viewer",
    by: "Ada Lovelace",
    invited: now - 2 * day,
    expires: now + 5 * day,
    expired: false,
    delivery: "sent",
    reason: "",
    waiting: null,
    ...to,
  };
}

export function share(to: Partial<ShareView> = {}): ShareView {
  const wanted = to.wanted ?? noLink;
  return {
    inForce: noLink,
    waiting: [],
    refused: null,
    synced: true,
    url: wanted.token ? `${server}/share/${wanted.token}` : "",
    shortUrl: wanted.token ? `${server}/s/${wanted.shortId}` : "",
    slugUrl: wanted.slug ? `${server}/s/${wanted.slug}` : "",
    embedScript: `${server}/embed.js`,
    watching: 0,
    views: null,
    receipt: null,
    people: [ada],
    invitations: [],
    editorsShare: false,
    organisation: { id: personal.id, name: personal.name, size: 1, personal: true },
    presence: [],
    mail: true,
    canManage: true,
    ...to,
    wanted,
  };
}

/** Numbers of a link that was opened on most of the last `n` days. */
export function visits(now: number, n = 24): NonNullable<ShareView["views"]> {
  return {
    last: now - 2 * 60_000,
    day: new Date(now).toISOString().slice(0, 10),
    days: Array.from({ length: n }, (_, i) => Math.round(noise(i + 400) * 14 * (0.4 + i / n))),
  };
}

export function view(id: string, title: string, to: Partial<BoardView> = {}): BoardView {
  return {
    id: `dsh_${id}` as BoardId,
    title,
    description: "",
    theme: "system",
    role: "owner",
    trashed: false,
    sample: false,
    sync: "saved",
    queued: 0,
    refused: 0,
    undo: null,
    redo: null,
    share: share(),
    widgets: [],
    version: 1,
    ...to,
  };
}

export const shopId = "dsh_SHOP" as BoardId;

export function sampleViews(): readonly BoardView[] {
  return [
    view("SHOP", "Shop overview", {
      description: "The week at a glance, for everybody in the company.",
      widgets: shopWidgets(),
      undo: "Move widget",
      share: share({ inForce: open, wanted: open, watching: 4, views: visits(Date.now()) }),
    }),
    view("TEAM", "Team metrics", { widgets: shopWidgets().slice(0, 2) }),
    view("EMPTY", "Server health"),
    view("SAMPLE", "Marketing site", { sample: true, widgets: shopWidgets().slice(4) }),
    view("BORROWED", "Quarterly targets", {
      role: "viewer",
      widgets: shopWidgets().slice(0, 6),
      share: share({
        canManage: false,
        people: [
          person("Grace Hopper", { role: "owner", email: "" }),
          person("Ada Lovelace", { you: true, email: "" }),
          person("Alan Turing", { role: "editor", email: "" }),
        ],
        organisation: { id: "org_GRACE" as OrganisationId, name: "Grace Hopper", size: 1, personal: true },
      }),
    }),
    view("OLD", "Spring campaign", { trashed: true, widgets: shopWidgets().slice(0, 4) }),
  ];
}

/** A dashboard as the list of them shows it. */
export function summary(v: BoardView, updated: number, created: number): BoardSummary {
  const owner = v.share.people.find((p) => p.role === "owner");
  return {
    id: v.id,
    title: v.title,
    role: v.role,
    trashed: v.trashed,
    sample: v.sample,
    sync: v.sync,
    queued: v.queued,
    refused: v.refused,
    mode: v.share.inForce.mode,
    ends: v.share.inForce.mode === "private" ? 0 : v.share.inForce.expires,
    widgets: v.widgets.length,
    updated,
    created,
    mine: v.role === "owner",
    owner: v.role === "owner" ? "" : (owner?.name ?? ""),
    organisation: v.share.organisation?.id ?? "",
    canShare: v.share.canManage,
  };
}

export function sampleState(): AppState {
  return {
    boards: sampleViews().map((v, i) => summary(v, start + 60 * day - i * day, start - i * day)),
    account: {
      id: "acc_ada",
      email: "ada@example.org",
      name: "Ada Lovelace",
      server,
      verified: true,
      manageUrl: `${server}/account`,
    },
    signUp: null,
    organisations: [personal],
    sync: { state: "synced", sentence: "Everything is synced.", hint: "", queued: 0, total: 0, lastSynced: start },
    settings: { theme: "system" },
    desktop: false,
    place: "loopback",
    version: "0.1.0",
    defaultServer: server,
  };
}

/** A change that was refused. */
export function refusedChange(to: Partial<TrayChange> = {}): TrayChange {
  return {
    change: "title",
    board: false,
    widget: "Orders",
    kind: "stat",
    gone: false,
    option: "",
    value: "",
    rows: 0,
    times: 1,
    at: Date.now() - 7_200_000,
    reason: "forbidden",
    why: "You may view this dashboard, but not change it.",
    ...to,
  };
}

/** What was refused of a day's work. */
export function refusedTray(): Tray {
  const changes = [
    refusedChange({ value: "Orders of the day" }),
    refusedChange({ change: "append", widget: "Visitors by channel", kind: "line", rows: 240, times: 240 }),
    refusedChange({ change: "option", widget: "Revenue", option: "unit", value: "k€", at: Date.now() - 3_600_000 }),
    refusedChange({ change: "layout", widget: "Services", kind: "status", times: 3 }),
    refusedChange({
      change: "option",
      widget: "Old notes",
      kind: "markdown",
      option: "text",
      gone: true,
      value: "The shop closes early on Thursday; see the plan for the week after.",
    }),
    refusedChange({ change: "add", widget: "Deliveries", kind: "table", rows: 12, times: 5 }),
    refusedChange({
      change: "title",
      board: true,
      widget: "",
      kind: "",
      value: "Shop overview, week 12",
      at: Date.now() - 60_000,
    }),
  ];
  return { edits: changes.reduce((n, c) => n + c.times, 0), changes, more: 0, denied: "" };
}
