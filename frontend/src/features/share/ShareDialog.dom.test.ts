import "../../test/page";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { start } from "../../test/app";
import { scenes } from "../../test/preview/scenes";
import { open, share, shopId } from "../../test/samples";

async function dialog(scene?: string) {
  const backend = await start((b) => scene && scenes[scene]?.(b));
  await fireEvent.click(screen.getByRole("button", { name: "Share" }));
  return { backend, box: within(await screen.findByRole("dialog", { name: /^Share/ })) };
}

test("A4 the mode in force stands first, with everyone who can see the dashboard", async () => {
  const { box } = await dialog();
  expect(box.getAllByRole("status")[0]?.textContent).toContain("Anyone with the link can view");
  expect(box.getByText("4 watching now")).toBeTruthy();
  expect(box.getByText("Anyone with the link")).toBeTruthy();
  expect(box.getByText("ada@example.org (you)")).toBeTruthy();
  expect(box.getByRole("switch", { name: "Public link" }).getAttribute("aria-checked")).toBe("true");
});

test("L1 turning it on shows both links, and they are copied", async () => {
  const { backend, box } = await dialog("private");
  expect(box.queryByRole("button", { name: "Copy link" })).toBeNull();
  await fireEvent.click(box.getByRole("switch", { name: "Public link" }));
  await fireEvent.click(await box.findByRole("button", { name: "Copy link" }));
  expect(backend.clipboard).toMatch(/\/share\/shr_/);
  expect(await box.findByText("Link copied")).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Copy short link" }));
  expect(backend.clipboard).toMatch(/\/s\/\w+$/);
});

test("L4 rotating asks first, and says that it is for ever", async () => {
  const { backend, box } = await dialog();
  await fireEvent.click(box.getByRole("button", { name: "Rotate link" }));
  const question = within(box.getByRole("alertdialog"));
  expect(question.getByText(/stop working for ever/)).toBeTruthy();
  await fireEvent.click(question.getByRole("button", { name: "Keep the link" }));
  expect(backend.called("share")).toHaveLength(0);
  await fireEvent.click(await box.findByRole("button", { name: "Rotate link" }));
  await fireEvent.click(box.getByRole("button", { name: "Stop old links" }));
  expect(backend.called("share")).toEqual([["share", shopId, "rotate"]]);
});

test("Q1 a revocation that has not reached the server says so loudly", async () => {
  const { box } = await dialog("stillPublic");
  const alarm = box.getByRole("alert");
  expect(alarm.textContent).toContain("Still public");
  expect(within(alarm).getByRole("button", { name: "Try to connect now" })).toBeTruthy();
  expect(box.getByRole("switch", { name: "Public link" }).getAttribute("aria-checked")).toBe("false");
  expect(box.getByText("Anyone with the link")).toBeTruthy();
});

test("Q1 a link made offline can be copied and says that it does not work yet", async () => {
  const { box } = await dialog("notYet");
  expect(box.getByRole("button", { name: "Copy link" })).toBeTruthy();
  expect(box.getByText(/works once it has reached the server/)).toBeTruthy();
  expect(box.getByRole("button", { name: "Open link" })).toHaveProperty("disabled", true);
});

test("Q1 without an account it explains what is needed", async () => {
  const { box } = await dialog("signedOut");
  expect(box.getByText("Sign in to publish")).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Create an account" }));
  expect(await screen.findByRole("dialog", { name: "Create your account" })).toBeTruthy();
});

test("V3 a refused command is told with its reason until it is dismissed", async () => {
  const { backend, box } = await dialog("refused");
  expect(box.getByText(/changed on another computer/)).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Dismiss" }));
  expect(backend.called("dismissRefusal")).toHaveLength(1);
  await expect.poll(() => box.queryByText(/changed on another computer/)).toBeNull();
});

test("V2 the receipt appears by itself once the server has cut the viewers", async () => {
  const { backend, box } = await dialog();
  const off = { ...open, enabled: false, mode: "private" } as const;
  backend.change(shopId, { share: share({ inForce: off, wanted: off, receipt: { cut: 3, ms: 40 } }) });
  expect(await box.findByText(/3 viewers were cut off, the slowest after 40 ms/)).toBeTruthy();
  expect(box.getAllByRole("status")[0]?.textContent).toContain("Only you can see this");
});

test("A3 who may not manage sharing sees it and cannot change it", async () => {
  await start(undefined, "dsh_BORROWED" as never);
  await fireEvent.click(screen.getByRole("button", { name: "Share" }));
  expect(await screen.findByRole("switch", { name: "Public link" })).toHaveProperty("disabled", true);
});
