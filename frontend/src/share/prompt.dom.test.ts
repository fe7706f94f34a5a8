import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { all, find, input, last, order, Socket, stat, text, World } from "./test/page";

const secret = { title: "Secret", widgets: [stat("a", 1)] };
const key = "widgets:session:/share/shr_abc";

describe("prompt", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
  });
  afterEach(() => {
    world.end();
  });

  const field = (): HTMLInputElement => input("#password");
  const disabled = (): boolean => find("#unlock button").matches(":disabled");
  const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  async function enter(password: string): Promise<void> {
    field().value = password;
    const e = new Event("submit", { cancelable: true, bubbles: true });
    find("#unlock").dispatchEvent(e);
    expect(e.defaultPrevented).toBe(true);
    await settle();
  }

  test("P1 nothing is connected and nothing is said before the password", async () => {
    await world.prompt();
    await settle(60_000);
    expect(Socket.all).toHaveLength(0);
    expect(world.requests).toEqual([]);
  });

  test("P3 the right password shows the dashboard in place, and the session is kept for this tab", async () => {
    await world.prompt();
    world.answers["POST"] = { body: { session: "s1", expires: 1 } };
    await enter("cafe\u0301 & more");
    expect(world.requests).toEqual([
      {
        url: "http://localhost:3000/share/shr_abc?theme=dark",
        method: "POST",
        headers: { Accept: "application/json" },
        body: "password=caf%C3%A9+%26+more",
      },
    ]);
    expect(last().url).toBe("ws://localhost:3000/share/shr_abc/live?v=0&open=1");
    expect(last().protocols).toEqual(["widgets.view", "session.s1"]);
    expect(text("button")).toBe("Opening…");
    last().say(all(secret));
    expect(order()).toEqual(["w-a"]);
    expect(document.title).toBe("Secret");
    expect(document.querySelector("#prompt, #unlock, input")).toBeNull();
    expect(document.documentElement.dataset["locked"]).toBeUndefined();
    expect(document.documentElement.dataset["theme"]).toBe("light");
    expect(document.activeElement?.id).toBe("board");
    expect(text("#live")).toBe("Live, updated just now");
    expect(sessionStorage.getItem(key)).toBe("s1");
    expect(world.went).toEqual([]);

    // It goes on with the session, though the page itself asks for the password where cookies are kept from it.
    world.answers["HEAD"] = { status: 401 };
    last().drop();
    await settle(500);
    last().drop();
    await settle(2_000);
    expect(Socket.all).toHaveLength(3);
    expect(last().url).toBe("ws://localhost:3000/share/shr_abc/live?v=9");
    expect(last().protocols).toEqual(["widgets.view", "session.s1"]);
    expect(order()).toEqual(["w-a"]);
  });

  test("P3 it works where the browser keeps nothing for the frame", async () => {
    vi.spyOn(Storage.prototype, "getItem").mockImplementation(() => {
      throw new DOMException("no", "SecurityError");
    });
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("no", "SecurityError");
    });
    vi.spyOn(Storage.prototype, "removeItem").mockImplementation(() => {
      throw new DOMException("no", "SecurityError");
    });
    await world.prompt(["embed", "fixed"]);
    world.answers["POST"] = { body: { session: "s1", expires: 1 } };
    await enter("right");
    last().say(all(secret));
    expect(order()).toEqual(["w-a"]);
    expect(document.documentElement.dataset["theme"]).toBe("system");
  });

  test.each([
    [401, { error: { message: "That is not the password.", hint: "Capital letters count." } }, "That is not the password. Capital letters count."],
    [401, "<html>", "That is not the password."],
    [422, { error: { message: "The password is too long." } }, "The password is too long."],
    [500, null, "That did not work. Try again."],
    [200, { session: 5 }, "That did not work. Try again."],
    [401, { error: { message: "<b>no</b>" } }, "<b>no</b>"],
  ])("P1 B2 an answer of %i is said in a sentence, and the field is ready again (%#)", async (status, body, words) => {
    await world.prompt();
    world.answers["POST"] = { status, body };
    await enter("wrong");
    expect(text("#problem")).toBe(words);
    expect(document.querySelector("#problem *")).toBeNull();
    expect(document.activeElement).toBe(field());
    expect([field().selectionStart, field().selectionEnd]).toEqual([0, 5]);
    expect(field().getAttribute("aria-invalid")).toBe("true");
    expect(disabled()).toBe(false);
    expect(text("button")).toBe("Open dashboard");
    expect(Socket.all).toHaveLength(0);
  }); // prettier-ignore

  test("P5 too many attempts: the sentence stays, and the button counts down", async () => {
    await world.prompt();
    world.answers["POST"] = {
      status: 429,
      body: { error: { message: "Too many attempts.", hint: "Wait a little." } },
      headers: { "Retry-After": "119" },
    };
    await enter("wrong");
    expect(text("#problem")).toBe("Too many attempts. Wait a little.");
    expect(text("button")).toBe("Wait 1:59");
    expect(disabled()).toBe(true);
    await enter("again");
    expect(world.requests).toHaveLength(1);
    await settle(60_000);
    expect(text("button")).toBe("Wait 0:59");
    await settle(59_000);
    expect(text("button")).toBe("Open dashboard");
    expect(disabled()).toBe(false);
    world.answers["POST"] = { body: { session: "s2" } };
    await enter("right");
    expect(text("#problem")).toBe("");
    expect(last().protocols).toEqual(["widgets.view", "session.s2"]);
  });

  test.each([undefined, "soon", "-4", "1e9"])("P5 a Retry-After of %s is made the best of", async (header) => {
    await world.prompt();
    world.answers["POST"] = { status: 429, body: {}, headers: header === undefined ? {} : { "Retry-After": header } };
    await enter("wrong");
    expect(text("button")).toMatch(/^Wait (0:05|60:00)$/);
  });

  test("without a network it says so, and can be tried again", async () => {
    await world.prompt();
    world.answers["POST"] = new Error("offline");
    await enter("right");
    expect(text("#problem")).toBe("The server could not be reached. Check your connection and try again.");
    expect(disabled()).toBe(false);
  });

  test("two submits at once are one attempt", async () => {
    await world.prompt();
    world.answers["POST"] = { body: { session: "s1" } };
    const both = [enter("right"), enter("right")];
    await Promise.all(both);
    expect(world.requests).toHaveLength(1);
  });

  test.each([404, 410])("V1 a link that died meanwhile shows the refusal (%i)", async (status) => {
    await world.prompt();
    world.answers["POST"] = { status, body: { error: { message: "x" } } };
    await enter("right");
    expect(text("h1")).toBe("This link does not work");
    expect(document.querySelector("form")).toBeNull();
  });

  test("P3 where no websocket comes through, the page is asked for with the cookie", async () => {
    await world.prompt();
    world.answers["POST"] = { body: { session: "s1" } };
    await enter("right");
    last().drop();
    await settle(5_000);
    expect(world.went).toEqual(["http://localhost:3000/share/shr_abc?theme=dark"]);
    expect(Socket.all).toHaveLength(1);
  });

  test("P3 what was opened before in this tab opens again by itself", async () => {
    sessionStorage.setItem(key, "s1");
    await world.prompt();
    expect(text("button")).toBe("Opening…");
    expect(last().protocols).toEqual(["widgets.view", "session.s1"]);
    last().say(all(secret));
    expect(order()).toEqual(["w-a"]);
  });

  test.each([
    ["the server refuses it", (): void => { last().say({ t: "gone", why: "locked" }); }],
    ["there is no way through", (): void => { last().drop(); }],
  ])("P4 a session that is over leads back to the prompt when %s", async (_, act) => {
    sessionStorage.setItem(key, "s1");
    await world.prompt();
    act();
    await settle(60_000);
    expect(text("button")).toBe("Open dashboard");
    expect(disabled()).toBe(false);
    expect(text("#problem")).toBe("");
    expect(sessionStorage.getItem(key)).toBeNull();
    expect(Socket.all).toHaveLength(1);
    expect(world.went).toEqual([]);
  }); // prettier-ignore

  test.each([
    ["opens", (): void => { last().say(all(secret)); }],
    ["does not open", (): void => { last().drop(); }],
  ])("E1 a frame that %s by itself takes no focus from the page around it", async (_, act) => {
    vi.spyOn(document, "hasFocus").mockReturnValue(false);
    const focus = vi.spyOn(HTMLElement.prototype, "focus");
    sessionStorage.setItem(key, "s1");
    await world.prompt();
    act();
    expect(focus).not.toHaveBeenCalled();
  }); // prettier-ignore

  test("B1 what is kept but cannot be a session leads to the prompt as well", async () => {
    sessionStorage.setItem(key, "no session, ☃");
    await world.prompt();
    expect(last().protocols).toEqual(["widgets.view"]);
    last().say({ t: "gone", why: "locked" });
    expect(disabled()).toBe(false);
    expect(sessionStorage.getItem(key)).toBeNull();
  });

  test("P4 V1 who is cut while looking loses the content and the session at once", async () => {
    await world.prompt();
    world.answers["POST"] = { body: { session: "s1" } };
    await enter("right");
    last().say(all(secret));
    last().say({ t: "gone", why: "locked" });
    expect(document.documentElement.outerHTML).not.toMatch(/Secret|w-a/);
    expect(sessionStorage.getItem(key)).toBeNull();
    await settle(10_000);
    expect(world.went).toHaveLength(1);
  });
});
