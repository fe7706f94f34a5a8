/**
 * The vocabulary that screens and Go share. Each interface mirrors a Go struct of the same name in app/internal/bridge
 * (or shared/board); times are milliseconds since 1970, ids are opaque strings.
 */

export type BoardId = string & { readonly __brand: "BoardId" };
export type WidgetId = string & { readonly __brand: "WidgetId" };
export type OrganisationId = string & { readonly __brand: "OrganisationId" };
export type InvitationId = string & { readonly __brand: "InvitationId" };

export type WidgetKind = "stat" | "line" | "bar" | "table" | "markdown" | "status";
export type Theme = "system" | "light" | "dark";
export type ColumnType = "number" | "time" | "text";
export type Cell = number | string | boolean | null;
export type Row = readonly Cell[];

export interface Column {
  name: string;
  type: ColumnType;
}

/** Place on the 12-column grid, in columns and rows. */
export interface Layout {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Values by option name; null or absent means automatic. The names by kind are in shared/board/fields.go. */
export type Options = Readonly<Record<string, unknown>>;

/** One widget. `rev` grows whenever anything but its rows changed, `dataRev` whenever its rows did. */
export interface WidgetView {
  id: WidgetId;
  /** A kind this version does not know is drawn as a placeholder. */
  kind: WidgetKind | (string & {});
  title: string;
  layout: Layout;
  options: Options;
  columns: readonly Column[];
  rows: readonly Row[];
  rev: number;
  dataRev: number;
}

/** A page of a dashboard's history, the newest changes first. */
export interface History {
  changes: readonly HistoryChange[];
  /** What to ask for older changes with, "" at the end. */
  next: string;
  /** Says in words why older changes cannot be told, "" if that is all. */
  missing: string;
}

/** What one person did in one go. */
export interface HistoryChange {
  /** Names the state after it; of a lost change, the state as it would have been. */
  position: string;
  at: number;
  /** A name, "" for somebody who has no account any more. */
  by: string;
  mine: boolean;
  /** It has not reached the server. */
  waiting: boolean;
  /** Somebody's later change had won, so it never showed; there is one item. */
  lost: boolean;
  items: readonly HistoryItem[];
}

export type HistoryWhat =
  "set" | "added" | "removed" | "back" | "trashed" | "untrashed" | "appended" | "replaced" | "trimmed" | "buried";

/** One thing that was changed, in one widget or, with "" as widget, in the dashboard's head. */
export interface HistoryItem {
  what: HistoryWhat;
  widget: WidgetId | "";
  /** What the widget is called now or was last. */
  title: string;
  /** Of "set": title, description, theme, kind, layout, or opt. and an option's name; what it was set to. */
  field: string;
  value?: unknown;
  /** Rows that were written. */
  rows: number;
}

/** A dashboard as it was at a position of its history. */
export interface Then {
  position: string;
  title: string;
  description: string;
  theme: Theme;
  widgets: readonly WidgetView[];
  /** False where the rows of then are not kept any more: they are later ones. */
  rows: boolean;
}

/** What a share link's dialog shows. `inForce` is what the server last said, `wanted` what it will be once synced. */
export interface ShareView {
  inForce: LinkState;
  wanted: LinkState;
  /** Commands that wait for the connection, oldest first. */
  waiting: readonly { id: string; action: ShareAction | "delete" | "invite" }[];
  /** The last command the server refused, until dismissed. */
  refused: { action: string; message: string } | null;
  /** Whether the dashboard has ever reached the server, and whether all its edits have. */
  synced: boolean;
  /** Full URLs for `wanted`, empty when there is no link or the server's address is not known. */
  url: string;
  shortUrl: string;
  slugUrl: string;
  /** Address of the script that fits frames to their content, empty without a server. */
  embedScript: string;
  watching: number;
  /** How often the link was opened: counts by day (UTC), the last of them that of `day`. Null if it was never asked. */
  views: { last: number; day: string; days: readonly number[] } | null;
  /** The latest receipt after a revocation, or null: connections cut and how long the slowest took. */
  receipt: { cut: number; ms: number } | null;
  /** Who can open it with an account. Addresses are empty for those who may not manage sharing. */
  people: readonly Person[];
  /** Invitations that wait for an answer, those that still wait for the connection included; for who may share. */
  invitations: readonly InvitationView[];
  /** Whether editors may manage sharing too, as it will be once synced. */
  editorsShare: boolean;
  /** The organisation whose members can view it, and how many they are. Null before the server has told. */
  organisation: { id: OrganisationId; name: string; size: number; personal: boolean } | null;
  /** Who else has the dashboard before them now; empty offline. */
  presence: readonly { account: string; name: string; editing: boolean }[];
  /** Whether the server can send mail; true before it has told. */
  mail: boolean;
  canManage: boolean;
}

/** Somebody who can open the dashboard. `own` says that the role was given on it, rather than by the organisation. */
export interface Person {
  account: string;
  name: string;
  email: string;
  role: Role;
  own: boolean;
  you: boolean;
  /** The change of this person that waits for the connection; `role` is the one in force until then. */
  waiting: { action: "role"; role: Role } | { action: "remove" } | null;
}

export interface InvitationView {
  id: InvitationId;
  email: string;
  role: Role;
  /** Name of who invited. */
  by: string;
  invited: number;
  expires: number;
  expired: boolean;
  /** How far the mail has come: `waiting` is still on this device. */
  delivery: "waiting" | "queued" | "sent" | "undeliverable";
  /** Why it is undeliverable, in words. */
  reason: string;
  /** The change of it that waits for the connection. */
  waiting: "invite" | "resend" | "revoke" | null;
}

/** What became of a list of addresses to invite: bad ones are as they were typed; present have a role or an invitation. */
export interface Invited {
  invited: readonly string[];
  bad: readonly string[];
  present: readonly string[];
}

export interface Organisation {
  id: OrganisationId;
  name: string;
  role: "owner" | "admin" | "member";
  personal: boolean;
}

export interface LinkState {
  mode: "private" | "public" | "password";
  enabled: boolean;
  token: string;
  shortId: string;
  version: number;
  /** Whether viewers are asked for a password. */
  password: boolean;
  /** When the link ends by itself, 0 if never; `expired` says that it has. */
  expires: number;
  expired: boolean;
  slug: string;
  /** Interaction is locked to off for every viewer. */
  still: boolean;
  /** Sites that may frame it; empty allows every one. */
  origins: readonly string[];
}

/** What the share dialog asks for; each is one command. `enable` may carry a password to be set from the first moment. */
export type ShareChange =
  | { action: "enable"; password?: string }
  | { action: "disable" | "rotate" | "no_password" }
  | { action: "password"; password: string }
  | { action: "expiry"; expires: number }
  | { action: "slug"; slug: string }
  | { action: "still"; still: boolean }
  | { action: "origins"; origins: readonly string[] }
  | { action: "resend" | "revoke"; invitation: InvitationId }
  /** An empty role removes the person. */
  | { action: "role"; account: string; role: Role | "" }
  | { action: "editors_share"; allow: boolean }
  | { action: "move"; organisation: OrganisationId };

export type ShareAction = ShareChange["action"];

export type Role = "owner" | "editor" | "viewer";

/**
 * What the server refused of the edits made here, until they are kept as a copy or discarded. Edits of one field that were
 * refused for one reason are one change; `edits` counts them all, `more` the changes that are not listed. `denied` is why the
 * dashboard cannot be opened any more, empty if it can.
 */
export interface Tray {
  edits: number;
  changes: readonly TrayChange[];
  more: number;
  denied: string;
}

/** One change that was refused; see Tray. */
export interface TrayChange {
  change:
    | "title"
    | "description"
    | "theme"
    | "trash"
    | "restore"
    | "add"
    | "remove"
    | "kind"
    | "layout"
    | "option"
    | "rows"
    | "append"
    | "trim"
    | "other";
  /** Whether it is about the dashboard itself; otherwise about a widget, with its title and kind as far as known. */
  board: boolean;
  widget: string;
  kind: string;
  /** Whether the widget does not exist any more. */
  gone: boolean;
  /** Name of the option, for `option`. */
  option: string;
  /** What was written, clipped. */
  value: string;
  rows: number;
  /** How many edits it took, and when the last of them was made. */
  times: number;
  at: number;
  reason: string;
  /** The server's reason, as a sentence. */
  why: string;
}

/** Where the edits of one dashboard are: only here, on the way, all on the server, or no longer permitted. */
export type BoardSync = "device" | "waiting" | "saved" | "refused" | "denied";

export interface BoardView {
  id: BoardId;
  title: string;
  description: string;
  theme: Theme;
  role: Role;
  trashed: boolean;
  sample: boolean;
  sync: BoardSync;
  /** Number of edits that wait for the server, and of those that it refused and that are not settled yet. */
  queued: number;
  refused: number;
  undo: string | null;
  redo: string | null;
  share: ShareView;
  widgets: readonly WidgetView[];
  /** Version of this view in this run of the program; pass it as `have` to get a patch. */
  version: number;
}

/**
 * What changed since version `have`: everything of BoardView but the widgets, the ids of all live widgets in reading
 * order, and those widgets that changed. A widget's rows come whole (`rows`), or as an addition to what the receiver has
 * (`append`), or not at all when they did not change.
 */
export interface BoardPatch extends Omit<BoardView, "widgets"> {
  order: readonly WidgetId[];
  changed: readonly (Omit<WidgetView, "rows"> & { rows?: readonly Row[]; append?: readonly Row[] })[];
}

export interface BoardSummary {
  id: BoardId;
  title: string;
  role: Role;
  trashed: boolean;
  sample: boolean;
  sync: BoardSync;
  queued: number;
  /** Number of edits that the server refused and that are not settled yet. */
  refused: number;
  /** The mode in force, whatever waits for the server. */
  mode: "private" | "public" | "password";
  /** When the link that is in force ends; 0 if never, or if nobody gets in by it. */
  ends: number;
  widgets: number;
  updated: number;
  created: number;
  /** Whether it is the account's own, or nobody's yet; otherwise `owner` is the name of who owns it. */
  mine: boolean;
  owner: string;
  /** The organisation that it belongs to; empty before the server has told. */
  organisation: OrganisationId | "";
  /** Whether sharing may be managed. */
  canShare: boolean;
}

export type SyncState = "off" | "offline" | "connecting" | "syncing" | "synced" | "refused";

/**
 * The connection to the server, in words: `sentence` is ready to show, `hint` says what to do. `total` is, while changes are
 * being sent, how many waited at most since that began; otherwise it is `queued`.
 */
export interface SyncStatus {
  state: SyncState;
  sentence: string;
  hint: string;
  queued: number;
  total: number;
  lastSynced: number;
}

export interface Account {
  /** The same as that of the person wherever people are listed. */
  id: string;
  email: string;
  name: string;
  server: string;
  /** Whether the address was proved to be the account's. */
  verified: boolean;
  /** Page of the server on which account, sessions and organisations are managed. */
  manageUrl: string;
}

/** A sign-up that waits for the link in a mail to be opened. `mailbox` is the page of a development server's mailbox. */
export interface SignUp {
  email: string;
  server: string;
  mailbox: string;
}

/** Everything the frame around a dashboard shows. `desktop` is false on loopback and on the web. */
export interface AppState {
  boards: readonly BoardSummary[];
  account: Account | null;
  signUp: SignUp | null;
  /** Those that the account is a member of, the personal one first. */
  organisations: readonly Organisation[];
  sync: SyncStatus;
  settings: Settings;
  desktop: boolean;
  place: Place;
  version: string;
  /** The server offered in the sign-in form. */
  defaultServer: string;
}

/** Where the screens run: in the window, on loopback, or in a browser on a sync server, where nothing works offline. */
export type Place = "desktop" | "loopback" | "web";

export interface Settings {
  theme: Theme;
}

/** One change of a dashboard's content. */
export type Edit =
  | { do: "board"; field: "title" | "description" | "theme"; value: string }
  | {
      do: "add";
      kind: WidgetKind;
      title: string;
      layout: Layout;
      options?: Options;
      columns?: readonly Column[];
      rows?: readonly Row[];
    }
  | { do: "title"; widget: WidgetId; value: string }
  | { do: "layout"; widget: WidgetId; value: Layout }
  | { do: "option"; widget: WidgetId; name: string; value: unknown }
  | { do: "kind"; widget: WidgetId; value: WidgetKind }
  | { do: "remove"; widget: WidgetId }
  | { do: "duplicate"; widget: WidgetId }
  | { do: "rows"; widget: WidgetId; columns: readonly Column[]; rows: readonly Row[] }
  | { do: "append"; widget: WidgetId; rows: readonly Row[] };

/** How a CSV or JSON text is to be read; absent or null values are detected. */
export interface ImportOptions {
  format?: "csv" | "json" | null;
  delimiter?: string | null;
  header?: boolean | null;
  /** "," or "." */
  decimal?: string | null;
  /** Order of day and month in dates such as 3/4/2026. */
  dateOrder?: "dmy" | "mdy" | "ymd" | null;
  types?: readonly (ColumnType | null)[] | null;
  /** Indexes of the columns to keep, all when absent. */
  keep?: readonly number[] | null;
}

/** A read file: what was detected, the first rows, and what would be lost. */
export interface ImportPreview {
  id: string;
  name: string;
  options: Required<{ [K in keyof ImportOptions]: NonNullable<ImportOptions[K]> }>;
  columns: readonly Column[];
  sample: readonly Row[];
  totalRows: number;
  /** Rows that will be kept (the newest ones at the end of the file when there are too many). */
  keptRows: number;
  /** Sentences about cells that could not be read as their column's type, rows of uneven length, and the like. */
  warnings: readonly string[];
  /** The kind of widget that suits this data best. */
  suggested: WidgetKind;
}

export type AppEvent =
  { type: "state" } | { type: "board"; id: BoardId; version: number } | { type: "notice"; notice: Notice };

/** Something to tell once, such as a corrected clock or a refused edit. */
export interface Notice {
  kind: "info" | "warning" | "error";
  message: string;
  hint: string;
  board: BoardId | "";
  /** Whether the dashboard's history tells more of it. */
  history?: boolean;
}

/** A failure in words. `field` names the input that is wrong. */
export interface Fault {
  kind: string;
  field?: string;
  message: string;
  hint?: string;
}
