import type { IconName } from "../../components/icons";
import { listed, type AppStore } from "../../lib/state/app.svelte";
import { mayEdit } from "../../lib/state/board.svelte";
import { addWidget, tidyBoard } from "../board/actions";
import { exportBoard } from "../header/export";
import { kinds } from "../widget/kinds";

/** Something the palette can do. */
export interface Command {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  readonly icon: IconName;
  readonly keys?: string;
  readonly run: () => void;
}

/** Everything that can be done here and now. */
export function commands(app: AppStore): readonly Command[] {
  const board = app.board;
  const view = board?.shown;
  const out: Command[] = [];
  const add = (group: string, id: string, label: string, icon: IconName, run: () => void, keys?: string): void => {
    out.push({ group, id, label, icon, run, ...(keys ? { keys } : {}) });
  };
  for (const b of listed(app.boards)) {
    if (b.id !== board?.id)
      add("Go to", b.id, b.title || "Untitled dashboard", "board", () => {
        app.go({ at: "board", id: b.id });
      });
  }
  if (board && view) {
    const here = "This dashboard";
    add(here, "share", "Share", "share", () => {
      app.overlay = { show: "share" };
    });
    if (mayEdit(view)) {
      for (const kind of kinds) {
        add(
          here,
          `add-${kind.kind}`,
          `Add ${kind.name.toLowerCase()}`,
          kind.icon,
          () => void addWidget(app, board, kind.kind),
        );
      }
      add(here, "import", "Import data", "upload", () => {
        app.overlay = { show: "import", source: null, widget: null };
      });
      if (view.undo) add(here, "undo", `Undo: ${view.undo}`, "undo", () => void app.undo(), "Ctrl Z");
      if (view.redo) add(here, "redo", `Redo: ${view.redo}`, "redo", () => void app.redo(), "Ctrl Shift Z");
      add(
        here,
        "history",
        "History",
        "history",
        () => {
          app.openHistory();
        },
        "Ctrl Shift H",
      );
      add(here, "tidy", "Close gaps", "tidy", () => void tidyBoard(board));
    }
    add(here, "duplicate", "Duplicate dashboard", "copy", () => void app.duplicateBoard(board.id));
    add(here, "export", "Export dashboard as JSON", "download", () => void exportBoard(app, board.id, view.title));
    if (view.role === "owner" && !view.trashed)
      add(here, "trash-it", "Move dashboard to trash", "trash", () => void app.trashBoard(board.id));
  }
  add("Everywhere", "new", "New dashboard", "add", () => void app.createBoard());
  for (const o of app.state?.organisations ?? []) {
    if (!o.personal)
      add("Everywhere", `new-${o.id}`, `New dashboard in ${o.name}`, "building", () => void app.createBoard(o.id));
  }
  add("Everywhere", "trash", "Open the trash", "trash", () => {
    app.go({ at: "trash" });
  });
  add("Everywhere", "light", "Light theme", "sun", () => void app.setTheme("light"));
  add("Everywhere", "dark", "Dark theme", "moon", () => void app.setTheme("dark"));
  add("Everywhere", "system", "Theme as the system", "device", () => void app.setTheme("system"));
  if (!app.state?.account)
    add("Everywhere", "sign-in", "Sign in", "user", () => {
      app.overlay = { show: "account", mode: "login" };
    });
  add(
    "Everywhere",
    "keys",
    "Keyboard shortcuts",
    "keyboard",
    () => {
      app.overlay = { show: "shortcuts" };
    },
    "?",
  );
  return out;
}

/** The commands whose label holds every word typed, those that begin with it first within their group. */
export function search(all: readonly Command[], text: string): readonly Command[] {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return all;
  const hits = all.filter((c) => words.every((w) => c.label.toLowerCase().includes(w)));
  const rank = (c: Command): number => (c.label.toLowerCase().startsWith(words[0] ?? "") ? 0 : 1);
  const groups = [...new Set(hits.map((c) => c.group))];
  return groups.flatMap((g) => hits.filter((c) => c.group === g).sort((a, b) => rank(a) - rank(b)));
}
