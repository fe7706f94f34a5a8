import type { LinkState, ShareView } from "../../lib/backend/types";

/** Whether the link's time is over, carried out by the server or not (rule L5). */
export function hasEnded(link: LinkState, now: number): boolean {
  return link.expired || (link.expires > 0 && now >= link.expires);
}

/** Whether the link lets anybody in. */
export function isOpen(link: LinkState, now: number): boolean {
  return link.enabled && link.token !== "" && !hasEnded(link, now);
}

/** The mode of a link at this moment (rule A4). The program derived it when it made the view; time goes on since. */
export function modeOf(link: LinkState, now: number): LinkState["mode"] {
  if (!link.enabled || hasEnded(link, now)) return "private";
  return link.password ? "password" : "public";
}

/** Whether what the dialog shows as the link works for whoever opens it now. */
export function works(share: ShareView, now: number): boolean {
  return isOpen(share.inForce, now) && share.inForce.token === share.wanted.token;
}

const soon = 24 * 3_600_000; // ms

/** Whether something that ends at that time, 0 for never, does so within a day. */
export function isSoon(ends: number, now: number): boolean {
  return ends > now && ends - now < soon;
}

/** When the link that is in force ends, if that is within a day; else 0. */
export function endsSoon(share: ShareView, now: number): number {
  const { expires } = share.inForce;
  return isOpen(share.inForce, now) && isSoon(expires, now) ? expires : 0;
}
