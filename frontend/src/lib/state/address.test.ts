import { expect, test } from "vitest";
import type { BoardId } from "../backend/types";
import { hashAddress, pathAddress } from "./address";
import type { Route } from "./route";

const board: Route = { at: "board", id: "dsh_01ABC" as BoardId };
const routes: Route[] = [board, { at: "trash" }, { at: "home" }];

test("an address in the fragment is what a link to it says", () => {
  const location = { hash: "" };
  const address = hashAddress(location);
  for (const route of routes) {
    address.write(route);
    expect(location.hash).toBe(address.href(route));
    expect(address.read()).toEqual(route);
    expect(address.within(address.href(route))).toBeNull();
  }
});

test("an address in the path is pushed, once, and links to it stay on the page", () => {
  const location = { pathname: "/app" };
  const pushed: string[] = [];
  const history = {
    pushState: (_: unknown, __: string, url?: string | URL | null) => {
      location.pathname = String(url);
      pushed.push(location.pathname);
    },
  };
  const address = pathAddress("/app", location, history);
  for (const route of [...routes, { at: "home" } as const]) {
    address.write(route);
    expect(address.read()).toEqual(route);
    expect(address.within(address.href(route))).toEqual(route);
  }
  expect(pushed).toEqual(["/app/d/dsh_01ABC", "/app/trash", "/app"]);
  for (const elsewhere of ["/account", "/apple", "https://example.org/app", "/"])
    expect(address.within(elsewhere)).toBeNull();
  location.pathname = "/app/d/nonsense";
  expect(address.read()).toEqual({ at: "home" });
});
