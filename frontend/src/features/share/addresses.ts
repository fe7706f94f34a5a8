/** The most addresses that are invited in one go, and the most bytes of a message (shared/sharing). */
export const mostInvited = 50;
export const longestMessage = 1000;

/** What a text of addresses holds, as far as the screen can tell: the program has the last word (rule I1). */
export interface Addresses {
  /** In lower case, each once, in the order given. */
  readonly good: readonly string[];
  /** As they were typed. */
  readonly bad: readonly string[];
}

/** Reads addresses apart by commas, semicolons, newlines or spaces, each alone or as Name <a@b>. */
export function readAddresses(text: string): Addresses {
  const good = new Set<string>();
  const bad = new Set<string>();
  for (const part of parts(text)) {
    const address = (/<([^<>]*)>$/.exec(part)?.[1] ?? part).trim().toLowerCase();
    if (isAddress(address)) good.add(address);
    else bad.add(part);
  }
  return { good: [...good], bad: [...bad] };
}

/** Whether nothing more is to come: the last address is followed by something that ends it. */
export function isEnded(text: string): boolean {
  return /[,;\n>]\s*$/.test(text) || /@\S+\.\S+\s$/.test(text);
}

/** Whether a text has the look of one address. */
function isAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s@"(),:;<>[\]\\]+@[^\s@"(),:;<>[\]\\.]+(\.[^\s@"(),:;<>[\]\\.]+)*$/.test(text);
}

/** A name with a bracket is one part, quoted or not; the rest is apart at every separator. */
function parts(text: string): readonly string[] {
  const one = /(?:"[^"\n]*"|[^\s,;<>"@]+(?:[ \t]+[^\s,;<>"@]+)*)?[ \t]*<[^<>\n]*>|[^\s,;]+/g;
  return text.match(one)?.map((part) => part.trim()) ?? [];
}
