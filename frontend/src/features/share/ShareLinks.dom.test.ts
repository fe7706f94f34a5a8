import "../../test/page";
import { fireEvent, screen, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { server } from "../../test/samples";
import { changes, shareDialog, type } from "../../test/share";
import { toField } from "./times";

test("L1 turning it on shows both links, and they are copied", async () => {
  const { backend, box } = await shareDialog("private");
  expect(box.queryByRole("button", { name: "Copy link" })).toBeNull();
  await fireEvent.click(box.getByRole("radio", { name: "Public link" }));
  await fireEvent.click(await box.findByRole("button", { name: "Copy link" }));
  expect(backend.clipboard).toMatch(/\/share\/shr_/);
  expect(await box.findByText("Link copied")).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Copy short link" }));
  expect(backend.clipboard).toMatch(/\/s\/\w+$/);
});

test("Q1 a link made offline can be copied and says that it does not work yet", async () => {
  const { backend, box } = await shareDialog("notYet");
  expect(box.getByRole("button", { name: "Copy link" })).toBeTruthy();
  expect(box.getByText(/works once it has reached the server/)).toBeTruthy();
  const open = box.getByRole("button", { name: "Open link" });
  expect(open.getAttribute("aria-disabled")).toBe("true");
  expect(open.title).toBe("The link does not work now");
  await fireEvent.click(open);
  expect(backend.called("openExternal")).toEqual([]);
});

test("L4 rotating asks first, and says that it is for ever", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("button", { name: "Rotate link" }));
  const question = within(box.getByRole("alertdialog"));
  expect(question.getByText(/stop working for ever/)).toBeTruthy();
  await fireEvent.click(question.getByRole("button", { name: "Keep the link" }));
  expect(changes(backend)).toHaveLength(0);
  await fireEvent.click(await box.findByRole("button", { name: "Rotate link" }));
  await fireEvent.click(box.getByRole("button", { name: "Stop old links" }));
  expect(changes(backend)).toEqual([{ action: "rotate" }]);
});

test("L4 rotating says that the chosen name goes too, and that the password stays", async () => {
  const { box } = await shareDialog("limited");
  await fireEvent.click(box.getByRole("button", { name: "Rotate link" }));
  const text = box.getByRole("alertdialog").textContent;
  expect(text).toContain("the name “team-status”");
  expect(text).toContain("The password stays, and everyone is asked for it again.");
});

test("S2 a name is chosen as it is typed, and copied", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("button", { name: "Choose a name" }));
  const field = box.getByRole<HTMLInputElement>("textbox", { name: "Name" });
  expect(document.activeElement).toBe(field);
  await type(field, "Té");
  expect(field.value).toBe("te");
  await fireEvent.click(box.getByRole("button", { name: "Save name" }));
  expect(box.getByRole("alert").textContent).toContain("at least 3");
  await type(field, "Team Status ");
  expect(field.value).toBe("team-status-");
  await fireEvent.click(box.getByRole("button", { name: "Save name" }));
  await fireEvent.click(await box.findByRole("button", { name: "Copy named link" }));
  expect(backend.clipboard).toBe(`${server}/s/team-status`);
  expect(changes(backend)).toEqual([{ action: "slug", slug: "team-status" }]);
});

test("S2 V3 a name that is taken is told at its field, with what was tried", async () => {
  const { backend, box } = await shareDialog();
  backend.taken.add("status");
  await fireEvent.click(box.getByRole("button", { name: "Choose a name" }));
  await type(box.getByRole("textbox", { name: "Name" }), "status");
  await fireEvent.click(box.getByRole("button", { name: "Save name" }));
  expect((await box.findByRole("alert")).textContent).toContain("“status” is taken");
  const field = box.getByRole<HTMLInputElement>("textbox", { name: "Name" });
  expect(field.value).toBe("status");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  await type(field, "status-2");
  expect(box.queryByRole("alert")).toBeNull();
  await fireEvent.click(box.getByRole("button", { name: "Save name" }));
  expect(await box.findByRole("button", { name: "Copy named link" })).toBeTruthy();
  expect(backend.called("dismissRefusal")).toHaveLength(1);
});

test("S2 a name can be taken away, and says that it stays reserved", async () => {
  const { backend, box } = await shareDialog("named");
  await fireEvent.click(box.getByRole("button", { name: "Change the name" }));
  expect(box.getByText(/The old name stays reserved for this dashboard/)).toBeTruthy();
  await fireEvent.click(box.getByRole("button", { name: "Remove" }));
  expect(await box.findByRole("button", { name: "Choose a name" })).toBeTruthy();
  expect(changes(backend)).toEqual([{ action: "slug", slug: "" }]);
});

