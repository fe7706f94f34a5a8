import "../../test/page";
import { fireEvent, within } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { changes, shareDialog, type } from "../../test/share";

async function embed(scene?: string) {
  const all = await shareDialog(scene);
  await fireEvent.click(all.box.getByRole("tab", { name: "Embed" }));
  const code = (): string => all.box.getByRole<HTMLTextAreaElement>("textbox", { name: "Code for your page" }).value;
  return { ...all, code };
}

test("E1 the snippet is ready, follows the options, and is copied", async () => {
  const { backend, box, code } = await embed();
  expect(code()).toContain('?embed=true" width="100%" height="600"');
  await fireEvent.change(box.getByRole("combobox", { name: "Theme" }), { target: { value: "dark" } });
  await fireEvent.click(box.getByRole("switch", { name: /^Interaction/ }));
  await type(box.getByRole("spinbutton", { name: "Height in pixels" }), "420");
  expect(code()).toContain('?embed=true&amp;theme=dark&amp;interactive=false" width="100%" height="420"');
  await fireEvent.click(box.getByRole("switch", { name: /^Only the dashboard/ }));
  expect(code()).not.toContain("embed=true");
  await fireEvent.click(box.getByRole("button", { name: "Copy code" }));
  expect(backend.clipboard).toBe(code());
  expect(await box.findByRole("button", { name: "Code copied" })).toBeTruthy();
  await fireEvent.click(box.getByRole("switch", { name: /^Only the dashboard/ }));
  expect(box.getByRole("button", { name: "Copy code" })).toBeTruthy();
});

test("E4 the parameters go to short and named links too", async () => {
  const { box, code } = await embed("limited");
  await fireEvent.change(box.getByRole("combobox", { name: "Address" }), { target: { value: "shortUrl" } });
  expect(code()).toContain("/s/k7Qp2mXw9a?embed=true");
  await fireEvent.change(box.getByRole("combobox", { name: "Address" }), { target: { value: "slugUrl" } });
  expect(code()).toContain("/s/team-status?embed=true");
});

test("E6 a height that no frame has is told, and the script is added on demand", async () => {
  const { box, code } = await embed();
  await type(box.getByRole("spinbutton", { name: "Height in pixels" }), "20");
  expect(box.getByRole("alert").textContent).toContain("From 120 to 5000");
  expect(code()).toContain('height="600"');
  await fireEvent.click(box.getByRole("switch", { name: /^As high as its content/ }));
  expect(code()).toContain('<script async src="https://sync.example.org/embed.js"></script>');
});

test("E3 the owner locks interaction, and then no option loosens it", async () => {
  const { backend, box, code } = await embed();
  await fireEvent.click(box.getByRole("switch", { name: "Never allow interaction" }));
  expect(await box.findByText(/^Locked: on the share page and in every frame/)).toBeTruthy();
  const option = box.getByRole("switch", { name: "Interaction: locked to off below" });
  expect(option).toHaveProperty("disabled", true);
  expect(code()).toContain("interactive=false");
  await fireEvent.click(box.getByRole("switch", { name: "Never allow interaction" }));
  await expect
    .poll(() => changes(backend))
    .toEqual([
      { action: "still", still: true },
      { action: "still", still: false },
    ]);
});

test("E5 sites are named, and what is none stays at its entry to be mended", async () => {
  const { backend, box } = await embed();
  expect(box.getByText(/every site may/)).toBeTruthy();
  await type(box.getByRole("textbox", { name: "Add a site" }), "intra.example.org, not:a:site");
  await fireEvent.click(box.getByRole("button", { name: "Add" }));
  expect(await box.findByText("https://intra.example.org")).toBeTruthy();
  const wrong = await box.findByRole<HTMLInputElement>("textbox", { name: "Site to correct" });
  expect(wrong.value).toBe("not:a:site");
  expect(document.getElementById(wrong.getAttribute("aria-describedby") ?? "")?.textContent).toContain(
    "“not:a:site” is not the address of a site",
  );
  await fireEvent.change(wrong, { target: { value: "*.example.com/x" } });
  expect(await box.findByText("https://*.example.com")).toBeTruthy();
  await expect.poll(() => box.queryByRole("textbox", { name: "Site to correct" })).toBeNull();
  expect(changes(backend)).toEqual([
    { action: "origins", origins: ["https://intra.example.org"] },
    { action: "origins", origins: ["https://intra.example.org", "https://*.example.com"] },
  ]);
});

test("E5 taking the last site away asks, because then every site may", async () => {
  const { backend, box } = await embed("limited");
  await fireEvent.click(box.getByRole("button", { name: "Remove https://*.example.org" }));
  await expect.poll(() => changes(backend)).toHaveLength(1);
  await fireEvent.click(await box.findByRole("button", { name: "Remove https://intranet.example.com:8443" }));
  const question = within(await box.findByRole("alertdialog", { name: "Let every site embed it?" }));
  await fireEvent.click(question.getByRole("button", { name: "Every site" }));
  await expect.poll(() => changes(backend).at(-1)).toEqual({ action: "origins", origins: [] });
});

test("E1 P3 readers of a password link are asked inside the frame", async () => {
  const { box } = await embed("password");
  expect(box.getByText("Readers are asked for the password inside the frame.")).toBeTruthy();
});

test("E1 a web view that cannot draw the preview says so, and the code stays", async () => {
  const { element, code } = await embed();
  const frame = element.querySelector("iframe");
  expect(frame?.getAttribute("src")).toBe("/embed-preview");
  if (frame) await fireEvent.load(frame);
  expect(within(element).getByText(/cannot draw the preview/)).toBeTruthy();
  expect(code()).toContain("<iframe");
});
