import { parseRoute, routeHash, type Route } from "./route";

/** Where the page's address says what is shown: in its fragment, or in its path. Back, forward and reload work with both. */
export interface Address {
  read(): Route;
  write(route: Route): void;
  /** What a link to it is. */
  href(route: Route): string;
  /** Where a link leads, null if that is not on this page or the browser follows it by itself. */
  within(href: string): Route | null;
}

/** In the fragment: for pages whose path is the program's. */
export function hashAddress(location: Pick<Location, "hash">): Address {
  return {
    read: () => parseRoute(location.hash),
    write(route) {
      const hash = routeHash(route);
      if (location.hash !== hash) location.hash = hash;
    },
    href: routeHash,
    within: () => null,
  };
}

/** In the path below `base`, such as /app/d/dsh_…: a server can send the page for each of them. */
export function pathAddress(
  base: string,
  location: Pick<Location, "pathname">,
  history: Pick<History, "pushState">,
): Address {
  const href = (route: Route): string => {
    switch (route.at) {
      case "board":
        return `${base}/d/${route.id}`;
      case "trash":
        return `${base}/trash`;
      case "home":
        return base;
    }
  };
  const parse = (path: string): Route | null => {
    if (path !== base && !path.startsWith(`${base}/`)) return null;
    return parseRoute(path.slice(base.length).replace(/^\/d\//, "board/"));
  };
  return {
    read: () => parse(location.pathname) ?? { at: "home" },
    write(route) {
      const path = href(route);
      if (location.pathname !== path) history.pushState(null, "", path);
    },
    href,
    within: parse,
  };
}
