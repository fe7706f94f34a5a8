import "../../test/page";
import axe from "axe-core";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { invitation, shopId } from "../../test/samples";
import { changes, shareDialog, type } from "../../test/share";

type Dialog = Awaited<ReturnType<typeof shareDialog>>;

const field = ({ box }: Dialog): HTMLInputElement => box.getByRole("textbox", { name: "Invite by e-mail" });
const chips = ({ box }: Dialog): readonly (string | null)[] =>
  within(box.queryByRole("list", { name: "To be invited" }) ?? document.createElement("ul"))
    .queryAllByRole("listitem")
    .map((li) => li.textContent.trim());
const invited = ({ backend }: Dialog): readonly unknown[] => backend.called("invite").map((c) => c.slice(2));
const row = ({ box }: Dialog, text: string): HTMLElement => {
  const li = box.getByText(text).closest("li");
  if (!li) throw new Error(`no row of ${text}`);
  return li;
};
const bullet = (text: string): RegExp => new RegExp(text);

describe("I1 inviting", () => {
  test("I1 a pasted list becomes chips, and what cannot be read stays to be mended and keeps nobody out", async () => {
    const d = await shareDialog("private");
    await fireEvent.paste(field(d), {
      clipboardData: { getData: () => "Bob Ross <Bob@example.org>\ncy@example.org; ann@\n" },
    });
    expect(chips(d)).toEqual(["bob@example.org", "cy@example.org"]);
    expect(field(d).value).toBe("ann@");
    expect(d.box.getByRole("alert").textContent).toContain("“ann@” is not an e-mail address");
    expect(field(d).getAttribute("aria-invalid")).toBe("true");
    await fireEvent.click(d.box.getByRole("button", { name: "Invite 2 people" }));
    expect(await d.box.findByText("2 people are invited. The mail is on its way.")).toBeTruthy();
    expect(invited(d)).toEqual([["bob@example.org\ncy@example.org", "viewer", ""]]);
    expect(chips(d)).toEqual([]);
    expect(field(d).value).toBe("ann@");
    expect(document.activeElement).toBe(field(d));
    expect(within(row(d, "bob@example.org")).getByText("On its way")).toBeTruthy();
    expect(d.box.getByText("By invitation: 2 people are invited and have not answered.")).toBeTruthy();
  });

  test("I1 Enter takes an address and invites once there is nothing left to take; Backspace brings it back", async () => {
    const d = await shareDialog("private");
    await type(field(d), "bob@example.org");
    await fireEvent.keyDown(field(d), { key: "Enter" });
    expect(chips(d)).toEqual(["bob@example.org"]);
    expect(invited(d)).toEqual([]);
    await fireEvent.keyDown(field(d), { key: "Backspace" });
    expect([chips(d), field(d).value]).toEqual([[], "bob@example.org"]);
    await type(field(d), "bob@example.com, ");
    expect(chips(d)).toEqual(["bob@example.com"]);
    await fireEvent.keyDown(field(d), { key: "Enter" });
    expect(await d.box.findByText("bob@example.com is invited. The mail is on its way.")).toBeTruthy();
  });

  test("I6 somebody looks the same in the list of people and in the account's menu", async () => {
    const d = await shareDialog("invited");
    const faces = [...document.querySelectorAll(`.face[data-letters="AL"]`)];
    expect(faces.some((f) => d.element.contains(f))).toBe(true);
    expect(faces.some((f) => !d.element.contains(f))).toBe(true);
    expect(new Set(faces.map((f) => /\bt\d\b/.exec(f.className)?.[0])).size).toBe(1);
  });

  test("I1 I5 that the mail is on its way is said only as long as an invitation is open", async () => {
    const d = await shareDialog("private");
    await type(field(d), "bob@example.org, cy@example.org, ");
    await fireEvent.click(d.box.getByRole("button", { name: "Invite 2 people" }));
    const said = "2 people are invited. The mail is on its way.";
    expect(await d.box.findByText(said)).toBeTruthy();
    await fireEvent.click(d.box.getByRole("button", { name: "Withdraw the invitation of bob@example.org" }));
    await expect.poll(() => d.box.queryByText("bob@example.org")).toBeNull();
    expect(d.box.getByText(said)).toBeTruthy();
    await fireEvent.click(d.box.getByRole("button", { name: "Withdraw the invitation of cy@example.org" }));
    await expect.poll(() => d.box.queryByText(said)).toBeNull();
    expect(d.box.getByText(/They get a mail with a link/)).toBeTruthy();
  });

  test("I1 Control and Enter invite at once, with role and message", async () => {
    const d = await shareDialog("private");
    await type(field(d), "bob@example.org");
    await fireEvent.change(d.box.getByRole("combobox", { name: "They" }), { target: { value: "editor" } });
    await fireEvent.click(d.box.getByRole("button", { name: "Add a message" }));
    const message = d.box.getByRole("textbox", { name: "Message (optional)" });
    expect(document.activeElement).toBe(message);
    await type(message, "For Thursday.");
    await fireEvent.keyDown(message, { key: "Enter", ctrlKey: true });
    await expect.poll(() => invited(d)).toEqual([["bob@example.org", "editor", "For Thursday."]]);
    await expect.poll(() => d.box.queryByRole("textbox", { name: "Message (optional)" })).toBeNull();
    expect(d.box.getByText("Can edit", { selector: ".line" })).toBeTruthy();
  });

  test("I1 who is there already is told and not invited again", async () => {
    const d = await shareDialog("invited");
    await type(field(d), "grace@example.org, margaret@example.org, new@example.org");
    await fireEvent.keyDown(field(d), { key: "Enter", ctrlKey: true });
    expect(
      await d.box.findByText(/new@example.org is invited.*grace@example.org and margaret@example.org have access/),
    ).toBeTruthy();
    expect(d.backend.view(shopId).share.invitations).toHaveLength(5);
  });

  test("I1 B1 nothing, too many people and too long a message are refused before anything is sent", async () => {
    const d = await shareDialog("private");
    await fireEvent.click(d.box.getByRole("button", { name: "Invite" }));
    expect(d.box.getByRole("alert").textContent).toContain("Type an e-mail address");
    await type(field(d), Array.from({ length: 51 }, (_, i) => `p${String(i)}@example.org`).join(", "));
    await fireEvent.keyDown(field(d), { key: "Enter", ctrlKey: true });
    expect(d.box.getByRole("alert").textContent).toContain("At most 50 people");
    await fireEvent.click(d.box.getByRole("button", { name: "Leave out p7@example.org" }));
    await fireEvent.click(d.box.getByRole("button", { name: "Add a message" }));
    await type(d.box.getByRole("textbox", { name: "Message (optional)" }), "ä".repeat(501));
    await fireEvent.click(d.box.getByRole("button", { name: "Invite 50 people" }));
    expect(d.box.getByText(/This message is too long. 1002 of 1000 bytes/)).toBeTruthy();
    expect(invited(d)).toEqual([]);
  });

  test("I1 I7 what was typed stays when inviting fails, and when the dialog is closed", async () => {
    const d = await shareDialog("private");
    d.backend.faults.set("invite", { kind: "busy", message: "Too many invitations.", hint: "Try again in an hour." });
    await type(field(d), "bob@example.org");
    await fireEvent.keyDown(field(d), { key: "Enter", ctrlKey: true });
    expect((await d.box.findByRole("alert")).textContent).toBe("Too many invitations. Try again in an hour.");
    expect(chips(d)).toEqual(["bob@example.org"]);
    await fireEvent.click(d.box.getByRole("button", { name: "Close" }));
    await fireEvent.click(screen.getByRole("button", { name: "Share" }));
    expect(await screen.findByRole("button", { name: "Leave out bob@example.org" })).toBeTruthy();
  });

  test("I1 a server that cannot send mail, and no account, are explained instead", async () => {
    const d = await shareDialog("noMail");
    expect(d.box.queryByRole("textbox", { name: "Invite by e-mail" })).toBeNull();
    expect(d.box.getByText(/This server cannot send mail/)).toBeTruthy();
  });

  test("I1 without an account it leads to one", async () => {
    const d = await shareDialog("signedOut");
    await fireEvent.click(d.box.getByRole("button", { name: "Sign in to invite" }));
    expect(await screen.findByRole("dialog", { name: "Create your account" })).toBeTruthy();
  });
});

