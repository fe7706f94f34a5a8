import "../../test/page";
import axe from "axe-core";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { start } from "../../test/app";
import { closed, open, share, shopId } from "../../test/samples";
import { changes, shareDialog, type } from "../../test/share";

const radio = (name: string): { name: string } => ({ name });

test("A4 the mode in force stands first, with everyone who can see the dashboard", async () => {
  const { box } = await shareDialog();
  expect(box.getAllByRole("status")[0]?.textContent).toContain("Anyone with the link can view");
  expect(box.getByText("4 watching now")).toBeTruthy();
  expect(box.getByText("Anyone with the link")).toBeTruthy();
  expect(box.getByText("Ada Lovelace (you)")).toBeTruthy();
  expect(box.getByRole("radio", radio("Public link")).getAttribute("aria-checked")).toBe("true");
});

test("A4 each mode is one press away, and says who can see it", async () => {
  const { backend, box } = await shareDialog("private");
  expect(box.getAllByRole("radio").map((r) => r.textContent.replace(/\s+/g, " ").trim())).toEqual([
    "Private Only you",
    "Public link Whoever has the link",
    "Password link Link and password needed",
  ]);
  await fireEvent.click(box.getByRole("radio", radio("Public link")));
  expect(await box.findByText("Anyone with the link can view")).toBeTruthy();
  await fireEvent.click(box.getByRole("radio", radio("Private")));
  expect(await box.findByText("Only you can see this")).toBeTruthy();
  expect(changes(backend)).toEqual([{ action: "enable" }, { action: "disable" }]);
});

test("A4 moving through the modes with the arrows publishes nothing on the way", async () => {
  const { backend, box } = await shareDialog("private");
  const first = box.getByRole("radio", radio("Private"));
  first.focus();
  await fireEvent.keyDown(first, { key: "ArrowRight" });
  expect(document.activeElement).toBe(box.getByRole("radio", radio("Public link")));
  await fireEvent.keyDown(document.activeElement ?? first, { key: "ArrowRight" });
  expect(document.activeElement).toBe(box.getByRole("radio", radio("Password link")));
  await fireEvent.keyDown(document.activeElement ?? first, { key: "ArrowDown" });
  expect(document.activeElement).toBe(first);
  expect(changes(backend)).toEqual([]);
});

test("P2 a private dashboard becomes a password link in one command, with the password that was offered", async () => {
  const { backend, box } = await shareDialog("private");
  await fireEvent.click(box.getByRole("radio", radio("Password link")));
  const field = box.getByRole("textbox", { name: "Password" });
  expect(document.activeElement).toBe(field);
  const offered = (field as HTMLInputElement).value;
  expect(offered).toMatch(/^(\w{4}-){3}\w{4}$/);
  await fireEvent.click(box.getByRole("button", { name: "Protect with this password" }));
  expect(await box.findByText("Protected.")).toBeTruthy();
  expect(box.getByText(offered)).toBeTruthy();
  expect(box.getByText(/nobody keeps it, not even the server/)).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Copy password" }));
  expect(backend.clipboard).toBe(offered);
  expect(changes(backend)).toEqual([{ action: "enable", password: offered }]);
  await fireEvent.click(box.getByRole("button", { name: "Done" }));
  expect(box.queryByText(offered)).toBeNull();
  expect(document.activeElement).toBe(box.getByRole("radio", radio("Password link")));
  expect(box.getAllByRole("status")[0]?.textContent).toContain("Anyone with link and password can view");
});

test("P2 an open link gets a password without being turned off, in the form that every keyboard gives", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("radio", radio("Password link")));
  await type(box.getByRole("textbox", { name: "Password" }), "12345");
  await fireEvent.click(box.getByRole("button", { name: "Protect with this password" }));
  expect(box.getByRole("alert").textContent).toContain("at least 6");
  expect(changes(backend)).toEqual([]);
  await type(box.getByRole("textbox", { name: "Password" }), "cafe\u0301 noir");
  await fireEvent.click(box.getByRole("button", { name: "Protect with this password" }));
  expect(await box.findByText("Protected.")).toBeTruthy();
  expect(changes(backend)).toEqual([{ action: "password", password: "caf\u00e9 noir" }]);
});

test("P2 another password is made, hidden and shown, and nothing is sent before it is confirmed", async () => {
  const { backend, box } = await shareDialog("password");
  await fireEvent.click(box.getByRole("button", { name: "Change password" }));
  const field = box.getByLabelText<HTMLInputElement>("New password");
  const first = field.value;
  await fireEvent.click(box.getByRole("button", { name: "Generate" }));
  expect(field.value).not.toBe(first);
  await fireEvent.click(box.getByRole("button", { name: "Hide password" }));
  expect(field.type).toBe("password");
  expect(box.getByText(/Everyone watching is asked for the new one/)).toBeTruthy();
  await fireEvent.keyDown(field, { key: "Escape" });
  expect(box.queryByLabelText("New password")).toBeNull();
  expect(screen.getByRole("dialog", { name: /^Share/ })).toBeTruthy();
  expect(changes(backend)).toEqual([]);
});