test("S1 the QR code leads to the short link, or to the name if there is one, and is saved", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("button", { name: "QR code" }));
  expect(await box.findByRole("img", { name: "QR code that leads to sync.example.org/s/k7Qp2mXw9a" })).toBeTruthy();
  expect(backend.called("qr").map((c) => c.slice(2))).toEqual([["short", "svg"]]);
  await fireEvent.click(box.getByRole("button", { name: "Save PNG" }));
  await expect.poll(() => backend.called("qr").at(-1)?.slice(2)).toEqual(["short", "png"]);
  await fireEvent.click(box.getByRole("button", { name: "Show large" }));
  const large = within(screen.getByRole("dialog", { name: "QR code" }));
  expect(large.getByRole("img", { name: /^QR code that leads to/ })).toBeTruthy();
  await fireEvent.click(large.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("dialog", { name: "QR code" })).toBeNull();
});

test("S1 S2 the QR code of a named link", async () => {
  const { backend, box } = await shareDialog("named");
  await fireEvent.click(box.getByRole("button", { name: "QR code" }));
  expect(await box.findByRole("img", { name: "QR code that leads to sync.example.org/s/team-status" })).toBeTruthy();
  expect(backend.called("qr").map((c) => c[2])).toEqual(["slug"]);
});

test("S1 a code that cannot be drawn says so", async () => {
  const { backend, box } = await shareDialog();
  backend.faults.set("qr", { kind: "internal", message: "The picture could not be drawn." });
  await fireEvent.click(box.getByRole("button", { name: "QR code" }));
  expect(await box.findByText("The picture could not be drawn.")).toBeTruthy();
});

test("L5 an end is one choice away", async () => {
  const { backend, box } = await shareDialog();
  const select = box.getByRole("combobox", { name: "Ends" });
  const before = Date.now();
  await fireEvent.change(select, { target: { value: "hour" } });
  await expect.poll(() => changes(backend).length).toBe(1);
  const [change] = changes(backend);
  if (change?.action !== "expiry") throw new Error("no expiry");
  expect(change.expires - before - 3_600_000).toBeGreaterThanOrEqual(-20_000);
  expect(change.expires - before - 3_600_000).toBeLessThan(20_000);
  expect(await box.findAllByText(/Ends in 1 hour, on /)).not.toHaveLength(0);
  await fireEvent.change(select, { target: { value: "never" } });
  await expect.poll(() => changes(backend).at(-1)).toEqual({ action: "expiry", expires: 0 });
});

test("L5 any moment ahead can be chosen, and no other", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.change(box.getByRole("combobox", { name: "Ends" }), { target: { value: "choose" } });
  const field = box.getByLabelText("Date and time of the end");
  expect(document.activeElement).toBe(field);
  for (const [value, words] of [
    ["", "Enter a date"],
    [toField(Date.now() - 3_600_000), "has passed"],
    [toField(Date.now() + 4000 * 86_400_000), "ten years"],
  ] as const) {
    await type(field, value);
    await fireEvent.click(box.getByRole("button", { name: "Set end" }));
    expect(box.getByRole("alert").textContent).toContain(words);
  }
  expect(changes(backend)).toEqual([]);
  const at = Math.floor(Date.now() / 60_000) * 60_000 + 3 * 86_400_000;
  await type(field, toField(at));
  await fireEvent.click(box.getByRole("button", { name: "Set end" }));
  await expect.poll(() => changes(backend)).toEqual([{ action: "expiry", expires: at }]);
  await expect.poll(() => box.queryByLabelText("Date and time of the end")).toBeNull();
});

test("L5 an end that was refused here is told at its field", async () => {
  const { backend, box } = await shareDialog();
  backend.faults.set("share", {
    kind: "invalid",
    field: "expires",
    message: "A link may end at most ten years from now.",
  });
  await fireEvent.change(box.getByRole("combobox", { name: "Ends" }), { target: { value: "week" } });
  expect((await box.findByRole("alert")).textContent).toContain("ten years");
});

test("L5 the owner sees the end coming without opening the dialog", async () => {
  const { box } = await shareDialog("endsSoon");
  expect(box.getAllByText(/Ends in 3 hours, on /)).not.toHaveLength(0);
  const button = screen.getByRole("button", { name: "Share" });
  expect(document.getElementById(button.getAttribute("aria-describedby") ?? "")?.textContent).toMatch(
    /^Ends in 3 hours/,
  );
});

test("L7 how often the link was opened, with the bars in words", async () => {
  const { box } = await shareDialog();
  await fireEvent.click(box.getByRole("tab", { name: "Visits" }));
  expect(box.getByText("watching now").parentElement?.textContent).toContain("4");
  expect(box.getByText("2 minutes ago")).toBeTruthy();
  expect(box.getByRole("img", { name: /^Opened [\d,]+ times in the last 30 days; most often on / })).toBeTruthy();
});

test("L7 numbers that nobody has asked for yet say so", async () => {
  const { box } = await shareDialog("refused");
  await fireEvent.click(box.getByRole("tab", { name: "Visits" }));
  expect(box.getByText(/appear here once it has told them/)).toBeTruthy();
});