describe("I5 invitations that wait for an answer", () => {
  test("I5 are listed with role, date and how far the mail has come, which changes by itself", async () => {
    const d = await shareDialog("invited");
    const list = within(d.box.getByRole("list", { name: /^Invited/ }));
    expect(list.getAllByRole("listitem")).toHaveLength(4);
    expect(within(row(d, "margaret@example.org")).getByText(/^Sent 2 days ago · works until/)).toBeTruthy();
    expect(within(row(d, "nobody@example.net")).getByText(bullet("There is no such mailbox"))).toBeTruthy();
    expect(within(row(d, "annie@example.org")).getByText(/^Expired on .* Send it again for a new link/)).toBeTruthy();
    d.backend.deliver(shopId, "dorothy@example.org", "undeliverable", "The mailbox is full.");
    expect(await d.box.findByText(/The mailbox is full/)).toBeTruthy();
  });

  test("I5 are sent again and withdrawn, and the keyboard goes to the next", async () => {
    const d = await shareDialog("invited");
    await fireEvent.click(d.box.getByRole("button", { name: "Send again to annie@example.org" }));
    await expect.poll(() => within(row(d, "annie@example.org")).queryByText(/^On its way/)).not.toBeNull();
    const withdraw = d.box.getByRole("button", { name: "Withdraw the invitation of dorothy@example.org" });
    withdraw.focus();
    await fireEvent.click(withdraw);
    await expect.poll(() => d.box.queryByText("dorothy@example.org")).toBeNull();
    expect(d.box.getByText("The invitation of dorothy@example.org is withdrawn.")).toBeTruthy();
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Send again to nobody@example.net");
    expect(changes(d.backend).map((c) => c.action)).toEqual(["resend", "revoke"]);
  });
});

