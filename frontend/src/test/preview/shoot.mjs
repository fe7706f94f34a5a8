// Pictures of the screens, for eyes: `node src/test/preview/shoot.mjs OUT [only]`, with serve.mjs running on PORT.
import { mkdirSync } from "node:fs";
import { chromium } from "@playwright/test";

const [out = "../build/test-results/screens", only = ""] = process.argv.slice(2);
const base = `http://127.0.0.1:${process.env.PORT ?? "5199"}/src/test/preview/index.html`;
mkdirSync(out, { recursive: true });

const click =
  (name, role = "button") =>
  (p) =>
    p.getByRole(role, { name, exact: true }).first().click();
const share = click("Share");
const card = (name) => (p) => p.getByRole("button", { name }).first().click();
const csv = async (p) => {
  await click("Add widget")(p);
  await p.getByRole("button", { name: "Import a CSV or JSON file" }).click();
  await p.getByLabel("or paste rows or JSON").fill("a;b");
  await click("Preview")(p);
  await p.getByRole("region", { name: "First rows" }).waitFor();
};
/** Scrolls the dialog to its end. */
const below = {
  last: (p) => p.locator("dialog .body").evaluate((e) => e.scrollTo(0, e.scrollHeight)),
};
/** Opens the history, from the header or, where there is no room for that, from the menu. */
const past = async (p) => {
  const button = p.getByRole("button", { name: "History", exact: true });
  if (await button.isVisible()) return button.click();
  await click("More")(p);
  return p.getByRole("menuitem", { name: "History" }).click();
};
const entry = (p, words) => p.getByRole("listitem").getByRole("button", { name: words }).first();
/** Looks at the change that is told with these words. */
const pastAt = (words) => async (p) => {
  await past(p);
  await entry(p, words).click();
};
const shots = {
  board: {},
  sharePublic: { do: share },
  sharePrivate: { scene: "private", do: share },
  shareDisabled: { scene: "disabled", do: share },
  shareNotYet: { scene: "notYet", do: share },
  shareStillPublic: { scene: "stillPublic", do: share, wait: 2800 },
  shareOldLink: { scene: "oldLink", do: share },
  shareSignedOut: { scene: "signedOut", do: share },
  shareRefused: { scene: "refused", do: share },
  shareRotate: {
    do: async (p) => {
      await share(p);
      await click("Rotate link")(p);
    },
  },
  sharePassword: { scene: "password", do: share },
  shareProtect: { do: (p) => share(p).then(() => click("Password link", "radio")(p)) },
  shareProtected: {
    do: async (p) => {
      await share(p);
      await click("Password link", "radio")(p);
      await click("Protect with this password")(p);
    },
  },
  shareToPublic: { scene: "password", do: (p) => share(p).then(() => click("Public link", "radio")(p)) },
  shareUndo: { do: (p) => share(p).then(() => click("Private", "radio")(p)) },
  shareStillOpen: { scene: "stillOpen", do: share, wait: 2800 },
  shareWaitingFirst: { scene: "waitingFirst", do: share },
  shareNamed: { scene: "named", do: share },
  shareNaming: { do: (p) => share(p).then(() => click("Choose a name")(p)) },
  shareTaken: { scene: "taken", do: share },
  shareEndsSoon: { scene: "endsSoon", do: share },
  shareEnded: { scene: "ended", do: share },
  shareUntilWhen: { scene: "ended", do: (p) => share(p).then(() => click("Public link", "radio")(p)) },
  shareChooseEnd: {
    do: (p) => share(p).then(() => p.getByRole("combobox", { name: "Ends" }).selectOption("choose")),
  },
  shareQr: { scene: "named", do: (p) => share(p).then(() => click("QR code")(p)) },
  shareQrLarge: {
    do: async (p) => {
      await share(p);
      await click("QR code")(p);
      await click("Show large")(p);
    },
  },
  shareEmbed: { do: (p) => share(p).then(() => click("Embed", "tab")(p)), wait: 800 },
  shareEmbedRules: {
    scene: "limited",
    do: async (p) => {
      await share(p);
      await click("Embed", "tab")(p);
      await p.getByRole("textbox", { name: "Add a site" }).fill("my intranet:x, https://ok.example.net");
      await click("Add")(p);
      await p.getByRole("textbox", { name: "Add a site" }).scrollIntoViewIfNeeded();
    },
    wait: 800,
  },
  shareVisits: { do: (p) => share(p).then(() => click("Visits", "tab")(p)) },
  shareTrashed: { scene: "trashed", do: share },
  shareViewer: { hash: "#/board/dsh_BORROWED", do: share },
  sharePeople: { scene: "people", do: share, ...below },
  sharePeopleTop: { scene: "people", do: share },
  shareInvited: { scene: "invited", do: share },
  shareInvitedBelow: { scene: "invited", do: share, ...below },
  shareOrganisation: { scene: "organisation", do: share },
  shareOrganisationOpen: { scene: "organisation", do: (p) => share(p).then(() => click("Show")(p)), ...below },
  shareMove: {
    scene: "organisation",
    do: async (p) => {
      await share(p);
      await p.getByRole("combobox", { name: "Belongs to" }).selectOption("org_PERSONAL");
      await p.getByRole("combobox", { name: "Belongs to" }).selectOption("org_ACME");
    },
  },
  sharePeopleOffline: { scene: "peopleOffline", do: share, wait: 2800 },
  sharePeopleOfflineBelow: { scene: "peopleOffline", do: share, wait: 2800, ...below },
  shareNoMail: { scene: "noMail", do: share },
  shareEditor: { scene: "editor", do: share },
  shareSharer: { scene: "sharer", do: share, ...below },
  shareInviting: {
    scene: "private",
    do: async (p) => {
      await share(p);
      const field = p.getByRole("textbox", { name: "Invite by e-mail" });
      await field.fill("Bob Ross <bob@example.org>, cy@example.org dan@example.org; ann@, eve example.org,");
      await click("Add a message")(p);
      await p
        .getByRole("textbox", { name: /^Message/ })
        .fill("Here are the numbers for Thursday. Tell me what is missing.");
    },
  },
  shareInviteDone: {
    scene: "private",
    do: async (p) => {
      await share(p);
      await p.getByRole("textbox", { name: "Invite by e-mail" }).fill("bob@example.org, ada@example.org");
      await click("Invite")(p);
    },
  },
  shareOwner: {
    scene: "invited",
    do: async (p) => {
      await share(p);
      await p.getByRole("combobox", { name: "What Grace Hopper may do" }).selectOption("owner");
    },
  },
  sections: { scene: "sections" },
  sectionsOpen: {
    scene: "sections",
    do: async (p) => {
      const burger = p.getByRole("button", { name: "Show dashboards" });
      if (await burger.isVisible()) await burger.click();
      await click("Acme")(p);
    },
  },
  checkMail: { scene: "signUp", do: (p) => p.locator("#sidebar .account").dispatchEvent("click") },
  accountWeb: {
    scene: "webOut",
    do: (p) => p.locator("#sidebar .account").dispatchEvent("click"),
  },
  accountMenu: { scene: "unverified", do: (p) => p.locator("#sidebar .account").dispatchEvent("click") },
  busy: { scene: "busy" },
  busyOpen: { scene: "busy", do: (p) => p.getByRole("button", { name: /here:/ }).click() },
  present: { scene: "people" },
  viewOnly: { hash: "#/board/dsh_BORROWED", do: click("View only") },
  lowered: {
    do: async (p) => {
      await p
        .getByRole("textbox", { name: "Description" })
        .fill("The week at a glance, for everybody in the company and our friends.");
      await p.evaluate(() => {
        const { backend } = window;
        const view = backend.view("dsh_SHOP");
        backend.change("dsh_SHOP", { role: "viewer", share: { ...view.share, canManage: false } });
      });
    },
  },
  soon: { scene: "endsSoon" },
  alarmed: { scene: "stillPublic" },
  history: { scene: "history", do: past },
  historyAt: { scene: "history", do: pastAt(/Alan Turing/) },
  historyTitle: { scene: "history", do: pastAt(/Called the dashboard/) },
  historyRemoved: { scene: "history", do: pastAt(/Removed “Newsletter”/) },
  historyLost: { scene: "history", do: pastAt(/Where orders come from/) },
  historyLatest: { scene: "history", do: pastAt(/Latest/) },
  historyEnd: { scene: "history", do: pastAt(/Added “Visitors by channel”/) },
  historyMenu: {
    scene: "history",
    do: async (p) => {
      await pastAt(/Alan Turing/)(p);
      await p.getByRole("button", { name: "Conversion, as it was" }).focus();
      await p.keyboard.press("Enter");
    },
  },
  historyOf: {
    scene: "history",
    do: async (p) => {
      await p.getByRole("button", { name: "More for Conversion" }).focus();
      await p.keyboard.press("Enter");
      await p.getByRole("menuitem", { name: "History of this widget" }).click();
      await p.waitForTimeout(200);
      if (p.viewportSize().width > 720) await entry(p, /Alan Turing/).click();
    },
  },
  historyRestored: {
    scene: "history",
    do: async (p) => {
      await pastAt(/Alan Turing/)(p);
      await click("Restore this version")(p);
    },
  },
  historyOlder: { scene: "historyPages", do: past },
  historyOffline: { scene: "historyOffline", do: past },
  historyUnreachable: { scene: "historyUnreachable", do: past },
  historyNoRows: { scene: "historyNoRows", do: pastAt(/Alan Turing/) },
  historyEmpty: { do: past },
  historyFailed: { scene: "historyFailed", do: past },
  historyGone: { scene: "historyGone", do: pastAt(/Alan Turing/) },
  historySlow: { scene: "historySlow", do: past, wait: 700 },
  gallery: { do: click("Add widget") },
  palette: { do: (p) => p.keyboard.press("Control+k") },
  settings: { do: card("Visitors by channel, line chart") },
  data: {
    do: async (p) => {
      await card("Visitors by channel, line chart")(p);
      await p.getByRole("tab", { name: "Data" }).click();
      await p.getByRole("grid").click({ position: { x: 120, y: 60 } });
    },
  },
  markdown: { do: card("Text") },
  importStart: {
    do: async (p) => {
      await click("Add widget")(p);
      await p.getByRole("button", { name: "Import a CSV or JSON file" }).click();
    },
  },
  importPreview: { scene: "import", do: csv },
  account: {
    scene: "signedOut",
    do: async (p) => {
      await share(p);
      await click("Create an account")(p);
    },
  },
  trash: { hash: "#/trash" },
  empty: { hash: "#/board/dsh_EMPTY" },
  viewer: { hash: "#/board/dsh_BORROWED" },
  refusedEdits: { scene: "refusedEdits" },
  refusedAll: { scene: "refusedEdits", do: click("Show all 7") },
  refusedFew: { scene: "refusedFew" },
  refusedDiscard: { scene: "refusedFew", do: click("Discard my changes") },
  takenAway: { scene: "takenAway" },
  draining: { scene: "draining" },
  drainingOpen: { scene: "draining", do: (p) => p.getByRole("button", { name: /sync status/ }).click() },
  sync: { scene: "offline", do: (p) => p.getByRole("button", { name: /sync status/ }).click() },
  menu: { do: click("More") },
  failed: { scene: "failed" },
  slow: { scene: "slow", wait: 500 },
  none: { scene: "none", hash: "#/" },
  missing: { hash: "#/board/dsh_GONE" },
  lost: { do: (p) => p.evaluate(() => window.backend.loseConnection(true)) },
  shortcuts: { do: (p) => p.keyboard.press("?") },
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const sizes = (process.env.SIZES ?? "1440,800,390").split(",").map(Number);
const themes = (process.env.THEMES ?? "light,dark").split(",");
for (const [name, shot] of Object.entries(shots)) {
  if (only && !only.split(",").includes(name)) continue;
  for (const width of sizes) {
    for (const theme of themes) {
      const page = await browser.newPage({ viewport: { width, height: width < 500 ? 800 : 900 }, colorScheme: theme });
      page.on("pageerror", (e) => console.log(name, width, theme, "ERROR", e.message));
      page.on(
        "console",
        (m) => m.type() === "error" && !/404/.test(m.text()) && console.log(name, width, theme, m.text()),
      );
      try {
        await page.goto(`${base}?theme=${theme}&scene=${shot.scene ?? ""}${shot.hash ?? ""}`);
        await page.locator("#app > *").first().waitFor({ timeout: 15000 });
        await page.waitForTimeout(200);
        await shot.do?.(page);
        await page.waitForTimeout(shot.wait ?? 350);
        await shot.last?.(page);
      } catch (e) {
        console.log(name, width, theme, String(e).split("\n").slice(0, 3).join(" "));
      }
      await page.screenshot({ path: `${out}/${name}-${width}-${theme}.png` });
      await page.close();
    }
  }
}
await browser.close();
