import "../../test/page";
import axe from "axe-core";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";
import { settle, start } from "../../test/app";
import type { FakeBackend } from "../../test/fakeBackend";
import { scenes } from "../../test/preview/scenes";
import { server } from "../../test/samples";

async function signUp(mailbox = ""): Promise<FakeBackend> {
  const backend = await start((b) => {
    scenes.signedOut?.(b);
    b.mailbox = mailbox;
  });
  await fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  await fireEvent.click(await screen.findByRole("radio", { name: "New account" }));
  const box = within(screen.getByRole("dialog", { name: "Create your account" }));
  await fireEvent.input(box.getByLabelText("E-mail"), { target: { value: "ann@example.org" } });
  await fireEvent.input(box.getByLabelText("Password"), { target: { value: "correct horse" } });
  await fireEvent.click(box.getByRole("button", { name: "Create account" }));
  await screen.findByRole("dialog", { name: "Check your mail" });
  return backend;
}

test("I4 I8 a sign-up waits for the link in the mail, and is finished by itself when it was opened", async () => {
  const backend = await signUp();
  expect(backend.called("signUp")).toEqual([["signUp", server, "ann@example.org", "correct horse"]]);
  const box = within(screen.getByRole("dialog", { name: "Check your mail" }));
  expect(box.getByText("ann@example.org")).toBeTruthy();
  expect(box.getByText(/If this address has an account already, the mail says so/)).toBeTruthy();
  expect(box.queryByRole("button", { name: "Open the mailbox" })).toBeNull();
  backend.confirm();
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(await screen.findByText("Signed in as ann@example.org.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "ann ann@example.org, account" })).toBeTruthy();
});

test("I4 it can be closed meanwhile, is found again, and still finishes", async () => {
  const backend = await signUp();
  await fireEvent.click(screen.getByRole("button", { name: "close this" }));
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  const again = await screen.findByRole("button", { name: /^Check your mail/ });
  await fireEvent.click(again);
  expect(await screen.findByRole("dialog", { name: "Check your mail" })).toBeTruthy();
  await fireEvent.click(screen.getByRole("button", { name: "Close" }));
  backend.confirm();
  expect(await screen.findByText("Signed in as ann@example.org.")).toBeTruthy();
});

test("I4 the mail is sent again after a while, and what goes wrong is told", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const backend = await signUp();
  const button = screen.getByRole("button", { name: /^Send again in/ });
  await fireEvent.click(button);
  expect(backend.called("resendSignUp")).toHaveLength(0);
  vi.advanceTimersByTime(31_000);
  await settle();
  backend.faults.set("resendSignUp", { kind: "busy", message: "Too many mails.", hint: "Try again in an hour." });
  await fireEvent.click(screen.getByRole("button", { name: "Send it again" }));
  expect((await screen.findByRole("alert")).textContent).toBe("Too many mails. Try again in an hour.");
  backend.faults.clear();
  await fireEvent.click(screen.getByRole("button", { name: "Send it again" }));
  expect(await screen.findByText("Another mail is on its way.")).toBeTruthy();
  expect(screen.getByRole("button", { name: /^Send again in/ })).toBeTruthy();
  vi.useRealTimers();
});

test("I4 another address can be used instead", async () => {
  const backend = await signUp();
  await fireEvent.click(screen.getByRole("button", { name: "Use another address" }));
  const box = within(await screen.findByRole("dialog", { name: "Create your account" }));
  expect(backend.called("cancelSignUp")).toHaveLength(1);
  expect(box.getByLabelText("E-mail")).toHaveProperty("value", "ann@example.org");
});

test("I7 a development server's mailbox is one press away", async () => {
  const backend = await signUp("http://127.0.0.1:8080/dev/mail");
  await fireEvent.click(screen.getByRole("button", { name: "Open the mailbox" }));
  expect(backend.called("openExternal")).toEqual([["openExternal", "http://127.0.0.1:8080/dev/mail"]]);
  const { violations } = await axe.run(screen.getByRole("dialog"), { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map((v) => v.id)).toEqual([]);
});

test("on the web there is no other server to choose, and nothing about working offline", async () => {
  await start((b) => scenes.webOut?.(b));
  await fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  const box = within(await screen.findByRole("dialog", { name: "Log in" }));
  expect(box.queryByLabelText("Server address")).toBeNull();
  expect(box.queryByText(/without a network/)).toBeNull();
});

test("the account's menu leads to its page and its organisations, and tells of an address that is not confirmed", async () => {
  const backend = await start((b) => scenes.unverified?.(b));
  await fireEvent.click(screen.getByRole("button", { name: "Ada Lovelace ada@example.org, account" }));
  expect(screen.getByText(/^Not confirmed/)).toBeTruthy();
  await fireEvent.click(screen.getByRole("menuitem", { name: "Manage account …", hidden: true }));
  expect(backend.called("openExternal")).toEqual([["openExternal", `${server}/account`]]);
  await fireEvent.click(screen.getByRole("button", { name: "Ada Lovelace ada@example.org, account" }));
  await fireEvent.click(screen.getByRole("menuitem", { name: "Organisations …", hidden: true }));
  expect(backend.called("openExternal").at(-1)).toEqual(["openExternal", `${server}/organisations`]);
});