describe("I6 members", () => {
  test("I6 A3 roles are changed, and an owner is made only after a question", async () => {
    const d = await shareDialog("invited");
    const select = d.box.getByRole<HTMLSelectElement>("combobox", { name: "What Alan Turing may do" });
    await fireEvent.change(select, { target: { value: "editor" } });
    await expect.poll(() => select.value).toBe("editor");
    await fireEvent.change(select, { target: { value: "owner" } });
    expect(select.value).toBe("editor");
    await fireEvent.click(d.box.getByRole("button", { name: "Not now" }));
    expect(changes(d.backend)).toEqual([{ action: "role", account: "acc_alan", role: "editor" }]);
    await fireEvent.change(select, { target: { value: "owner" } });
    await fireEvent.click(d.box.getByRole("button", { name: "Make owner" }));
    await expect.poll(() => changes(d.backend).at(-1)).toEqual({ action: "role", account: "acc_alan", role: "owner" });
  });

  test("I6 V1 removing takes one press, and the way back is to invite again", async () => {
    const d = await shareDialog("invited");
    await fireEvent.click(d.box.getByRole("button", { name: "Remove Grace Hopper" }));
    await expect.poll(() => d.box.queryByText("Grace Hopper")).toBeNull();
    const messages = within(screen.getByRole("region", { name: "Messages", hidden: true }));
    await fireEvent.click(await messages.findByRole("button", { name: "Invite again", hidden: true }));
    await expect.poll(() => invited(d)).toEqual([["grace@example.org", "editor", ""]]);
  });

  test("I6 the last owner can be neither removed nor lowered, and leaving asks", async () => {
    const d = await shareDialog("sharer");
    expect(within(row(d, "Grace Hopper")).queryByRole("combobox")).toBeNull();
    expect(d.box.queryByRole("button", { name: "Remove Grace Hopper" })).toBeNull();
    await fireEvent.click(d.box.getByRole("button", { name: "Leave this dashboard" }));
    expect(document.activeElement?.textContent).toBe("Stay");
    await fireEvent.click(d.box.getByRole("button", { name: "Leave" }));
    await expect.poll(() => changes(d.backend)).toEqual([{ action: "role", account: "acc_ada", role: "" }]);
  });

  test("A3 an editor who may share decides neither on owners nor on who else may share", async () => {
    const d = await shareDialog("sharer");
    const select = d.box.getByRole("combobox", { name: "What Alan Turing may do" });
    expect(
      within(select)
        .getAllByRole("option")
        .map((o) => o.textContent),
    ).toEqual(["Can view", "Can edit"]);
    expect(d.box.queryByRole("switch", { name: "Editors may share too" })).toBeNull();
  });

  test("A3 A6 who may not share sees names and roles, and nothing to change", async () => {
    const d = await shareDialog("editor");
    expect(d.box.getByText("Grace Hopper")).toBeTruthy();
    expect(d.box.queryByText(/@example/)).toBeNull();
    expect(d.box.queryAllByRole("combobox")).toEqual([]);
    expect(d.box.queryByRole("textbox", { name: "Invite by e-mail" })).toBeNull();
  });

  test("A3 the owner lets editors share", async () => {
    const d = await shareDialog("invited");
    const own = d.box.getByRole("switch", { name: "Editors may share too" });
    await fireEvent.click(own);
    await expect.poll(() => own.getAttribute("aria-checked")).toBe("true");
    expect(changes(d.backend)).toEqual([{ action: "editors_share", allow: true }]);
  });

  test("I6 who is here now is marked", async () => {
    const d = await shareDialog("invited");
    expect(within(row(d, "Grace Hopper")).getByText(/Editing now/)).toBeTruthy();
    expect(within(row(d, "Alan Turing")).getByText(/Here now/)).toBeTruthy();
  });
});

