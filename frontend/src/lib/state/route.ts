import type { BoardId } from "../backend/types";

/** Where the user is. */
export type Route = { at: "board"; id: BoardId } | { at: "trash" } | { at: "home" };

/** Reads a route as routeHash writes it, with or without what stands before its name. */
export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#?\/?/, "");
  if (path === "trash") return { at: "trash" };
  const board = /^board\/(dsh_[0-9A-Za-z]+)$/.exec(path);
  return board?.[1] ? { at: "board", id: board[1] as BoardId } : { at: "home" };
}

export function routeHash(route: Route): string {
  switch (route.at) {
    case "board":
      return `#/board/${route.id}`;
    case "trash":
      return "#/trash";
    case "home":
      return "#/";
  }
}
