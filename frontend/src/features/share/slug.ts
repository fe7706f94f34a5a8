const least = 3;
const most = 64;

/** Text as it can stand in a name: small letters, digits, single hyphens. A hyphen at the end may be gone on from. */
export function slugify(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/ß/g, "ss")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, most);
}

/** A name as it is sent: without the hyphen that somebody may have stopped at. */
export function finished(slug: string): string {
  return slug.replace(/-$/, "");
}

/** What is wrong with a name, or nothing (rule S2). */
export function checkSlug(slug: string): string {
  return finished(slug).length < least ? `A name has at least ${String(least)} letters or digits.` : "";
}
