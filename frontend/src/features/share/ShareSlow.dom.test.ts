// What happens while a change is still being made, and where the focus goes once it is.
import "../../test/page";
import { fireEvent, within } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";
import type { FakeBackend } from "../../test/fakeBackend";
import { open, person, share, shopId } from "../../test/samples";
import { changes, shareDialog, type } from "../../test/share";
import { toField } from "./times";

/** Makes changes of sharing wait until the returned function is called. */
function hold(backend: FakeBackend): () => void {
  const real = backend.share.bind(backend);
  let go: () => void = () => undefined;
  const held = new Promise<void>((done) => {
    go = done;
  });
  backend.share = async (...args) => {
    await held;
    await real(...args);
  };
  return go;
}

test("P2 the password that is shown at the end is the one that was set, whatever is pressed meanwhile", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("radio", { name: "Password link" }));
  const field = box.getByRole<HTMLInputElement>("textbox", { name: "Password" });
  const offered = field.value;
  const go = hold(backend);
  await fireEvent.click(box.getByRole("button", { name: "Protect with this password" }));
  expect(field.readOnly).toBe(true);
  await fireEvent.click(box.getByRole("button", { name: "Generate" }));
  await fireEvent.click(box.getByRole("button", { name: "Cancel" }));
  await fireEvent.keyDown(field, { key: "Escape" });
  go();
  expect(await box.findByText("Protected.")).toBeTruthy();
  expect(box.getByText(offered)).toBeTruthy();
  expect(changes(backend)).toEqual([{ action: "password", password: offered }]);
});

test("P2 a password that was not copied is not closed away by one key", async () => {
  const { box } = await shareDialog();
  await fireEvent.click(box.getByRole("radio", { name: "Password link" }));
  await fireEvent.click(box.getByRole("button", { name: "Protect with this password" }));
  await box.findByText("Protected.");
  const copy = box.getByRole("button", { name: "Copy password" });
  // The dialog itself does not close on a key whose default was prevented.
  expect(await fireEvent.keyDown(copy, { key: "Escape" })).toBe(false);
  expect(box.getByText("Protected.")).toBeTruthy();
  await fireEvent.click(copy);
  await box.findByRole("button", { name: "Password copied" });
  expect(await fireEvent.keyDown(copy, { key: "Escape" })).toBe(false);
  await expect.poll(() => box.queryByText("Protected.")).toBeNull();
});

test("A4 only the sentence is told to those who listen, not who watches and what can be pressed", async () => {
  const { box } = await shareDialog();
  const said = box.getAllByRole("status")[0];
  expect(said?.textContent).toContain("Anyone with the link can view");
  expect(said?.textContent).not.toContain("watching");
  expect(said?.querySelector("button")).toBeNull();
});

test("S2 a name that is refused later takes nobody's field away", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.change(box.getByRole("combobox", { name: "Ends" }), { target: { value: "choose" } });
  const date = box.getByLabelText("Date and time of the end");
  expect(document.activeElement).toBe(date);
  backend.change(shopId, {
    share: share({ inForce: open, wanted: open, refused: { action: "slug", message: "It is taken." } }),
  });
  expect(await box.findByText("It is taken.")).toBeTruthy();
  expect(document.activeElement).toBe(date);
});

test("L5 the focus goes on from a date that was set, and Escape leaves the date and not the dialog", async () => {
  const { backend, box } = await shareDialog();
  const ends = box.getByRole("combobox", { name: "Ends" });
  await fireEvent.change(ends, { target: { value: "choose" } });
  expect(await fireEvent.keyDown(box.getByLabelText("Date and time of the end"), { key: "Escape" })).toBe(false);
  expect(box.queryByLabelText("Date and time of the end")).toBeNull();
  expect(document.activeElement).toBe(ends);
  await fireEvent.change(ends, { target: { value: "choose" } });
  const date = box.getByLabelText("Date and time of the end");
  await type(date, toField(Date.now() + 5 * 86_400_000));
  await fireEvent.click(box.getByRole("button", { name: "Set end" }));
  await expect.poll(() => changes(backend)).toHaveLength(1);
  await expect.poll(() => document.activeElement === ends).toBe(true);
});

test("E5 sites taken away one after the other stay away", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("tab", { name: "Embed" }));
  await type(box.getByRole("textbox", { name: "Add a site" }), "a.example.org b.example.org c.example.org");
  await fireEvent.click(box.getByRole("button", { name: "Add" }));
  await box.findByText("https://c.example.org");
  const go = hold(backend);
  await fireEvent.click(box.getByRole("button", { name: "Remove https://a.example.org" }));
  await fireEvent.click(box.getByRole("button", { name: "Remove https://b.example.org" }));
  go();
  await expect.poll(() => box.queryByText("https://b.example.org")).toBeNull();
  expect(box.queryByText("https://a.example.org")).toBeNull();
  expect(changes(backend).at(-1)).toEqual({ action: "origins", origins: ["https://c.example.org"] });
});

test("E5 what is typed while a site is being added stays", async () => {
  const { backend, box } = await shareDialog();
  await fireEvent.click(box.getByRole("tab", { name: "Embed" }));
  const go = hold(backend);
  const field = box.getByRole<HTMLInputElement>("textbox", { name: "Add a site" });
  await type(field, "a.example.org");
  await fireEvent.click(box.getByRole("button", { name: "Add" }));
  expect(field.value).toBe("");
  await type(field, "b.example");
  go();
  await box.findByText("https://a.example.org");
  expect(field.value).toBe("b.example");
});

test("B1 E5 an entry may be mended into what another one says, and is still no site", async () => {
  const { box } = await shareDialog();
  await fireEvent.click(box.getByRole("tab", { name: "Embed" }));
  await type(box.getByRole("textbox", { name: "Add a site" }), "a_b:x c_d:x");
  await fireEvent.click(box.getByRole("button", { name: "Add" }));
  const [, second] = await box.findAllByRole("textbox", { name: "Site to correct" });
  if (second) await fireEvent.change(second, { target: { value: "a_b:x" } });
  await expect.poll(() => box.getAllByRole("textbox", { name: "Site to correct" })).toHaveLength(1);
});

test("B2 A4 people who call themselves the same are all listed", async () => {
  const { backend, box } = await shareDialog();
  const twins = [person("Sam", { account: "acc_1" }), person("Sam", { account: "acc_2" })];
  backend.change(shopId, { share: share({ inForce: open, wanted: open, people: twins }) });
  await expect.poll(() => box.queryAllByText("Sam")).toHaveLength(2);
});

test("S1 the code of the link before is not shown as that of the new one", async () => {
  const { backend, box, element } = await shareDialog();
  await fireEvent.click(box.getByRole("button", { name: "QR code" }));
  const qr = within(await box.findByRole("region", { name: "QR code" }));
  expect(await qr.findByRole("img")).toBeTruthy();
  backend.qr = vi.fn(() => new Promise<Blob>(() => undefined));
  await fireEvent.click(box.getByRole("button", { name: "Rotate link" }));
  await fireEvent.click(box.getByRole("button", { name: "Stop old links" }));
  await expect.poll(() => element.querySelector(".qr img")).toBeNull();
});

test("E1 the code falls back to the full link when the name that it used is gone", async () => {
  const { backend, box } = await shareDialog("named");
  await fireEvent.click(box.getByRole("tab", { name: "Embed" }));
  const address = box.getByRole<HTMLSelectElement>("combobox", { name: "Address" });
  await fireEvent.change(address, { target: { value: "slugUrl" } });
  backend.change(shopId, { share: share({ inForce: open, wanted: open }) });
  await expect.poll(() => address.value).toBe("url");
});
