/** What a page remembers until its tab is closed. A frame whose browser keeps no storage for it remembers nothing. */

const path = location.pathname.replace(/\/$/, "");
const keys = {
  /** The session that a right password opened. */
  session: `widgets:session:${path}`,
  /** Set when the page loads itself anew, which is not somebody opening it. */
  again: `widgets:again:${path}`,
} as const;
type Key = keyof typeof keys;

export function recall(key: Key): string | null {
  try {
    return sessionStorage.getItem(keys[key]);
  } catch {
    return null;
  }
}

export function remember(key: Key, value: string): void {
  try {
    sessionStorage.setItem(keys[key], value);
  } catch {
    // Then it lasts as long as the page.
  }
}

export function forget(key: Key): void {
  try {
    sessionStorage.removeItem(keys[key]);
  } catch {
    // There was nothing.
  }
}
