/** How many sites can be named. */
export const mostOrigins = 20;
const mostBytes = 255;

/**
 * The address of a site as an origin: scheme, host and, if it is not the scheme's own, port; null if it is none. The same
 * reading as shared/sharing.ParseOrigin, so that what is wrong is told before it is sent.
 */
export function parseOrigin(text: string): string | null {
  const [, scheme = "https", rest = ""] = /^(?:(.*?):\/\/)?(.*)$/s.exec(text.trim().toLowerCase()) ?? [];
  if (scheme !== "https" && scheme !== "http") return null;
  const [address = ""] = rest.split("/");
  const colon = address.indexOf(":");
  const host = colon < 0 ? address : address.slice(0, colon);
  if (host.length > mostBytes || !isHost(host.replace(/^\*\./, ""))) return null;
  if (colon < 0) return `${scheme}://${host}`;
  const port = address.slice(colon + 1);
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535) return null;
  const own = (scheme === "https" && port === "443") || (scheme === "http" && port === "80");
  return own ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

function isHost(host: string): boolean {
  return host.split(".").every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
}

/** Several addresses as they are typed or pasted: the origins among them, each once, and what is none. */
export function readOrigins(text: string): { good: readonly string[]; bad: readonly string[] } {
  const good: string[] = [];
  const bad: string[] = [];
  for (const word of text.split(/[\s,;]+/).filter(Boolean)) {
    const origin = parseOrigin(word);
    const list = origin === null ? bad : good;
    if (!list.includes(origin ?? word)) list.push(origin ?? word);
  }
  return { good, bad };
}
