/**
 * Makes an element like another one by changing only what differs, so that focus, selection, scroll positions and what
 * the pointer rests on survive. Children with an id are matched by it, others by their place.
 */
export function morph(from: Element, to: Element): void {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of [...to.attributes])
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  children(from, to);
}

function children(from: Element, to: Element): void {
  const byId = new Map([...from.children].filter((c) => c.id !== "").map((c) => [c.id, c]));
  let at: ChildNode | null = from.firstChild;
  for (const want of [...to.childNodes]) {
    const own = want instanceof Element && want.id !== "" ? byId.get(want.id) : undefined;
    if (own && own !== at) from.insertBefore(own, at);
    const have = own ?? at;
    if (have && alike(have, want, own !== undefined)) {
      if (have instanceof Element && want instanceof Element) morph(have, want);
      else if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
      at = have.nextSibling;
    } else {
      from.insertBefore(want, at);
    }
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Whether one node can become the other: the same kind, and not a node that the ids promise to another place. */
function alike(have: Node, want: Node, matched: boolean): boolean {
  if (have.nodeName !== want.nodeName) return false;
  return matched || !(have instanceof Element && want instanceof Element) || (have.id === "" && want.id === "");
}
