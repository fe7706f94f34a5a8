import { expect, test } from "vitest";
import { BackendError } from "./backend";
import type { Surroundings } from "./http";
import { storedTheme, WebBackend } from "./web";

/** A browser whose server answers from a script. */
function browser(answer: (path: string) => Response, stored: Record<string, string> = {}) {
  const asked: string[] = [];
  const left: string[] = [];
  const around: Surroundings = {
    fetch: (input) => {
      asked.push(input as string);
      return Promise.resolve(answer(input as string));
    },
    open: () => undefined,
    copy: () => Promise.resolve(),
    wait: () => Promise.resolve(),
    random: () => "me",
  };
  const backend = new WebBackend({
    around,
    storage: {
      getItem: (name) => stored[name] ?? null,
      setItem: (name, value) => {
        stored[name] = value;
      },
    },
    leave: (path) => left.push(path),
    here: () => "/app/d/dsh_1",
  });
  return { backend, asked, left, stored };
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

test("it asks the server below /app, and keeps the theme in the browser", async () => {
  const { backend, asked, stored } = browser(() => json({ boards: [], settings: { theme: "system" } }));
  expect((await backend.state()).settings.theme).toBe("system");
  await backend.settings({ theme: "dark" });
  expect((await backend.state()).settings.theme).toBe("dark");
  expect(asked).toEqual(["/app/api/state", "/app/api/state"]);
  expect(Object.values(stored)).toEqual(["dark"]);
});

test("a browser that keeps nothing says so, and has the system's theme", async () => {
  const storage = {
    getItem: (): string => {
      throw new Error("denied");
    },
  };
  expect(storedTheme(storage)).toBe("system");
  expect(storedTheme({ getItem: () => "purple" })).toBe("system");
  const { backend } = browser(() => json({}), Object.freeze({}));
  await expect(backend.settings({ theme: "dark" })).rejects.toBeInstanceOf(BackendError);
});

test("V1 whoever is signed out is sent to sign in once, and back to where they were", async () => {
  const { backend, left } = browser(() => json({ error: { kind: "unauthenticated", message: "Signed out." } }, 401));
  await expect(backend.state()).rejects.toThrow("Signed out.");
  await expect(backend.state()).rejects.toThrow("Signed out.");
  expect(left).toEqual(["/login?next=%2Fapp%2Fd%2Fdsh_1"]);
});

test("what is not permitted is no reason to leave", async () => {
  const { backend, left } = browser(() => json({ error: { kind: "denied", message: "No." } }, 403));
  await expect(backend.state()).rejects.toThrow("No.");
  expect(left).toEqual([]);
});

test("logging out leads to the start page", async () => {
  const { backend, asked, left } = browser((path) =>
    path.endsWith("/logout") ? json({}) : json({ error: { kind: "unauthenticated", message: "Signed out." } }, 401),
  );
  await backend.logOut();
  await expect(backend.state()).rejects.toThrow();
  expect(asked).toEqual(["/app/api/account/logout", "/app/api/state"]);
  expect(left).toEqual(["/"]);
});

test("a server that does not answer is named", async () => {
  const { backend } = browser(() => {
    throw new TypeError("failed");
  });
  await expect(backend.state()).rejects.toThrow("The server cannot be reached.");
});

test("V1 logging out leads to the start page, even where something else hears of it first", async () => {
  const heard: Promise<unknown>[] = [];
  const { backend, left } = browser((path) => {
    if (!path.endsWith("/logout")) return json({ error: { kind: "unauthenticated", message: "Signed out." } }, 401);
    heard.push(expect(backend.state()).rejects.toThrow("Signed out."));
    return json({});
  });
  await backend.logOut();
  await Promise.all(heard);
  expect(left).toEqual(["/"]);
});

test("logging out of a session that is over leads to the start page; one that fails leads nowhere", async () => {
  const over = browser(() => json({ error: { kind: "unauthenticated", message: "Signed out." } }, 401));
  await over.backend.logOut();
  expect(over.left).toEqual(["/"]);
  let status = 500;
  const failing = browser(() => json({ error: { kind: "internal", message: "No." } }, status));
  await expect(failing.backend.logOut()).rejects.toThrow("No.");
  expect(failing.left).toEqual([]);
  status = 200;
  await failing.backend.logOut();
  expect(failing.left).toEqual(["/"]);
});
