import { render, screen } from "@testing-library/svelte";
import App from "../app/App.svelte";
import type { BoardId } from "../lib/backend/types";
import { FakeBackend } from "./fakeBackend";
import { shopId } from "./samples";

/** The whole application on a dashboard, over the program in memory. */
export async function start(
  prepare: (backend: FakeBackend) => void = () => undefined,
  id: BoardId = shopId,
): Promise<FakeBackend> {
  const backend = new FakeBackend();
  prepare(backend);
  location.hash = `#/board/${id}`;
  render(App, { props: { backend } });
  await screen.findByRole("button", { name: "Share" });
  return backend;
}

/** Lets everything that is already decided happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