test("P2 removing the password asks, because this makes it public", async () => {
  const { backend, box } = await shareDialog("password");
  await fireEvent.click(box.getByRole("radio", radio("Public link")));
  const question = within(box.getByRole("alertdialog", { name: "Remove the password?" }));
  expect(question.getByText(/This makes it public/)).toBeTruthy();
  expect(document.activeElement).toBe(question.getByRole("button", { name: "Keep the password" }));
  await fireEvent.keyDown(document.activeElement ?? document.body, { key: "Escape" });
  expect(box.queryByRole("alertdialog")).toBeNull();
  expect(changes(backend)).toEqual([]);
  await fireEvent.click(box.getByRole("radio", radio("Public link")));
  await fireEvent.click(box.getByRole("button", { name: "Make it public" }));
  await expect.poll(() => changes(backend)).toEqual([{ action: "no_password" }]);
});

test("P2 a link that is off loses its password before it is turned on", async () => {
  const { backend, box } = await shareDialog("offWithPassword");
  await fireEvent.click(box.getByRole("radio", radio("Public link")));
  await fireEvent.click(box.getByRole("button", { name: "Make it public" }));
  await expect.poll(() => changes(backend)).toEqual([{ action: "no_password" }, { action: "enable" }]);
});

test("L3 a password that is kept is used again at once", async () => {
  const { backend, box } = await shareDialog("offWithPassword");
  await fireEvent.click(box.getByRole("radio", radio("Password link")));
  expect(await box.findByText("Anyone with link and password can view")).toBeTruthy();
  expect(changes(backend)).toEqual([{ action: "enable" }]);
});

test("L3 turning the link off asks nothing, and can be taken back", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("radio", radio("Private")));
  await fireEvent.click(await box.findByRole("button", { name: "Undo" }));
  expect(await box.findByText("Anyone with the link can view")).toBeTruthy();
  expect(box.queryByRole("button", { name: "Undo" })).toBeNull();
  await expect.poll(() => document.activeElement).toBe(box.getByRole("radio", radio("Public link")));
  expect(changes(backend)).toEqual([{ action: "disable" }, { action: "enable" }]);
});

test("a change that cannot be made is told in the dialog", async () => {
  const { backend, box } = await shareDialog("private");
  backend.faults.set("share", { kind: "internal", message: "The disk is full.", hint: "Make room." });
  await fireEvent.click(box.getByRole("radio", radio("Public link")));
  expect((await box.findByRole("alert")).textContent).toContain("The disk is full.");
  expect(box.getByRole("radio", radio("Private")).getAttribute("aria-checked")).toBe("true");
});

test("L5 a link that ended is revived with another end, in an order that opens it last", async () => {
  const { backend, box } = await shareDialog("ended");
  expect(box.getByText("The link has ended")).toBeTruthy();
  expect(box.getByRole("radio", radio("Private")).getAttribute("aria-checked")).toBe("true");
  await fireEvent.click(box.getByRole("radio", radio("Password link")));
  await fireEvent.click(box.getByRole("button", { name: "Protect with this password" }));
  await fireEvent.click(await box.findByRole("button", { name: "Done" }));
  const question = within(box.getByRole("alertdialog", { name: "Until when?" }));
  await fireEvent.click(question.getByRole("button", { name: "Without an end" }));
  await expect.poll(() => changes(backend).map((c) => c.action)).toEqual(["password", "expiry"]);
  expect(await box.findByText("Anyone with link and password can view")).toBeTruthy();
});

test("L5 a link that is off and over is given another end before it is turned on", async () => {
  const { backend, box } = await shareDialog("offAndOver");
  await fireEvent.click(box.getByRole("radio", radio("Public link")));
  await fireEvent.click(box.getByRole("button", { name: "For 7 days" }));
  await expect.poll(() => changes(backend).map((c) => c.action)).toEqual(["expiry", "enable"]);
});

test("Q1 a revocation that has not reached the server says so loudly", async () => {
  const { box } = await shareDialog("stillPublic");
  const alarm = box.getByRole("alert");
  expect(alarm.textContent).toContain("Still public");
  expect(box.getByRole("button", { name: "Try to connect now" })).toBeTruthy();
  expect(box.getByRole("radio", radio("Private")).getAttribute("aria-checked")).toBe("true");
  expect(box.getByText("Anyone with the link")).toBeTruthy();
});

