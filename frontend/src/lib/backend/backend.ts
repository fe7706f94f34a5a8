import type {
  AppEvent,
  AppState,
  BoardId,
  BoardPatch,
  BoardView,
  Edit,
  Fault,
  History,
  ImportOptions,
  ImportPreview,
  Invited,
  OrganisationId,
  Settings,
  ShareChange,
  Then,
  Tray,
  WidgetId,
} from "./types";

/** A call that failed, with words for the user. */
export class BackendError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
    this.name = "BackendError";
  }
}

/** A call that nobody answered: whoever listens is told by `lost`, and again when there is an answer. */
export class UnreachableError extends BackendError {
  override name = "UnreachableError";
}

/**
 * The one door to Go. Every call rejects with a BackendError. `http.ts` implements it over the bridge's HTTP API, which
 * the desktop window and the loopback page both reach.
 */
export interface Backend {
  state(): Promise<AppState>;
  settings(s: Settings): Promise<void>;

  board(id: BoardId): Promise<BoardView>;
  /** The changes since version `have`, or a whole view when that is too long ago. */
  boardSince(id: BoardId, have: number): Promise<BoardPatch | BoardView>;
  /** Makes a dashboard, in the account's personal organisation unless another one is named. */
  create(title: string, organisation?: OrganisationId): Promise<BoardId>;
  duplicate(id: BoardId): Promise<BoardId>;
  trash(id: BoardId): Promise<void>;
  restore(id: BoardId): Promise<void>;
  /** Deletes a trashed dashboard for ever. */
  destroy(id: BoardId): Promise<void>;
  /** Resolves once the edits are on disk, with the new version and the ids of added widgets. */
  edit(id: BoardId, edits: readonly Edit[], label: string): Promise<{ version: number; added: WidgetId[] }>;
  undo(id: BoardId): Promise<void>;
  redo(id: BoardId): Promise<void>;
  /** A page of the dashboard's history, or of one widget's; `before` is the `next` of the page before it. */
  history(id: BoardId, before?: string, widget?: WidgetId): Promise<History>;
  /** The dashboard as it was at a position of its history. */
  boardAt(id: BoardId, position: string): Promise<Then>;
  /**
   * Makes the dashboard as it was then, or one widget, or one field of it ("rows" are its data) or of the head ("board"). It is
   * an edit like others: undo takes it back.
   */
  restoreTo(id: BoardId, position: string, widget?: WidgetId | "board", field?: string): Promise<void>;
  /** The dashboard as a JSON file's text, and a widget's rows as CSV. */
  exportBoard(id: BoardId): Promise<string>;
  exportRows(id: BoardId, widget: WidgetId): Promise<string>;
  importBoard(json: string): Promise<BoardId>;

  readFile(name: string, bytes: Uint8Array, options: ImportOptions): Promise<ImportPreview>;
  reread(importId: string, options: ImportOptions): Promise<ImportPreview>;
  /** Puts the read rows into a widget (replacing its rows), or into a new one of the given kind. */
  applyImport(
    importId: string,
    board: BoardId,
    target: { widget: WidgetId } | { kind: string; title: string },
  ): Promise<WidgetId>;

  share(id: BoardId, change: ShareChange): Promise<void>;
  /** Invites everybody whose address is in the text (I1). Good addresses are invited even if others cannot be read. */
  invite(id: BoardId, addresses: string, role: "viewer" | "editor", message: string): Promise<Invited>;
  /** Tells which dashboard is on the screen, null for none, and whether it was just changed here. */
  look(id: BoardId | null, editing: boolean): Promise<void>;
  /** A picture of the link, the short link or the named link, to be scanned. */
  qr(id: BoardId, of: "link" | "short" | "slug", format: "svg" | "png"): Promise<Blob>;
  dismissRefusal(id: BoardId): Promise<void>;
  /** What the server refused of the edits made here, and the dashboard with it as a JSON file's text. */
  tray(id: BoardId): Promise<Tray>;
  exportTray(id: BoardId): Promise<string>;
  /** Resolves "keep as my own copy" for refused edits; returns the copy's id. */
  keepCopy(id: BoardId): Promise<BoardId>;
  discardRefused(id: BoardId): Promise<void>;

  /** Begins a sign-up; `state().signUp` is there until the link in the mail was opened. */
  signUp(server: string, email: string, password: string): Promise<void>;
  /** Sends the mail of a sign-up that waits once more. */
  resendSignUp(): Promise<void>;
  cancelSignUp(): Promise<void>;
  logIn(server: string, email: string, password: string): Promise<void>;
  logOut(): Promise<void>;
  retrySync(): Promise<void>;

  openExternal(url: string): Promise<void>;
  /** Writes text to the clipboard, through the program where the web view cannot. */
  copy(text: string): Promise<void>;

  /** Calls `listener` for each event until the returned function is called. */
  listen(listener: (events: readonly AppEvent[]) => void, lost: (down: boolean) => void): () => void;
}
