import type { BoardId } from "../../lib/backend/types";
import type { AppStore } from "../../lib/state/app.svelte";
import { saveText } from "./save";

/** Saves a dashboard as a JSON file. */
export async function exportBoard(app: AppStore, id: BoardId, title: string): Promise<void> {
  await app.run(async () => {
    saveText(`${fileName(title)}.json`, "application/json", await app.backend.exportBoard(id));
  });
}

/** Saves a dashboard, with what was refused of it, as a JSON file. */
export async function exportTray(app: AppStore, id: BoardId, title: string): Promise<void> {
  await app.run(async () => {
    saveText(`${fileName(`${title} with my changes`)}.json`, "application/json", await app.backend.exportTray(id));
  });
}

/** A title as a name that every file system takes. */
export function fileName(title: string): string {
  const name = title
    .normalize("NFC")
    .replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^\.+/, "")
    .slice(0, 80);
  return name || "dashboard";
}