test("Q1 what waits is told in order, and the alarm is seen without opening the dialog", async () => {
  const { box } = await shareDialog("stillOpen");
  expect(box.getByRole("alert").textContent).toContain("Still open without a password");
  expect(box.getByText(/^Waits for the server: protect with a password, then end on /)).toBeTruthy();
  const button = screen.getByRole("button", { name: "Share" });
  expect(document.getElementById(button.getAttribute("aria-describedby") ?? "")?.textContent).toContain(
    "Still open without a password",
  );
});

test("Q1 without an account it explains what is needed", async () => {
  const { box } = await shareDialog("signedOut");
  expect(box.getByText("Sign in to share")).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Create an account" }));
  expect(await screen.findByRole("dialog", { name: "Create your account" })).toBeTruthy();
});

test("V3 a refused command is told with its reason until it is dismissed", async () => {
  const { backend, box } = await shareDialog("refused");
  expect(box.getByText(/changed on another computer/)).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Dismiss" }));
  expect(backend.called("dismissRefusal")).toHaveLength(1);
  await expect.poll(() => box.queryByText(/changed on another computer/)).toBeNull();
});

test("V2 the receipt appears by itself once the server has cut the viewers", async () => {
  const { backend, box } = await shareDialog();
  backend.change(shopId, { share: share({ inForce: closed, wanted: closed, receipt: { cut: 3, ms: 40 } }) });
  expect(await box.findByText(/3 viewers were cut off, the slowest after 40 ms/)).toBeTruthy();
  expect(box.getAllByRole("status")[0]?.textContent).toContain("Only you can see this");
});

test("V1 what another device changes shows at once", async () => {
  const { backend, box } = await shareDialog("private");
  backend.change(shopId, { share: share({ inForce: open, wanted: open, watching: 1 }) });
  expect(await box.findByText("1 watching now")).toBeTruthy();
  expect(box.getByRole("radio", radio("Public link")).getAttribute("aria-checked")).toBe("true");
});

test("A3 who may not manage sharing sees it and is told why it cannot be changed", async () => {
  const backend = await start(undefined, "dsh_BORROWED" as never);
  await fireEvent.click(screen.getByRole("button", { name: "Share" }));
  const choice = await screen.findByRole("radio", { name: "Public link" });
  expect(choice.getAttribute("aria-disabled")).toBe("true");
  expect(screen.getByText("Only the owner of this dashboard can change this.")).toBeTruthy();
  await fireEvent.click(choice);
  expect(changes(backend)).toEqual([]);
});

// What needs a real page (colours, frames) is looked at in one.
async function violations(element: Element): Promise<readonly string[]> {
  const { violations: found } = await axe.run(element, {
    rules: { "color-contrast": { enabled: false } },
    iframes: false,
  });
  return found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
}

test.each(["signedOut", "disabled", "stillOpen", "ended", "refused"])(
  "the dialog can be operated by everybody: %s",
  async (scene) => {
    const { element } = await shareDialog(scene);
    expect(await violations(element)).toEqual([]);
  },
);

test("every part of the dialog can be operated by everybody", async () => {
  const { element, box } = await shareDialog("limited");
  await fireEvent.click(box.getByRole("button", { name: "Change password" }));
  await fireEvent.click(box.getByRole("button", { name: "Change the name" }));
  await fireEvent.click(box.getByRole("button", { name: "QR code" }));
  await fireEvent.click(box.getByRole("button", { name: "Rotate link" }));
  await fireEvent.change(box.getByRole("combobox", { name: "Ends" }), { target: { value: "choose" } });
  await box.findByRole("img", { name: /^QR code/ });
  expect(await violations(element)).toEqual([]);
  await fireEvent.click(box.getByRole("tab", { name: "Embed" }));
  await type(box.getByRole("textbox", { name: "Add a site" }), "not:a:site");
  await fireEvent.click(box.getByRole("button", { name: "Add" }));
  expect(await violations(element)).toEqual([]);
  await fireEvent.click(box.getByRole("tab", { name: "Visits" }));
  expect(await violations(element)).toEqual([]);
});

test("Q1 V1 a dashboard in the trash can be shared by nobody, and says so while its link still works", async () => {
  const { backend, box } = await shareDialog("trashed");
  expect(box.getByRole("alert").textContent).toContain("Still public");
  expect(box.getByText("Restore the dashboard before you share it.")).toBeTruthy();
  await fireEvent.click(box.getByRole("radio", radio("Password link")));
  expect(changes(backend)).toEqual([]);
  expect(box.queryByRole("tab")).toBeNull();
  expect(box.getByText("Anyone with the link")).toBeTruthy();
  expect(screen.getByText("Its link works until the server knows of it.")).toBeTruthy();
  backend.change(shopId, { share: { ...backend.view(shopId).share, synced: true } });
  expect(await box.findByText("Nobody can open the link")).toBeTruthy();
  expect(box.queryByText("Anyone with the link")).toBeNull();
});