describe("A1 organisations", () => {
  test("A1 A2 everyone in it is one line, its members are shown when asked for, by their role there", async () => {
    const d = await shareDialog("organisation");
    expect(d.box.getByText(/^Everyone in Acme/, { selector: ".name" }).textContent).toContain("(6)");
    expect(d.box.queryByText("Betty Holberton")).toBeNull();
    await fireEvent.click(d.box.getByRole("button", { name: "Show" }));
    const members = within(d.box.getByRole("list", { name: "Members of Acme" }));
    expect(members.getAllByRole("listitem")).toHaveLength(5);
    expect(within(row(d, "Joan Clarke")).queryByRole("combobox")).toBeNull();
    expect(d.box.queryByRole("button", { name: "Remove Betty Holberton" })).toBeNull();
    expect(d.box.getByRole("combobox", { name: "What Betty Holberton may do" })).toBeTruthy();
  });

  test("A1 moving to the personal one takes access away at once; to one with members it asks", async () => {
    const d = await shareDialog("organisation");
    const select = d.box.getByRole<HTMLSelectElement>("combobox", { name: "Belongs to" });
    await fireEvent.change(select, { target: { value: "org_PERSONAL" } });
    await expect.poll(() => d.box.queryByText(/^Everyone in Acme/, { selector: "li *" })).toBeNull();
    await fireEvent.change(select, { target: { value: "org_ACME" } });
    expect(select.value).toBe("org_PERSONAL");
    expect(d.box.getByText(/Everyone in Acme can then view it/)).toBeTruthy();
    await fireEvent.click(d.box.getByRole("button", { name: "Move to Acme" }));
    await expect.poll(() => changes(d.backend).map((c) => c.action)).toEqual(["move", "move"]);
  });
});

describe("Q1 without a connection", () => {
  test("Q1 everything that waits is marked where it stands, loudly where it takes something away", async () => {
    const d = await shareDialog("peopleOffline");
    expect(within(row(d, "Alan Turing")).getByText(/^Still has access/)).toBeTruthy();
    expect(within(row(d, "Grace Hopper")).getByText(/^Still can edit/)).toBeTruthy();
    expect(within(row(d, "margaret@example.org")).getByText(/^Its link still works/)).toBeTruthy();
    expect(within(row(d, "dorothy@example.org")).getByText("Waiting for the connection")).toBeTruthy();
    expect(d.box.getByText(/^Waits for the server: change what 2 people may do/)).toBeTruthy();
    d.backend.connect();
    await expect.poll(() => d.box.queryByText("Alan Turing")).toBeNull();
    expect(d.box.queryByText(/waits for the connection/)).toBeNull();
  });

  test("Q1 I5 an invitation that has not left yet is withdrawn without a trace", async () => {
    const d = await shareDialog("peopleOffline");
    await type(field(d), "late@example.org");
    await fireEvent.keyDown(field(d), { key: "Enter", ctrlKey: true });
    expect(await d.box.findByText("1 invitation waits for the connection.")).toBeTruthy();
    await fireEvent.click(d.box.getByRole("button", { name: "Withdraw the invitation of late@example.org" }));
    await expect.poll(() => d.box.queryByText("late@example.org")).toBeNull();
  });
});

test("B2 names, addresses and reasons are text", async () => {
  const d = await shareDialog("private");
  const evil = "<img src=x onerror=alert(1)>";
  const { share } = d.backend.view(shopId);
  d.backend.change(shopId, {
    share: {
      ...share,
      people: share.people.map((p) => ({ ...p, name: evil })),
      invitations: [invitation("a@example.org", Date.now(), { delivery: "undeliverable", reason: evil })],
    },
  });
  expect(await d.box.findByText(`${evil} (you)`)).toBeTruthy();
  expect(d.element.querySelector("img")).toBeNull();
});

// Colours are looked at in a real page.
test.each(["invited", "organisation", "peopleOffline", "noMail", "editor"])(
  "the people of a dashboard can be worked with by everybody: %s",
  async (scene) => {
    const { element } = await shareDialog(scene);
    const { violations } = await axe.run(element, { rules: { "color-contrast": { enabled: false } }, iframes: false });
    expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
  },
);
