import { fireEvent, screen, within } from "@testing-library/svelte";
import type { ShareChange } from "../lib/backend/types";
import { start } from "./app";
import type { FakeBackend } from "./fakeBackend";
import { scenes } from "./preview/scenes";

/** The share dialog, open in one of the scenes. */
export async function shareDialog(scene?: string) {
  const backend = await start((b) => scene && scenes[scene]?.(b));
  await fireEvent.click(screen.getByRole("button", { name: "Share" }));
  const element = await screen.findByRole("dialog", { name: /^Share/ });
  return { backend, element, box: within(element) };
}

/** The changes of sharing that were asked for, in order. */
export function changes(backend: FakeBackend): readonly ShareChange[] {
  return backend.called("share").map(([, , change]) => change as ShareChange);
}

/** Fills a field as typing does. */
export async function type(field: HTMLElement, value: string): Promise<void> {
  await fireEvent.input(field, { target: { value } });
}
