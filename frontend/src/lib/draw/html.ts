const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for any place in HTML: an element's content or a quoted attribute. */
export function esc(text: string): string {
  return clean(text).replace(/[&<>"']/g, (c) => entities[c] ?? c);
}

/** Text without what HTML cannot hold (it becomes U+FFFD) and without what would reorder the text beside it. */
export function clean(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, "\ufffd")
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
}

/** The first `max` characters, with an ellipsis where something was cut; never half a surrogate pair. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = max - 1;
  const last = text.charCodeAt(end - 1);
  if (last >= 0xd800 && last <= 0xdbff) end--;
  return text.slice(0, end).trimEnd() + "…";
}

/** A name usable as an HTML id and in a CSS selector without escaping. */
export function safeId(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 64);
}
