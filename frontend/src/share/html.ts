/**
 * The one place where text becomes markup. What comes in is the work of lib/draw, sent by the server, or a constant of
 * this script. Where the browser knows Trusted Types it goes through the policy "widgets", so that the page's own policy
 * can forbid every other way.
 */
interface Policy {
  createHTML(html: string): string;
}
declare global {
  var trustedTypes: { createPolicy(name: string, rules: Policy): Policy } | undefined;
}

const policy = globalThis.trustedTypes?.createPolicy("widgets", { createHTML: (html) => html });

/** Markup as nodes that belong to no page yet: nothing in it loads or runs. */
export function parse(html: string): DocumentFragment {
  const t = document.createElement("template");
  t.innerHTML = policy ? policy.createHTML(html) : html;
  return t.content;
}
